"""Puts the emulator behind a port.

`build_app` loads or learns the model before it returns, so an emulator that accepts connections can answer; `serve`
runs it until SIGTERM or SIGINT.
"""

import asyncio
import signal
from collections.abc import Callable
from typing import Final

from aiohttp import web
from yarl import URL

from gateway.emulator import control, operations
from gateway.emulator.campaigns import open_world
from gateway.emulator.config import EmulatorConfig
from gateway.emulator.latency import Latency
from gateway.emulator.operations import BODY_BYTES_MAX, EMULATOR, Emulator
from gateway.emulator.settling import Settling
from gateway.emulator.stats import Stats

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
SHUTDOWN_S: Final = 2.0  # open calls may end; nobody's data is at stake


def loop_time() -> float:
    """The clock of the running event loop."""
    return asyncio.get_running_loop().time()


def build_app(config: EmulatorConfig, clock: Callable[[], float] = loop_time) -> web.Application:
    """An application that serves what `config` names. Blocks while a model is learnt.

    `clock` is asked during requests only, for when events take effect.

    Raises:
        ConfigError: the files that it names cannot be used.
    """
    app = web.Application(middlewares=[operations.refusals], client_max_size=BODY_BYTES_MAX)
    world = open_world(config)
    app[EMULATOR] = Emulator(
        world=world,
        secrets={pair.access_key_id: pair.secret_access_key for pair in config.key_pairs},
        latency=Latency(median_ms=config.latency_ms, sigma=config.latency_sigma, seed=config.seed),
        stats=Stats(),
        settling=Settling(world.model, config.settle_s),
        clock=clock,
    )
    app.add_routes(
        [
            web.post("/personalize-ranking", operations.personalize_ranking),
            web.post("/events", operations.put_events),
            web.get("/_emulator/health", control.health),
            web.get("/_emulator/stats", control.stats),
            web.delete("/_emulator/stats", control.reset_stats),
            web.post("/_emulator/oracle", control.oracle),
            web.get("/_emulator/items", control.items),
            web.get("/_emulator/users", control.users),
            web.route("*", "/{path:.*}", operations.unknown_operation),
        ]
    )
    return app


async def serve(config: EmulatorConfig, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; port 0 is any free one. `announce` gets the URL once connections are accepted.

    Raises:
        ConfigError: as `build_app`.
        OSError: the address cannot be bound.
    """
    runner = web.AppRunner(build_app(config), access_log=None, shutdown_timeout=SHUTDOWN_S)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stopped.set)
        announce(str(URL.build(scheme="http", host=host, port=runner.addresses[0][1])))
        await stopped.wait()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        await runner.cleanup()

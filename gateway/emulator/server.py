"""Puts the emulator behind a port.

`build_app` loads or learns the model before it returns, so an emulator that accepts connections can answer; `serve`
runs it until SIGTERM or SIGINT.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web
from yarl import URL

from gateway.emulator import control, operations
from gateway.emulator.campaigns import open_world
from gateway.emulator.conditions import Conditions
from gateway.emulator.config import EmulatorConfig
from gateway.emulator.operations import BODY_BYTES_MAX, EMULATOR, Emulator
from gateway.emulator.recording import Recorder
from gateway.emulator.settling import Settling
from gateway.emulator.stats import Stats

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
SHUTDOWN_S: Final = 2.0  # open calls may end; nobody's data is at stake


def loop_time() -> float:
    """The clock of the running event loop."""
    return asyncio.get_running_loop().time()


def build_app(config: EmulatorConfig, clock: Callable[[], float] = loop_time) -> web.Application:
    """An application that serves what `config` names. Blocks while a model is learnt.

    `clock` is asked during requests only, for when events take effect, throttling and recordings.

    Raises:
        ConfigError: the files that it names cannot be used.
    """
    app = web.Application(middlewares=[operations.refusals], client_max_size=BODY_BYTES_MAX)
    world = open_world(config)
    recorder = Recorder(config.record)
    app[EMULATOR] = Emulator(
        world=world,
        secrets={pair.access_key_id: pair.secret_access_key for pair in config.key_pairs},
        conditions=Conditions(config),
        stats=Stats(),
        settling=Settling(world, config.settle_s, world.history),
        recorder=recorder,
        clock=clock,
    )
    app.cleanup_ctx.append(_recording(recorder))
    app.add_routes(
        [
            web.post("/personalize-ranking", operations.personalize_ranking),
            web.post("/recommendations", operations.recommendations),
            web.post("/action-recommendations", operations.action_recommendations),
            web.post("/events", operations.put_events),
            web.get("/_emulator/health", control.health),
            web.get("/_emulator/stats", control.stats),
            web.delete("/_emulator/stats", control.reset_stats),
            web.get("/_emulator/campaigns", control.campaigns),
            web.get("/_emulator/faults", control.faults),
            web.post("/_emulator/faults", control.order_faults),
            web.delete("/_emulator/faults", control.clear_faults),
            web.post("/_emulator/oracle", control.oracle),
            web.get("/_emulator/items", control.items),
            web.get("/_emulator/users", control.users),
            web.route("*", "/{path:.*}", operations.unknown_operation),
        ]
    )
    return app


def _recording(recorder: Recorder) -> Callable[[web.Application], AsyncIterator[None]]:
    """Record from when calls may come until the last one has ended."""

    async def recording(_: web.Application) -> AsyncIterator[None]:
        recorder.open()
        yield
        recorder.close()

    return recording


async def serve(config: EmulatorConfig, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; port 0 is any free one. `announce` gets the URL once connections are accepted.

    Raises:
        ConfigError: as `build_app`, or the recording cannot be begun.
        OSError: the address cannot be bound.
    """
    runner = web.AppRunner(build_app(config), access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True)
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

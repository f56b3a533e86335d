"""The life of the process: listens, spares itself, and ends as it was told to.

SIGTERM: lame duck first (`/readyz` says 503, every answer closes its connection, everything is still served), then no
new connections, then what is under way is finished within `drain_s`. SIGHUP, a terminal that closes, is the same,
unless whoever started the process had it ignored (`nohup`). SIGINT, the newcomer's Ctrl-C, skips the lame duck.
"""

import asyncio
import gc
import signal
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.ports import Clock
from gateway.settings import ServerSettings, Settings
from gateway.web.app import build_admin_app, build_app
from gateway.web.connections import Guard
from gateway.web.listeners import GuardedSite
from gateway.web.tls import Papers
from gateway.wiring import CannotStart, open_service

GENTLY: Final = {signal.SIGTERM: True, signal.SIGHUP: True, signal.SIGINT: False}
"""What ends the process, and whether the lame duck comes first."""

KEEP_ALIVE_S: Final = 75.0
"""Idle connections are kept this long: longer than most balancers do, so that the caller's side closes first."""

COLLECT_AFTER: Final = (20_000, 20, 20)
"""Containers that may come up before the collector looks for cycles among them (Python: 700, 10, 10). A ranking makes
thousands that are no cycles and go by themselves: its calls, tasks and lists. Measured: 2 ms of 29 a cold ranking."""


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `announce` is told where, when connections are accepted."""
    server = settings.server
    ends = _ends()
    async with open_service(settings) as service, AsyncExitStack() as stack:
        if server.admin_port is not None:  # opened first and closed last, so that it can tell how the other one is
            address = (server.admin_host, server.admin_port)
            admin = await _listening(build_admin_app(service, server), server, address, None, stack)
        try:
            app, tls = build_app(service, server, settings.auth), _tls(server, service.clock)
        except (OSError, ValueError) as error:
            raise CannotStart(_words(error)) from error
        place = server.unix_socket or (server.host, server.port)
        site = await _listening(app, server, place, tls, stack)
        _spare_collector()
        announce(f"rerank-gateway listening on {site.name}")
        if server.admin_port is not None:
            announce(f"rerank-gateway admin listening on {admin.name}")
        told = await ends.get()
        service.draining = True
        if GENTLY[told]:
            await until_told_again(ends, server.lame_duck_s)


def _ends() -> "asyncio.Queue[signal.Signals]":
    """The signals that end the process, as they come."""
    ends: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in GENTLY:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, ends.put_nowait, number)
    return ends


async def _listening(
    app: web.Application,
    server: ServerSettings,
    place: tuple[str, int] | Path,
    tls: ssl.SSLContext | None,
    stack: AsyncExitStack,
) -> GuardedSite:
    """Listen; the stack ends it: no new connections, then what is under way has `drain_s`."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,  # a caller that has gone takes its calls along
        shutdown_timeout=server.drain_s,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    guard = Guard(server.connections_max, server.head_timeout_s, server.write_timeout_s, KEEP_ALIVE_S)
    site = GuardedSite(runner, guard, place, tls)
    try:
        await site.start()
    except OSError as error:
        raise CannotStart(f"cannot listen on {site.wanted}: {error.strerror or error}") from error
    return site


def _tls(server: ServerSettings, clock: Clock) -> ssl.SSLContext | None:
    """The papers that the settings name, if any. Raises `OSError` for files that cannot be used."""
    if server.tls_cert_file is None or server.tls_key_file is None:
        return None
    return Papers.of(server.tls_cert_file, server.tls_key_file, server.tls_client_ca_file, clock.stopwatch_s)


def _words(error: Exception) -> str:
    """What is wrong with a file of the settings."""
    if isinstance(error, ssl.SSLError):
        return f"server.tls_...: the certificate files cannot be used ({error.reason or 'unreadable'})"
    if isinstance(error, OSError):
        return f"{error.filename or 'a file of the settings'}: {error.strerror}"
    return str(error)


async def until_told_again(ends: "asyncio.Queue[signal.Signals]", seconds: float) -> None:
    """Wait, unless a second signal says that waiting is not wanted. Another SIGHUP says nothing: the shell and the
    system both send one when a terminal closes."""
    try:
        async with asyncio.timeout(seconds):
            while await ends.get() is signal.SIGHUP:
                pass
    except TimeoutError:
        return


def _spare_collector() -> None:
    """Take all that lives as long as the process from the garbage collector: 97,000 objects, most of them modules.

    A full collection, which comes at any time, would look at each of them again, and hold up everybody for 64 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)

"""The end of a listener: whoever was let in, even by the system alone, is heard out."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.listeners import GuardedSite
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.listening import WITHIN_S, guard
from tests.web.parts import LOGITS, NATIVE, head, items, native

CALLERS = 20
BODY = orjson.dumps(native(items(3)))
REQUEST = head(NATIVE, "Connection: close", length=len(BODY)) + BODY

Making = Callable[[web.AppRunner], web.BaseSite]


def guarded(runner: web.AppRunner, place: tuple[str, int] | Path = ("127.0.0.1", 0)) -> web.BaseSite:
    """A listener as in production."""
    return GuardedSite(runner, guard(), place)


def naive(runner: web.AppRunner) -> web.BaseSite:
    """The control: a listener as it comes."""
    return web.TCPSite(runner, "127.0.0.1", 0)


async def begun(make: Making) -> tuple[web.AppRunner, web.BaseSite]:
    """A gateway that listens."""
    app = build_app(make_service(SoftmaxRanker(lambda _: LOGITS)), ServerSettings(deadline_ms=30_000))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = make(runner)
    await site.start()
    return runner, site


def connected(site: web.BaseSite, runner: web.AppRunner) -> socket.socket:
    """A connection that the system has taken; the loop has not turned since."""
    if site.name.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(site.name.removeprefix("unix:"))
    else:
        port = runner.addresses[0][1] if runner.addresses else urlsplit(site.name).port
        connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(0)
    return connection


async def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes; nothing after a reset."""
    loop, read = asyncio.get_running_loop(), b""
    async with asyncio.timeout(WITHIN_S):
        try:
            while some := await loop.sock_recv(connection, 65_536):
                read += some
        except ConnectionResetError:
            return b""
    return read


async def answered(make: Making) -> int:
    """How many of the callers that came in the listener's last moment got their answer."""
    runner, site = await begun(make)
    callers = [connected(site, runner) for _ in range(CALLERS)]
    for caller in callers:
        caller.send(REQUEST)
    try:
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(answer(caller)) for caller in callers]
            await runner.cleanup()
    finally:
        for caller in callers:
            caller.close()
    return sum(task.result().startswith(b"HTTP/1.1 200 ") for task in answers)


async def test_nobody_in_the_backlog_is_lost(tmp_path: Path) -> None:
    """Connections that came before the listener closed are served, though the loop had not seen them."""
    assert await answered(guarded) == CALLERS
    assert await answered(partial(guarded, place=tmp_path / "gateway.sock")) == CALLERS


async def test_the_naive_end_loses_them() -> None:
    """The control: a listener that just closes resets those connections."""
    assert await answered(naive) == 0


@pytest.mark.parametrize("cut", [0, 20, len(REQUEST) - 5], ids=["nothing yet", "half a head", "most of a body"])
async def test_a_request_on_its_way_is_heard_out(cut: int) -> None:
    """A request that has begun, or whose connection has, when the listener closes is read to its end and answered."""
    runner, site = await begun(guarded)
    with connected(site, runner) as caller:
        caller.send(REQUEST[:cut])
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(runner.cleanup())
            while runner.addresses:
                await asyncio.sleep(0)
            caller.send(REQUEST[cut:])
            whole = group.create_task(answer(caller))
            await ending
    assert whole.result().startswith(b"HTTP/1.1 200 ")

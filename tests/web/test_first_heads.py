"""The first head of a connection: held back while it is the beginning of one, passed on whole, and culled in time."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gateway.settings import ServerSettings
from gateway.web import first_heads, listeners
from gateway.web.app import build_app
from gateway.web.first_heads import HELD_BYTES, FirstHeads
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.listening import guard, listening, until, wire
from tests.web.parts import LOGITS
from tests.web.unparsable import UNPARSABLE

SHORT_S = 0.05
SLOW = b"POST /v1/rerank HTTP/1.1\r\nX-Slow: "
CALLERS = 50

HEADS = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /livez?verbose=1 HTTP/1.0\r\nHost: gateway\r\n\r\n",
    b"\r\nPOST /v1/rerank HTTP/1.1\r\nHost: [::1]:80\r\nX-Empty:\r\nx-Odd.~name: caf\xe9 : x\r\nX-Last: 2\r\n\r\n",
]

NO_HEADS = [
    pytest.param(b"\x16\x03\x01", id="TLS"),
    pytest.param(b"get / HTTP/1.1\r\n", id="small letters"),
    pytest.param(b"\n", id="bare LF"),
    pytest.param(b"GET / HTTP/1.1\nHost: x\n", id="bare LF after a line"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\n", id="bare LF after a header"),
    pytest.param(b"GET / HTTP/2.0\r\n", id="version"),
    pytest.param(b"GET /\x01 HTTP/1.1\r\n", id="control character"),
    pytest.param(b"GET / HTTP/1.1\r\nHost x\r\n", id="header without a colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost : x\r\n", id="space before the colon"),
    pytest.param(b"GET / HTTP/1.1\r\nX: \0\r\n", id="NUL"),
    pytest.param(b"GET / HTTP/1.1\r\nX: a\rb", id="bare CR"),
    pytest.param(b"GET / HTTP/1.1\r\nX: a\r\n b\r\n", id="folded"),
    pytest.param(b"GET /" + HELD_BYTES * b"x", id="long"),
]


@dataclass
class Passed:
    """Stands in for aiohttp's protocol, and for the connection: what was passed on."""

    data: list[bytes] = field(default_factory=list)
    protocol: Any = None

    def __call__(self, *_: Any) -> "Passed":
        return self

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def connection_made(self, _: Any) -> None:
        assert self.protocol is self

    def begin(self, data: bytes, _: float) -> None:
        self.data.append(data)


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Passed:
    """What a connection passes on."""
    passed = Passed()
    monkeypatch.setattr(first_heads, "GuardedHandler", passed)
    return passed


def connected(passed: Passed) -> asyncio.Protocol:
    """A new connection."""
    connection = FirstHeads(guard(), passed)()  # type: ignore[arg-type]
    connection.connection_made(passed)  # type: ignore[arg-type]
    return connection


@pytest.mark.parametrize("whole", HEADS)
async def test_a_head_is_passed_on_with_its_last_byte(passed: Passed, whole: bytes) -> None:
    """However a head is cut into two, or into its bytes, it is passed on when it is whole, in one piece, and not
    before."""
    cuts = [[whole[:cut], whole[cut:]] for cut in range(1, len(whole))]
    for pieces in ([whole], *cuts, [bytes([one]) for one in whole]):
        connection = connected(passed)
        for piece in pieces[:-1]:
            connection.data_received(piece)
            assert not passed.data
        connection.data_received(pieces[-1])
        assert passed.data == [whole]
        passed.data.clear()


@pytest.mark.parametrize("begun", NO_HEADS)
async def test_what_is_no_head_is_passed_on_at_once(passed: Passed, begun: bytes) -> None:
    """What cannot become a head, or is too long to be held, is left to the parser without waiting for more."""
    connected(passed).data_received(begun)
    assert passed.data == [begun]


async def test_a_body_goes_with_its_head(passed: Passed) -> None:
    """Bytes behind a head are passed on with it."""
    connection = connected(passed)
    connection.data_received(HEADS[0][:-1])
    connection.data_received(b"\n" + bytes(100_000))
    assert passed.data == [HEADS[0] + bytes(100_000)]


@pytest.mark.parametrize("request_bytes", UNPARSABLE)
async def test_what_cannot_be_parsed_is_refused_at_once(request_bytes: bytes) -> None:
    """Behind a guard as without one: an unparsable request is a 400, long before the time of its head is over."""
    async with listening() as site, wire(site) as caller:
        caller.send(request_bytes)
        assert (await caller.answer())[0] == 400


async def test_a_slow_head_costs_no_task() -> None:
    """Connections whose heads do not come hold no task of the loop, and they are counted."""
    limits = guard()
    async with listening(limits) as site, AsyncExitStack() as stack:
        before = len(asyncio.all_tasks())
        for _ in range(CALLERS):
            (await stack.enter_async_context(wire(site))).send(SLOW)
        await until(lambda: limits.open == CALLERS)
        assert len(asyncio.all_tasks()) == before


async def test_without_first_heads_each_costs_a_task() -> None:
    """The control: on aiohttp's own listener there is a task for each of them."""
    runner = web.AppRunner(build_app(make_service(SoftmaxRanker(lambda _: LOGITS)), ServerSettings()), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        before = len(asyncio.all_tasks())
        writers = []
        for _ in range(CALLERS):
            writers.append((await asyncio.open_connection("127.0.0.1", site.port))[1])
            writers[-1].write(SLOW)
        await until(lambda: len(asyncio.all_tasks()) == before + CALLERS)
        for writer in writers:
            writer.transport.abort()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("begun", [SLOW, SLOW + HELD_BYTES * b"x"], ids=["held back", "passed on"])
async def test_a_long_head_has_no_more_time(begun: bytes) -> None:
    """A head that does not end is told 408, whether it is still held back or with the parser already."""
    limits = guard(head_timeout_s=SHORT_S)
    async with listening(limits) as site, wire(site) as caller:
        caller.send(begun)
        assert ((await caller.answer())[0], await caller.end()) == (408, b"")
    assert (limits.culled, limits.open) == (1, 0)


async def test_a_caller_that_goes_before_its_time() -> None:
    """Who hangs up in the middle of a head is counted no more, and not as culled."""
    limits = guard(head_timeout_s=4 * SHORT_S)
    async with listening(limits) as site:
        async with wire(site) as caller:
            caller.send(SLOW)
            await until(lambda: limits.open == 1)
        await until(lambda: limits.open == 0)
        async with wire(site) as later:
            assert await later.end() == b""  # its time is over, so that of the other has been
    assert limits.culled == 1


async def test_the_end_of_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads that still do not come when the listener has ended are not waited for: their connections are closed."""
    monkeypatch.setattr(listeners, "LAST_CALL_S", SHORT_S)
    limits = guard()
    async with AsyncExitStack() as stack:
        async with listening(limits) as site:
            silent = await stack.enter_async_context(wire(site))
            slow = await stack.enter_async_context(wire(site))
            slow.send(SLOW)
            await until(lambda: limits.open == 2)
        assert (await silent.end(), await slow.end()) == (b"", b"")
        await until(lambda: limits.open == 0)
    assert limits.culled == 0

"""What one connection may take: time for a head, time to read an answer, and a place among the others."""

import asyncio
import socket
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.listeners import GuardedSite
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.listening import guard, listening, until, wire
from tests.web.parts import LOGITS, NATIVE, head, items, native

LIVE = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n"
SHORT_S = 0.05


async def the_time_of_a_head(site: GuardedSite) -> None:
    """Wait until a connection that began now has been culled."""
    async with wire(site) as silent:
        assert await silent.end() == b""


SLOW_HEADS = [b"G", b"GET /livez HTTP/1.1\r\n", b"GET /livez HTTP/1.1\r\nHost: gateway\r\nX-A: b\r\n", b"\r\n"]


@pytest.mark.parametrize("begun", SLOW_HEADS)
async def test_a_head_that_does_not_end(begun: bytes) -> None:
    """A caller that stops in its first head is told 408 in our words, and loses its connection."""
    limits = guard(head_timeout_s=SHORT_S)
    async with listening(limits) as site, wire(site) as caller:
        caller.send(begun)
        status, whole = await caller.answer()
        assert (status, await caller.end()) == (408, b"")
        assert b"application/problem+json" in whole
        assert b"connection: close" in whole.lower()
    assert (limits.culled, limits.open) == (1, 0)


async def test_a_drip_does_not_help() -> None:
    """The time counts from the first byte of the head: one more byte now and then does not renew it."""
    limits = guard(head_timeout_s=4 * SHORT_S)
    async with listening(limits) as site, wire(site) as caller:
        caller.send(b"GET /livez HTTP/1.1\r\nX-Slow: ")

        def drip() -> bool:
            if not limits.culled:
                caller.send(b"x")
            return limits.culled > 0

        await until(drip)
        assert (await caller.end())[:12] in (b"HTTP/1.1 408", b"")  # nothing: a byte that came too late resets it all


async def test_a_caller_that_says_nothing() -> None:
    """A connection on which nothing comes is closed without a word that could be taken for an answer."""
    async with listening(guard(head_timeout_s=SHORT_S)) as site, wire(site) as caller:
        assert await caller.end() == b""


async def test_the_second_head_has_its_time_too() -> None:
    """On a connection that is kept the time begins anew with the first byte of the next head, not before."""
    limits = guard(head_timeout_s=4 * SHORT_S)
    async with listening(limits) as site, wire(site) as caller:
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200
        await the_time_of_a_head(site)
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200
        caller.send(LIVE[:-2])
        assert (await caller.answer())[0] == 408
    assert limits.culled == 2


async def test_an_idle_connection_ends() -> None:
    """A connection that is kept and not used is closed after its time, without a word."""
    async with listening(guard(keep_alive_s=SHORT_S)) as site, wire(site) as caller:
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200
        assert await caller.end() == b""


async def test_the_time_of_a_head_is_not_that_of_its_request() -> None:
    """A ranking that takes longer than a head may, and a body that does, are not cut off."""
    body = orjson.dumps(native())
    async with listening(guard(head_timeout_s=SHORT_S)) as site, wire(site) as caller:
        caller.send(head(NATIVE, length=len(body)))
        await the_time_of_a_head(site)
        caller.send(body)
        assert (await caller.answer())[0] == 200


@pytest.mark.parametrize("repeats", [0, 150, 1_200, 32_000])
async def test_bodies_in_slices(repeats: int) -> None:
    """A body of any size, up to 8 MiB here, is taken whole, slice by slice, and the requests behind it in their
    order."""
    async with listening() as site, wire(site) as caller:
        for count in (3, 5, 7):
            body = orjson.dumps(native([*items(count), *repeats * ["x" * 256]]))
            caller.send(head(NATIVE, length=len(body)) + body)
        for count in (3, 5, 7):
            status, whole = await caller.answer()
            assert (status, orjson.loads(whole.partition(b"\r\n\r\n")[2])["total"]) == (200, count + (repeats > 0))


async def test_a_body_that_nobody_reads() -> None:
    """A body of a request that is refused unread is passed over; what follows on the connection is answered."""
    async with listening() as site, wire(site) as caller:
        for _ in range(3):
            caller.send(head("/nowhere", length=2**21) + bytes(2**21))
            assert (await caller.answer())[0] == 404
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200


async def test_many_requests_at_once() -> None:
    """Thousands of requests sent without waiting are all answered, in the end."""
    async with listening() as site, wire(site) as caller:
        caller.send(LIVE * 3_000)
        for _ in range(3_000):
            assert (await caller.answer())[0] == 200


async def test_a_caller_that_goes_while_slices_wait() -> None:
    """What a caller sent and did not wait for is dropped with its connection."""
    limits = guard()
    async with listening(limits) as site:
        async with wire(site) as caller:
            caller.send(head(NATIVE, length=2**23) + bytes(2**20))
            await until(lambda: limits.open == 1)
        await until(lambda: limits.open == 0)


async def test_slow_heads_do_not_hold_up_others() -> None:
    """With hundreds of heads that never end, others are answered; in their time all of them are gone."""
    limits = guard(head_timeout_s=4 * SHORT_S)
    async with listening(limits) as site, AsyncExitStack() as stack:
        for _ in range(300):
            slow = await stack.enter_async_context(wire(site))
            slow.send(b"POST /v1/rerank HTTP/1.1\r\nX-Slow: ")
        async with wire(site) as caller:
            for _ in range(20):
                caller.send(LIVE)
                assert (await caller.answer())[0] == 200
        await until(lambda: limits.open == 0)
    assert limits.culled == 300


async def test_without_a_guard_slow_heads_stay() -> None:
    """The control: aiohttp's own listener keeps a head that never ends for as long as it keeps idle connections."""
    runner = web.AppRunner(build_app(make_service(SoftmaxRanker(lambda _: LOGITS)), ServerSettings()), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(LIVE[:-2])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10 * SHORT_S):
                await reader.read()
        writer.transport.abort()
    finally:
        await runner.cleanup()


async def test_one_connection_too_many() -> None:
    """With as many connections as there may be, the next is told 503 and closed; when one goes there is room again."""
    limits = guard(connections_max=2)
    async with listening(limits) as site:
        async with wire(site) as first, wire(site) as second:
            for caller in (first, second):
                caller.send(LIVE)
                assert (await caller.answer())[0] == 200
            async with wire(site) as third:
                status, whole = await third.answer()
                assert (status, await third.end()) == (503, b"")
                assert b"retry-after: 1" in whole.lower()
            first.send(LIVE)
            assert (await first.answer())[0] == 200
        await until(lambda: limits.open == 0)
        async with wire(site) as caller:
            caller.send(LIVE)
            assert (await caller.answer())[0] == 200
    assert (limits.refused, limits.open) == (1, 0)


def deaf(site_name: str) -> socket.socket:
    """A connection with the smallest of buffers, on which nobody reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    at = urlsplit(site_name)
    connection.connect((at.hostname, at.port))
    return connection


async def test_a_caller_that_does_not_read() -> None:
    """Answers that are not read take memory for their time, and then the connection is gone."""
    limits = guard(write_timeout_s=SHORT_S)
    body = orjson.dumps(native(items(1_000), explain=True))
    async with listening(limits) as site:
        with deaf(site.name) as connection:
            connection.settimeout(0)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(connection, (head(NATIVE, length=len(body)) + body) * 30)
            await until(lambda: limits.culled)
        await until(lambda: limits.open == 0)


async def test_a_caller_that_reads_slowly_but_does() -> None:
    """An answer of megabytes is taken in full by a caller that keeps reading, long after its first byte."""
    limits = guard(write_timeout_s=5.0)
    body = orjson.dumps(native(items(1_000), explain=True))
    async with listening(limits) as site, wire(site) as caller:
        for _ in range(20):
            caller.send(head(NATIVE, length=len(body)) + body)
        for _ in range(20):
            assert (await caller.answer())[0] == 200
    assert limits.culled == 0

"""The pool of the lean transport: how long connections live, how many there are, and that nothing is left behind."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
import uvloop

from gateway.adapters import connections
from gateway.adapters.aws_session import TransportStats
from gateway.adapters.connections import CannotConnect, Origin, Pool
from gateway.adapters.http1 import ClosedEarly, ClosedHere, HttpFailure
from gateway.adapters.resolver import Address, Resolver
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import Sent, Upstream, answer, hang, reset, said

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
WITHIN_S = 10.0


@asynccontextmanager
async def pooled(
    upstream: Upstream, connections_max: int = 100, resolver: Resolver | None = None, **changes: Any
) -> AsyncIterator[Pool]:
    """A pool of connections to the endpoint."""
    _, _, place = upstream.url.partition("://")
    host, _, port = place.rpartition(":")
    resolver = resolver or Resolver()
    origin = Origin(host, int(port), None)._replace(**changes)
    pool = Pool(origin, resolver, TransportStats(), connections_max=connections_max, answer_bytes_max=100_000)
    try:
        yield pool
    finally:
        pool.close()
        resolver.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[Upstream]:
    """An endpoint that says hello to everybody."""
    async with fake_upstream.listening(answer(b"hello")) as upstream:
        yield upstream


def test_both_loops() -> None:
    """On uvloop and on asyncio's own loop alike, plain and over TLS: calls, a cancelled one, and nothing left over."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)

    async def calls(tls: bool) -> None:
        async with (
            asyncio.timeout(WITHIN_S),
            fake_upstream.listening(answer(b"hello"), tls=server if tls else None) as upstream,
            pooled(upstream, tls=client if tls else None) as pool,
        ):
            for _ in range(3):
                assert (await pool.request(REQUEST)).body == b"hello"
            assert upstream.connections == 1
            upstream.script = hang
            task = asyncio.get_running_loop().create_task(pool.request(REQUEST))
            for _ in range(4):
                await upstream.arrived.acquire()
            task.cancel()
            await asyncio.wait([task])
            await upstream.closed.acquire()
            assert (task.cancelled(), upstream.open) == (True, 0)
            assert repr(pool) == "<Pool idle=0 busy=0 max=100>"

    async def handshake() -> None:
        async with (
            asyncio.timeout(WITHIN_S),
            fake_upstream.listening(hang) as silent,
            pooled(silent, tls=client) as pool,
        ):
            task = asyncio.get_running_loop().create_task(pool.request(REQUEST))
            while not silent.connections:
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await silent.closed.acquire()
            assert (task.cancelled(), silent.open) == (True, 0)

    for factory in (uvloop.new_event_loop, asyncio.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(calls(tls=False))
            runner.run(calls(tls=True))
            runner.run(handshake())


async def test_the_last_one_back_is_the_first_one_out(endpoint: Upstream) -> None:
    """After a burst calls in a row use one connection only, so that the others grow old."""
    async with pooled(endpoint) as pool:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(pool.request(REQUEST))
        assert endpoint.connections == 5
        seen = set()

        async def note(request: Sent, writer: asyncio.StreamWriter) -> None:
            seen.add(writer)
            await answer(b"hello")(request, writer)

        endpoint.script = note
        for _ in range(5):
            await pool.request(REQUEST)
        assert (len(seen), endpoint.connections) == (1, 5)


@pytest.mark.parametrize("limit", ["IDLE_MAX_S", "AGE_MAX_S"])
async def test_a_connection_that_is_too_old(endpoint: Upstream, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """A connection beyond its idle time, or its age, is closed instead of used."""
    monkeypatch.setattr(connections, limit, 0.0)
    async with asyncio.timeout(WITHIN_S), pooled(endpoint) as pool:
        for _ in range(2):
            await pool.request(REQUEST)
        await endpoint.closed.acquire()
        assert endpoint.connections == 2


@pytest.mark.parametrize("pieces", [1, 2])
async def test_an_idle_connection_holds_no_answer(endpoint: Upstream, pieces: int) -> None:
    """An answer belongs to who asked for it; a connection that waits for its next call holds nothing of it."""
    piece = bytes([pieces]) * 1000
    endpoint.script = said(CHUNKED, *[b"3e8\r\n%b\r\n" % piece] * pieces, b"0\r\n\r\n")
    async with pooled(endpoint) as pool:
        assert (await pool.request(REQUEST)).body == piece * pieces
        assert repr(pool) == "<Pool idle=1 busy=0 max=100>"
        lists = [one for one in gc.get_objects() if type(one) is list and one]
        assert not [one for one in lists if type(one[0]) is bytes and one[0] == piece]


async def test_idle_connections_are_closed_in_time(endpoint: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody uses is closed without anybody asking for a connection."""
    monkeypatch.setattr(connections, "IDLE_MAX_S", 0.0)
    monkeypatch.setattr(connections, "SWEEP_S", 0.01)
    async with asyncio.timeout(WITHIN_S), pooled(endpoint) as pool:
        await pool.request(REQUEST)
        await endpoint.closed.acquire()
        assert repr(pool) == "<Pool idle=0 busy=0 max=100>"


async def test_a_call_that_nobody_bounds(endpoint: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than any deadline no answer is waited for, and that is no reason to ask again."""
    monkeypatch.setattr(connections, "ANSWER_MAX_S", 0.0)
    monkeypatch.setattr(connections, "SWEEP_S", 0.01)
    async with asyncio.timeout(WITHIN_S), pooled(endpoint) as pool:
        await pool.request(REQUEST)
        endpoint.script = hang
        with pytest.raises(ClosedHere):
            await pool.request(REQUEST)
    assert len(endpoint.sent) == 2


async def test_no_more_connections_than_allowed(endpoint: Upstream) -> None:
    """Whoever finds all connections in use waits for one; one who goes while waiting takes no place along."""
    go = asyncio.Event()

    async def held(request: Sent, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await answer(b"hello")(request, writer)

    endpoint.script = held
    async with asyncio.timeout(WITHIN_S), pooled(endpoint, connections_max=2) as pool:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(pool.request(REQUEST)) for _ in range(6)]
        for _ in range(2):
            await endpoint.arrived.acquire()
        tasks[3].cancel()
        go.set()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [False, False, False, True, False, False]
        assert (endpoint.connections, len(endpoint.sent)) == (2, 5)


async def test_the_end_of_the_pool(endpoint: Upstream) -> None:
    """Closing ends calls under way, closes what is idle, and later calls are refused."""
    async with asyncio.timeout(WITHIN_S), pooled(endpoint) as pool:
        endpoint.script = hang
        task = asyncio.get_running_loop().create_task(pool.request(REQUEST))
        await endpoint.arrived.acquire()
        pool.close()
        await asyncio.wait([task])
        assert isinstance(task.exception(), ClosedHere)
        with pytest.raises(CannotConnect):
            await pool.request(REQUEST)
        await endpoint.closed.acquire()
    assert (endpoint.open, endpoint.connections) == (0, 1)


async def test_an_early_end_on_a_new_connection(endpoint: Upstream) -> None:
    """The free retry is for used connections alone."""
    endpoint.script = reset
    async with pooled(endpoint) as pool:
        with pytest.raises(ClosedEarly):
            await pool.request(REQUEST)
    assert len(endpoint.sent) == 1


async def test_a_torn_answer_on_a_used_connection(endpoint: Upstream) -> None:
    """Once a byte of the answer has come the server has worked: that call is not sent again by itself."""
    async with pooled(endpoint) as pool:
        await pool.request(REQUEST)
        endpoint.script = said(b"H", close=True)
        with pytest.raises(HttpFailure):
            await pool.request(REQUEST)
    assert len(endpoint.sent) == 2


async def test_an_answer_before_the_question(endpoint: Upstream) -> None:
    """A refusal that comes while the request is still being sent is an answer, and the end of its connection."""
    big = REQUEST.replace(b": 2", b": 50000000") + b"x" * 50_000_000

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with asyncio.timeout(WITHIN_S), pooled(Upstream(url=url)) as pool:
        assert (await pool.request(big)).status == 413
        assert repr(pool) == "<Pool idle=0 busy=0 max=100>"
        gone.set()
    server.close()
    await server.wait_closed()


async def test_one_address_of_several_is_enough(endpoint: Upstream) -> None:
    """An address where nobody listens does not keep a call from the next one."""

    def lookup(_: str, port: int) -> list[Address]:
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.9", "127.0.0.1")]

    async with pooled(endpoint, resolver=Resolver(lookup), host="several.example") as pool:
        assert (await pool.request(REQUEST)).body == b"hello"


async def test_an_address_that_says_nothing(monkeypatch: pytest.MonkeyPatch, endpoint: Upstream) -> None:
    """A handshake that is never answered is given up in time, and leaves no connection."""
    monkeypatch.setattr(connections, "CONNECT_TIMEOUT_S", 0.05)
    async with fake_upstream.listening(hang) as silent, asyncio.timeout(WITHIN_S):
        async with pooled(silent, tls=ssl.create_default_context()) as pool:
            with pytest.raises(CannotConnect):
                await pool.request(REQUEST)
            await silent.closed.acquire()
        assert silent.open == 0

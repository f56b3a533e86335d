"""Too many callers, callers that leave, and a process that is about to end."""

import asyncio
from functools import partial
from typing import Any

import orjson
import pytest

from gateway.core.episode import Episode
from gateway.web.door import SERVICE
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, exchange, head, native, send, wire


@pytest.fixture
def held() -> Held:
    """A ranker that waits to be let go."""
    return Held()


@pytest.mark.parametrize(("path", "members"), [(NATIVE, native(userId="third")), (WIRE, wire(userId="third"))])
async def test_the_one_too_many_is_refused_at_once(connect: Connect, held: Held, path, members) -> None:
    """With as many rankings under way as may be, the next is a 503 with Retry-After, and the others are not hurt."""
    client = await connect(ranker=held, server={"max_inflight": 2})
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(send(client, NATIVE, native(userId=f"u{n}"))) for n in range(2)]
        for _ in running:
            await held.begun.acquire()
        response = await send(client, path, members)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert response.headers.get("x-amzn-ErrorType") == ("ServiceUnavailable" if path == WIRE else None)
        assert (await client.get("/livez")).status == 200
        assert (await client.get("/readyz")).status == 200
        held.let_go.set()
    assert [task.result().status for task in running] == [200, 200]
    assert (await send(client, path, members)).status == 200


async def test_overload_is_two_lines(
    connect: Connect, held: Held, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are refused, the log says once that it begins, and once that it is over, with their number."""
    monkeypatch.setattr("gateway.web.middleware.Episode", partial(Episode, 0.0))
    client = await connect(ranker=held, server={"max_inflight": 1})
    async with asyncio.TaskGroup() as group:
        group.create_task(send(client, NATIVE, native()))
        await held.begun.acquire()
        for _ in range(5):
            assert (await send(client, NATIVE, native(userId="late"))).status == 503
        held.let_go.set()
    for _ in range(3):
        assert (await send(client, NATIVE, native(userId="late"))).status == 200
    told = [line for line in lines if line["event"] != "request"]
    assert [line["event"] for line in told] == ["overloaded: requests are refused", "no longer overloaded"]
    assert told[1]["count"] == 5


async def test_the_refusal_does_not_wait_for_the_body(connect: Connect, held: Held) -> None:
    """The one too many is refused while its body has yet to come."""
    client = await connect(ranker=held, server={"max_inflight": 1})
    async with asyncio.TaskGroup() as group:
        first = group.create_task(send(client, NATIVE, native()))
        await held.begun.acquire()
        reply = await exchange(client, head(NATIVE, "Content-Type: application/json", length=1_000))
        assert reply.status == 503
        held.let_go.set()
    assert first.result().status == 200


async def test_failures_give_their_place_back(connect: Connect) -> None:
    """Refused and failed requests do not use up the room for others."""
    failing = SoftmaxRanker(lambda _: LOGITS, fails=lambda n, _: RuntimeError("x") if n < 3 else None)
    client = await connect(ranker=failing, server={"max_inflight": 1})
    statuses = [(await send(client, NATIVE, members)).status for members in (b"", {}, *[native()] * 4)]
    assert statuses == [400, 422, 500, 500, 500, 200]


async def test_a_caller_that_leaves_takes_its_calls_along(connect: Connect, held: Held, lines) -> None:
    """When the caller hangs up, all calls made for it are cancelled, and its line says 499."""
    client = await connect(ranker=held)
    body = orjson.dumps(native([f"p{n}" for n in range(900)]))
    _, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(head(NATIVE, "Content-Type: application/json", length=len(body)) + body)
    async with asyncio.timeout(10):
        for _ in range(2):
            await held.begun.acquire()
        writer.close()
        for _ in range(2):
            await held.ended.acquire()
    assert held.cancelled == 2
    async with asyncio.timeout(10):
        while not lines:
            await asyncio.sleep(0)
    assert [line["status"] for line in lines] == [499]


async def test_a_neighbour_of_one_that_leaves_is_answered(connect: Connect, held: Held) -> None:
    """Two callers ask the same and share a call; one hangs up; the other is answered as if it had been alone."""
    client = await connect(ranker=held)
    stats = client.app[SERVICE].reranker.frames.stats
    body = orjson.dumps(native())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        _, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        writer.write(head(NATIVE, "Content-Type: application/json", length=len(body)) + body)
        await held.begun.acquire()
        other = group.create_task(send(client, NATIVE, native()))
        while not stats.joined:
            await asyncio.sleep(0)
        writer.close()
        assert (await client.get("/livez")).status == 200
        held.let_go.set()
    assert other.result().status == 200
    assert (len(held.calls), held.cancelled) == (1, 0)


async def test_live_and_ready(client: Client) -> None:
    """A gateway that is well says so on both probes, in plain text."""
    for path in ("/livez", "/readyz"):
        response = await client.get(path)
        assert (response.status, await response.text()) == (200, "ok\n")
        assert (await client.head(path)).status == 200


async def test_not_ready_says_why(connect: Connect) -> None:
    """Without credentials the process lives, is not ready, and says why; requests are served all the same."""
    client = await connect(not_ready="no AWS credentials")
    response = await client.get("/readyz")
    assert (response.status, await response.text()) == (503, "no AWS credentials\n")
    assert (await client.get("/livez")).status == 200
    assert (await send(client, NATIVE, native())).status == 200


async def test_a_dead_campaign_leaves_the_process_ready(connect: Connect) -> None:
    """A campaign that fails is no reason to take the gateway out of service."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: RuntimeError("x")))
    assert (await send(client, NATIVE, native())).status == 500
    assert (await client.get("/readyz")).status == 200


@pytest.mark.parametrize(("path", "members"), [(NATIVE, native()), (WIRE, wire()), (NATIVE, {}), (WIRE, b"")])
async def test_draining_serves_on_and_closes_connections(connect: Connect, path: str, members) -> None:
    """About to end, the process is not ready, still answers, and asks every caller to connect anew elsewhere."""
    client = await connect()
    client.app[SERVICE].draining = True
    ready = await client.get("/readyz")
    assert (ready.status, await ready.text(), ready.headers["Connection"]) == (503, "draining\n", "close")
    live = await client.get("/livez")
    assert (live.status, live.headers["Connection"]) == (200, "close")
    response = await send(client, path, members)
    assert (response.status == 200) == (members in (native(), wire()))
    assert response.headers["Connection"] == "close"

"""Callers that hang up, on real sockets at both ends: shared calls go on for those who stay, and end with the last."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient

from gateway.adapters.personalize import PersonalizeRanker
from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.door import SERVICE
from tests.adapters.fake_upstream import Sent, Upstream, hang, ranking
from tests.support.canaries import USER
from tests.support.gateway_parts import make_service

CALLERS = 50
CALLS = 21
ASKED = {"campaign": "demo", "userId": USER, "inputList": [f"p{n}" for n in range(10_000)], "deadlineMs": 30_000}
WITHIN_S = 20.0


@pytest.fixture
async def client(aiohttp_client: Callable[..., Awaitable[TestClient]], ranker: PersonalizeRanker) -> TestClient:
    """A client of a gateway in front of the endpoint; as many connections as it likes."""
    return await aiohttp_client(build_app(make_service(ranker), ServerSettings()))


async def under_way(client: TestClient, upstream: Upstream) -> list[asyncio.Task[int]]:
    """Fifty callers that ask the same, all of them joined to the calls, which are under way."""

    async def ask() -> int:
        async with client.post("/v1/rerank", json=ASKED) as response:
            await response.read()
            return response.status

    tasks = [asyncio.create_task(ask()) for _ in range(CALLERS)]
    for _ in range(CALLS):
        await upstream.arrived.acquire()
    stats = client.app[SERVICE].reranker.frames.stats
    while stats.joined < CALLERS - 1:
        await asyncio.sleep(0)
    return tasks


async def test_the_one_who_stays_is_answered(client: TestClient, upstream: Upstream) -> None:
    """Forty-nine of fifty hang up; the last one gets its answer out of the same 21 calls."""
    go = asyncio.Event()

    async def held(request: Sent, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await ranking()(request, writer)

    upstream.script = held
    async with asyncio.timeout(WITHIN_S):
        tasks = await under_way(client, upstream)
        for task in tasks[:-1]:
            task.cancel()
        await asyncio.wait(tasks[:-1])
        assert (await client.get("/livez")).status == 200
        go.set()
        assert await tasks[-1] == 200
    assert len(upstream.sent) == CALLS


async def test_when_all_hang_up_the_calls_end(client: TestClient, upstream: Upstream) -> None:
    """When the last caller has gone, every upstream connection of its calls is closed, and nothing is asked again."""
    upstream.script = hang
    async with asyncio.timeout(WITHIN_S):
        for task in await under_way(client, upstream):
            task.cancel()
        for _ in range(CALLS):
            await upstream.closed.acquire()
    assert upstream.open == 0
    assert len(upstream.sent) == CALLS

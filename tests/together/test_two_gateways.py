"""Two gateways on one Valkey, in front of one emulator: real processes that share what they learn."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest

from tests.process.parts import ARN, environment, running, signed
from tests.redis.servers import Server, a_binary
from tests.support.canaries import MARK
from tests.web.parts import order

COUNT = 10_000
TRACKER = {"trackingId": "demo", "sessionId": "s-1"}
CLICK = {"eventType": "click", "sentAt": 1.8e9, "itemId": "p00007"}


@dataclass(frozen=True)
class Pair:
    """Gateways A and B, what they share, and a client of all."""

    session: aiohttp.ClientSession
    a: str
    b: str
    emulator: str
    valkey: Server
    candidates: list[str]

    async def get(self, url: str) -> Any:
        async with self.session.get(url) as response:
            assert response.status == 200
            return orjson.loads(await response.read())

    async def post(self, url: str, members: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        async with self.session.post(url, data=orjson.dumps(members), headers=headers) as response:
            body = await response.read()
            assert response.status == 200, body[:500]
            return orjson.loads(body) if body else None

    async def rank(self, gateway: str, user: str, items: list[str] | None = None, **members: Any) -> dict[str, Any]:
        """A ranking by the native API."""
        asked = {"campaign": "demo", "userId": f"{MARK}-{user}", "inputList": items or self.candidates, **members}
        return await self.post(f"{gateway}/v1/rerank", asked)

    async def ideal(self, user: str, items: list[str] | None = None) -> list[str]:
        """The order of one unlimited, unrounded call."""
        asked = {"campaignArn": ARN, "userId": f"{MARK}-{user}", "inputList": items or self.candidates}
        return order(await self.post(f"{self.emulator}/_emulator/oracle", asked))

    async def saves(self, gateway: str) -> int:
        """Frames that a gateway has stored."""
        return (await self.get(f"{gateway}/v1/campaigns"))["cache"]["store"]["saves"]

    async def calls(self) -> int:
        """Ranking calls that the emulator has seen."""
        return (await self.get(f"{self.emulator}/_emulator/stats"))["calls"]


@dataclass(frozen=True)
class Processes:
    """Addresses of the processes."""

    a: str
    b: str
    emulator: str
    valkey: Server


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Emulator, Valkey, and two gateways between them."""
    valkey = Server(tmp_path_factory.mktemp("valkey"), a_binary()).start()
    try:
        with running("emulate", "--port", "0", env=environment()) as emulator:
            env = signed(
                emulator.url,
                GATEWAY_REDIS_URL=valkey.url,
                GATEWAY_LOG__LEVEL="error",
                AWS_ENDPOINT_URL_PERSONALIZE_EVENTS=emulator.url,
            )
            with running("serve", "--port", "0", env=env) as a, running("serve", "--port", "0", env=env) as b:
                yield Processes(a.url, b.url, emulator.url, valkey)
    finally:
        valkey.kill()


@pytest.fixture
async def pair(processes: Processes) -> AsyncIterator[Pair]:
    """The two gateways, and all products of the emulator's store."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        bare = Pair(session, processes.a, processes.b, processes.emulator, processes.valkey, [])
        listing = await bare.get(f"{processes.emulator}/_emulator/items?limit={COUNT}")
        candidates = [item["itemId"] for item in listing["items"]]
        yield Pair(session, processes.a, processes.b, processes.emulator, processes.valkey, candidates)


async def test_what_one_learnt_the_other_answers(pair: Pair) -> None:
    """A ranks 10,000 for 21 calls; B gives the very same ranking for none: items, order, every digit of the scores."""
    before, saves = await pair.calls(), await pair.saves(pair.a)
    asked = {"campaignArn": ARN, "userId": f"{MARK}-shared-1", "inputList": pair.candidates}
    first = await pair.post(f"{pair.a}/personalize-ranking", asked)
    assert await pair.calls() - before == 21
    async with asyncio.timeout(10):
        while await pair.saves(pair.a) == saves:  # frames are stored behind the answer
            await asyncio.sleep(0.01)
    second = await pair.post(f"{pair.b}/personalize-ranking", asked)
    assert await pair.calls() - before == 21
    assert second == first
    assert set(order(first)[:100]) == set((await pair.ideal("shared-1"))[:100])


async def test_an_event_through_one_makes_the_other_ask_anew(pair: Pair) -> None:
    """An event that B forwards kills the frame that A made: A asks anew at once, and the click has moved the order."""
    first = await pair.rank(pair.a, "shared-2")
    recorded = await pair.post(f"{pair.b}/v1/events", {**TRACKER, "userId": f"{MARK}-shared-2", "eventList": [CLICK]})
    assert recorded == {"forwarded": True, "framesInvalidated": True}
    second = await pair.rank(pair.a, "shared-2")
    assert (first["usage"]["upstreamCalls"], second["usage"]["upstreamCalls"]) == (21, 21)
    assert order(second).index("p00007") < order(first).index("p00007")
    assert set(order(second)[:100]) == set((await pair.ideal("shared-2"))[:100])


async def test_fifty_at_once_cost_one(pair: Pair) -> None:
    """Fifty equal cold requests over fifty connections cost 21 calls, and their rankings are equal."""
    before = await pair.calls()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pair.rank(pair.a, "shared-3", deadlineMs=20_000)) for _ in range(50)]
    answers = [task.result() for task in tasks]
    assert await pair.calls() - before == 21
    assert sum(answer["usage"]["upstreamCalls"] for answer in answers) == 21
    assert all(answer["personalizedRanking"] == answers[0]["personalizedRanking"] for answer in answers)


async def test_frames_survive_a_frozen_and_a_killed_store(pair: Pair) -> None:
    """While Valkey hangs, dies and comes back, every answer is whole and right; afterwards frames are shared again."""
    items = pair.candidates[:2_000]
    ideal = await pair.ideal("shared-4", items)

    async def right() -> int:
        answer = await pair.rank(pair.a, "shared-4", items)
        assert answer["degraded"] is None
        assert answer["total"] == len(items)
        assert set(order(answer)[:100]) == set(ideal[:100])
        return answer["usage"]["upstreamCalls"]

    async def shared_again() -> None:
        async with asyncio.timeout(10):
            while await right():
                await asyncio.sleep(0.05)

    await shared_again()
    pair.valkey.freeze()
    for _ in range(20):
        await right()
    pair.valkey.thaw()
    await shared_again()
    pair.valkey.kill()
    for _ in range(20):
        await right()
    pair.valkey.start()
    await shared_again()


async def test_the_health_of_the_cache_is_told(pair: Pair) -> None:
    """`GET /v1/campaigns` tells what the store did, and what look-ups were worth; no key and no user is in it."""
    await pair.rank(pair.a, "user", pair.candidates[:10])
    health = await pair.get(f"{pair.a}/v1/campaigns")
    assert [one["name"] for one in health["campaigns"]] == ["demo"]
    assert health["cache"]["store"]["kind"] in ("single", "unix")
    assert health["cache"]["frames"]["misses"] > 0
    assert "canary" not in str(health)

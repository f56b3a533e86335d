"""A gateway that served all kinds of traffic, and what its `/metrics` said then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from gateway.adapters.memory_store import MemoryStore
from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from gateway.adapters.system_clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign
from gateway.ports import FrameStore
from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.door import SERVICE
from tests.redis.servers import Server, a_binary
from tests.support.canaries import ITEM_MARK, MARK
from tests.support.gateway_parts import ARN, make_service
from tests.support.listing_ranker import ListingRanker

CANARY = MARK
"""In every id that is sent."""

CAMPAIGNS = {
    "demo": Campaign("demo", ARN, replicas=(f"{ARN}-2",), fallback="input-order"),
    "hangs": Campaign("hangs", f"{ARN}-hangs"),
    "fails": Campaign("fails", f"{ARN}-fails", fallback="input-order"),
}

EVENT = {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "click", "sentAt": 1}]}

WITHIN_S = 20.0
"""Only ends a test that would hang."""

Client = TestClient[Any, Any]
Samples = dict[str, list[dict[str, str]]]
"""By name: the labels of every sample."""


class Moody(ListingRanker):
    """Ranks, but for two campaigns: one never answers, the other always fails."""

    async def rank(self, call: Any) -> Any:
        if call.arn.endswith("hangs"):
            await asyncio.Event().wait()
        if call.arn.endswith("fails"):
            raise Unavailable("x")
        return await super().rank(call)


async def _served(connect: Callable[..., Awaitable[Client]], store: FrameStore) -> Client:
    """A gateway over a store, asked for everything that it does."""
    service = make_service(Moody(), campaigns=CAMPAIGNS, store=store, credentials={"expiresS": 900.0})
    service.store_health = store.health
    client = await connect(build_app(service, ServerSettings(deadline_ms=20_000)))
    user, items = f"{CANARY}-user", [f"{ITEM_MARK}-{number}" for number in range(600)]
    rank = {"campaign": "demo", "userId": user, "inputList": items}
    for path, members, status in (
        ("/v1/rerank", rank | {"pin": True}, 200),
        ("/v1/rerank", rank, 200),
        ("/personalize-ranking", {"campaignArn": "demo", "userId": user, "inputList": items[:3]}, 200),
        ("/v1/rerank/shelves", {"campaign": "demo", "userId": user, "shelves": {"a": items[:9]}}, 200),
        ("/recommendations", {"campaignArn": "demo", "userId": user}, 200),
        ("/v1/rerank", {"campaign": CANARY}, 422),
        ("/v1/rerank", rank | {"campaign": CANARY}, 404),
        ("/v1/rerank", rank | {"campaign": "hangs", "deadlineMs": 50}, 504),
        ("/v1/rerank", rank | {"campaign": "fails"}, 200),
        ("/events", EVENT | {"userId": user}, 200),
    ):  # fmt: skip
        response = await client.post(path, json=members)
        assert response.status == status, await response.text()
    await client.get(f"/{CANARY}")
    return client


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    """All that is logged, at the level that says most."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Server]:
    """A server to be broken."""
    server = Server(tmp_path / "server", a_binary()).start()
    yield server
    server.kill()


@pytest.fixture
async def said(aiohttp_client: Callable[..., Awaitable[Client]], valkey: Server) -> tuple[str, Samples]:
    """What two gateways said, one with frames in memory, one with a Redis that was tampered with and then died."""
    memory = await _served(aiohttp_client, MemoryStore(SystemClock().now_s))
    async with RedisStore(RedisOptions(valkey.url, timeout_ms=1_000)) as store:
        shared = await _served(aiohttp_client, store)
        again = {"campaign": "demo", "userId": f"{CANARY}-user", "inputList": [f"{ITEM_MARK}-1"]}
        for key in valkey.admin("KEYS", "rerank:*"):
            valkey.admin("SET", key, "garbage")
        assert (await shared.post("/v1/rerank", json=again)).status == 200
        valkey.kill()
        async with asyncio.timeout(WITHIN_S):
            while not store.stats.errors:
                assert (await shared.post("/v1/rerank", json=again)).status == 200
        for client in (memory, shared):
            await client.app[SERVICE].reranker.frames.background.drain(5.0)
        text = "".join([await (await client.get("/metrics")).text() for client in (memory, shared)])
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample.labels)
    return text, samples

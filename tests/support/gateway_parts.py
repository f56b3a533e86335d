"""The inside of the gateway around any `Ranker`, as `wiring` builds it around the real one."""

from collections.abc import Mapping
from random import Random

from gateway.adapters.memory_store import MemoryStore
from gateway.adapters.system_clock import SystemClock
from gateway.core.routing import Campaign
from gateway.ports import Clock, FrameStore, Ranker
from gateway.service.background import Background
from gateway.service.fanout import Fans
from gateway.service.frames import Frames
from gateway.service.gate import Gates
from gateway.service.rerank import Reranker
from gateway.service.service import Service

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


def make_service(
    ranker: Ranker,
    *,
    campaigns: Mapping[str, Campaign] | None = None,
    clock: Clock | None = None,
    store: FrameStore | None = None,
    fresh_s: float = 60.0,
    stale_s: float = 300.0,
    not_ready: str | None = None,
) -> Service:
    """A service with seeded randomness; without `campaigns` one is configured, named `demo`."""
    clock = clock or SystemClock()
    random = Random(17)

    async def ready() -> str | None:
        return not_ready

    reranker = Reranker(
        fans=Fans(ranker, clock, random),
        gates=Gates(clock),
        frames=Frames(store or MemoryStore(clock.now_s), clock, Background(), fresh_s, stale_s),
        clock=clock,
        random=random,
    )
    return Service(reranker, {"demo": Campaign("demo", ARN)} if campaigns is None else campaigns, clock, ready)

"""The inside of the gateway around any `Ranker`, as `wiring` builds it around the real one."""

from collections.abc import Mapping
from random import Random

from gateway.adapters.memory_store import MemoryStore
from gateway.adapters.memory_values import MemoryValues
from gateway.adapters.system_clock import SystemClock
from gateway.core.life import Life
from gateway.core.routing import Campaign
from gateway.ports import Clock, Events, EventSink, FrameStore, Ranker, ValueStore
from gateway.service.background import Background
from gateway.service.bill import Bill
from gateway.service.events import EventDoor
from gateway.service.fanout import Fans
from gateway.service.fetches import Fetches
from gateway.service.fills import Fills
from gateway.service.flights import Flights
from gateway.service.frames import Frames
from gateway.service.gates import Gates
from gateway.service.metadata import Metadata
from gateway.service.pins import Pins
from gateway.service.recommend import Recommender
from gateway.service.rerank import Reranker
from gateway.service.rounds import Rounds
from gateway.service.service import Service
from gateway.service.turns import Turns

CREDENTIALS_HEALTH: dict[str, object] = {
    "source": "env",
    "state": "valid",
    "usable": True,
    "expiresS": None,
    "ageS": 17.0,
    "refreshes": 1,
    "failures": 0,
    "failingForS": None,
    "lastError": None,
}

VALUES_BYTES_MAX = 64 * 1024 * 1024

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


class ListSink:
    """An `EventSink` that keeps what it was given; `failure`, if set, is raised instead."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.events: list[Events] = []

    async def put(self, events: Events) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.append(events)


def make_service(
    ranker: Ranker,
    *,
    campaigns: Mapping[str, Campaign] | None = None,
    clock: Clock | None = None,
    store: FrameStore | None = None,
    fresh_s: float = 60.0,
    stale_s: float = 300.0,
    settle_s: float = 2.0,
    values: ValueStore | None = None,
    metadata_s: float = 300.0,
    pin_s: float = 300.0,
    not_ready: str | None = None,
    sink: EventSink | None = None,
    credentials: Mapping[str, object] | None = None,
) -> Service:
    """A service with seeded randomness; without `campaigns` one is configured, named `demo`.

    `credentials` are members of their health that differ.
    """
    clock = clock or SystemClock()
    random = Random(17)

    async def ready() -> str | None:
        return not_ready

    background = Background()
    values = values or MemoryValues(clock.now_s, VALUES_BYTES_MAX)
    frames = Frames(store or MemoryStore(clock.now_s), clock, background, random, Life(fresh_s, stale_s, settle_s))
    gates, turns = Gates(clock), Turns()
    bill = Bill()
    fans = Fans(ranker, clock, random, bill)
    rounds = Rounds(fans, gates, clock, random, turns)
    reranker = Reranker(Fills(rounds, frames), frames, clock, turns, bill)
    return Service(
        reranker,
        EventDoor(sink or ListSink(), reranker),
        {"demo": Campaign("demo", ARN)} if campaigns is None else campaigns,
        gates,
        clock,
        Metadata(values, Fetches(fans, gates, clock, turns), background, turns, metadata_s),
        Pins(values, pin_s, turns),
        ready,
        lambda: {"kind": "test"},
        lambda: CREDENTIALS_HEALTH | dict(credentials or {}),
        Recommender(Flights(fans, gates, frames), frames),
    )

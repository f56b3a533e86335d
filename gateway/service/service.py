"""What the doors are given: the use cases, the campaigns that may be called, and whether traffic may come."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.core.log_level import LogLevel
from gateway.core.routing import Campaign
from gateway.ports import Clock, Tracer, Untraced
from gateway.service.events import EventDoor
from gateway.service.gates import Gates
from gateway.service.metadata import Metadata
from gateway.service.pins import Pins
from gateway.service.pulse import Pulse
from gateway.service.recommend import Recommender
from gateway.service.rerank import Reranker
from gateway.service.traffic import Traffic


@dataclass(slots=True)
class Service:
    """The inside of the gateway, as the doors see it.

    `metadata` describes items, `pins` keeps rankings for their later pages. `not_ready` says why no traffic should
    come, or None; `store_health` gives the store's own numbers, `credentials_health` those of what upstream calls are
    signed with; `draining` is set when the process is about to end; `tracer` records what is done for requests. Numbers
    stand on what does the work, those of requests and rankings on `traffic`, the lag of the event loop on `pulse`.
    `log_level` may be changed at run time, `log_dropped` counts lines of the log that were dropped.
    """

    reranker: Reranker
    events: EventDoor
    campaigns: Mapping[str, Campaign]
    gates: Gates
    clock: Clock
    metadata: Metadata
    pins: Pins
    not_ready: Callable[[], Awaitable[str | None]]
    store_health: Callable[[], dict[str, object]]
    credentials_health: Callable[[], dict[str, object]]
    recommender: Recommender
    draining: bool = field(default=False)
    tracer: Tracer = field(default_factory=Untraced)
    log_level: LogLevel = field(default_factory=LogLevel)
    log_dropped: Callable[[], int] = lambda: 0
    traffic: Traffic = field(init=False)
    pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        self.traffic = Traffic(self.campaigns)
        self.pulse = Pulse(self.clock)

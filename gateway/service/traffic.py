"""What came in and what went out, counted where it happens: once a request, and once a ranking.

Numbers since the start, for `/metrics` and whoever else looks. Every key is a bounded name: a registered route, a
status, a reason, a configured campaign (all others are `OTHER`). Adding all of a ranking takes about 4 us.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.core.histogram import SIZES, Histogram
from gateway.service.result import Timing, Usage

OTHER: Final = "(other)"
"""All campaigns that are not configured, in one; no name looks like it."""

STAGES: Final = ("cache", "queue", "upstream", "merge", "encode")
"""Where the time of a ranking goes: waiting for the cache, for permits (the longest wait of a call; part of upstream),
for the campaign; own work until the order stands; own work from then to the answer."""


class Inflight(Protocol):
    """How many rankings are under way, and may be (`web.crowd`)."""

    under_way: int
    refused: int
    cost_s: float

    @property
    def limit(self) -> int:
        """Rankings that may be under way now."""
        ...


@dataclass(slots=True)
class Rankings:
    """The rankings of one campaign; `degraded` counts them by reason, whole ones under the empty word."""

    candidates: int = 0
    cached: int = 0
    unknown: int = 0
    excluded: int = 0
    unranked: int = 0
    bridges: int = 0
    drifts: int = 0
    degraded: Counter[str] = field(default_factory=Counter)

    def add(self, usage: Usage, degraded: str) -> None:
        """Count a ranking."""
        self.candidates += usage.candidates
        self.cached += usage.cached
        self.unknown += usage.unknown
        self.excluded += usage.excluded
        self.unranked += usage.unranked
        self.bridges += usage.bridges
        self.drifts += usage.drifts
        self.degraded[degraded] += 1


class Traffic:
    """All requests and rankings of this process. `campaigns` are the configured names; `inflight` is the data port's
    bound on rankings, as soon as there is a data port."""

    def __init__(self, campaigns: Collection[str] = ()) -> None:
        self.requests: Counter[tuple[str, int, str]] = Counter()
        """By route, status, and why the answer was degraded."""
        self.errors: Counter[str] = Counter()
        """By the slug of the problem that was told."""
        self.durations: dict[str, Histogram] = {}
        """By route: seconds from the arrival of the head to the answer."""
        self.stages = {stage: Histogram() for stage in STAGES}
        self.sizes = Histogram(SIZES)
        self.rankings = {name: Rankings() for name in campaigns or (OTHER,)}
        self.inflight: Inflight | None = None

    def __repr__(self) -> str:
        return f"<Traffic requests={self.requests.total()} rankings={self.sizes.count}>"

    def named(self, campaign: str) -> str:
        """What a campaign is called in labels and logs."""
        return campaign if campaign in self.rankings else OTHER

    def answered(self, route: str, status: int, degraded: str, error: str | None, took_s: float) -> None:
        """Count a request that is over."""
        self.requests[route, status, degraded] += 1
        if error is not None:
            self.errors[error] += 1
        duration = self.durations.get(route)
        if duration is None:
            duration = self.durations[route] = Histogram()
        duration.add(took_s)

    def ranked(self, campaign: str, usage: Usage, timing: Timing, degraded: str) -> None:
        """Count a ranking that is about to be told. Stages that did not take place are not counted."""
        ranking = self.rankings.get(campaign)
        if ranking is None:
            ranking = self.rankings.setdefault(OTHER, Rankings())
        ranking.add(usage, degraded)
        self.sizes.add(usage.candidates)
        stages = self.stages
        if timing.cache_s:
            stages["cache"].add(timing.cache_s)
        if timing.upstream_s:
            stages["queue"].add(timing.queue_s)
            stages["upstream"].add(timing.upstream_s)
        stages["merge"].add(timing.cpu_s)

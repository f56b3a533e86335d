"""The numbers of gates and lanes as values: of one, or of many in one, also of those that are gone.

Only where no campaign is configured can callers make gates, by naming ARNs, and then old ones make room for new ones;
what they counted must not be lost with them, since a counter that falls looks like a restart.
"""

from collections import Counter
from dataclasses import dataclass, field

from gateway.core.histogram import Histogram
from gateway.service.gate import Gate, GateStats
from gateway.service.lane import Lane

OUTCOMES = ("answered", "failed", "throttled", "timed_out", "cancelled")
"""How an attempt may end: by an answer (or a refusal that is the caller's own fault), by a failure, by a throttle, by
the deadline after a long wait, or because another attempt won, its caller left, or the deadline came soon."""


@dataclass(slots=True)
class LaneNumbers:
    """Of the ARNs of one label. The first four are counted since the start, the others are as they stand."""

    outcomes: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    overtaken: int = 0
    took_s: Histogram = field(default_factory=Histogram)
    in_flight: int = 0
    limit: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def add(self, lane: Lane, *, gone: bool = False) -> None:
        """Add an ARN; of one that is gone only what it counted."""
        for outcome in OUTCOMES:
            self.outcomes[outcome] += getattr(lane, outcome)
        self.opened += lane.breaker.opened
        self.overtaken += lane.overtaken
        self.took_s.merge(lane.took_s)
        if not gone:
            self.in_flight += lane.in_flight
            self.limit += lane.limit.now
            self.states[lane.breaker.state] += 1

    def merge(self, other: "LaneNumbers") -> None:
        """Add what others counted that are gone."""
        self.outcomes += other.outcomes
        self.opened += other.opened
        self.overtaken += other.overtaken
        self.took_s.merge(other.took_s)


@dataclass(slots=True)
class GateNumbers:
    """Of the gates of one label. `stats` is counted since the start, the others are as they stand."""

    stats: GateStats = field(default_factory=GateStats)
    waiting: int = 0
    extras_left: int = 0

    def add(self, gate: Gate, *, gone: bool = False) -> None:
        """Add a gate; of one that is gone only what it counted."""
        self.stats.add(gate.stats)
        if not gone:
            self.waiting += gate.waiting
            self.extras_left += gate.extras.left(gate.now_s)


@dataclass(slots=True)
class Gone:
    """What gates counted that had to make room."""

    gates: GateNumbers = field(default_factory=GateNumbers)
    lanes: LaneNumbers = field(default_factory=LaneNumbers)

    def add(self, gate: Gate) -> None:
        """Keep the numbers of a gate that goes."""
        self.gates.add(gate, gone=True)
        for lane in gate.lanes:
            self.lanes.add(lane, gone=True)

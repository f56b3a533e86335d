"""What a scrape sees: the numbers of the service's objects at one moment, grouped by bounded names.

Configured campaigns are seen from the start on, called or not, so that no series begins with its first trouble. Where
none is configured callers name ARNs, and all of them are one: `OTHER`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.histogram import Histogram
from gateway.service.gate import Gate
from gateway.service.gate_numbers import GateNumbers, LaneNumbers
from gateway.service.service import Service
from gateway.service.traffic import OTHER

Labels = tuple[str, ...]
Value = float | Histogram | None
"""None is a number that is not there now: it has no sample."""

Samples = Iterator[tuple[Labels, Value]]

NOBODY = "(anybody)"
"""The tenant of every caller where nobody is asked; no configured name looks like it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a service. Gates are by campaign and variant, lanes by campaign, variant and ARN."""

    service: Service
    gates: dict[Labels, GateNumbers] = field(default_factory=dict)
    lanes: dict[Labels, LaneNumbers] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict)
    store: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, service: Service) -> "Seen":
        """How things stand now."""
        seen = cls(service, credentials=service.credentials_health(), store=service.store_health())
        if service.campaigns:
            for arm in (arm for campaign in service.campaigns.values() for arm in campaign.arms):
                seen._add(service.gates.of(arm), (arm.name, arm.variant))
        else:
            for gate in service.gates:
                seen._add(gate, (OTHER, ""))
            seen._add_gone()
        return seen

    def _add(self, gate: Gate, labels: Labels) -> None:
        self.gates.setdefault(labels, GateNumbers()).add(gate)
        for lane in gate.lanes:
            arn = OTHER if labels[0] == OTHER else lane.arn
            self.lanes.setdefault((*labels, arn), LaneNumbers()).add(lane)

    def _add_gone(self) -> None:
        gone = self.service.gates.gone
        self.gates.setdefault((OTHER, ""), GateNumbers()).stats.add(gone.gates.stats)
        self.lanes.setdefault((OTHER, "", OTHER), LaneNumbers()).merge(gone.lanes)


def one(value: Any) -> Samples:
    """The only sample of a family without labels."""
    yield (), None if value is None else value if isinstance(value, Histogram) else float(value)


def each(values: Mapping[Any, Any]) -> Samples:
    """A sample for every name, or tuple of names."""
    for name, value in values.items():
        yield tuple(map(str, name)) if isinstance(name, tuple) else (str(name),), value


def members(of: object, *names: str) -> Samples:
    """A sample for every one of these numbers of an object, labelled by its name."""
    for name in names:
        yield (name,), getattr(of, name)

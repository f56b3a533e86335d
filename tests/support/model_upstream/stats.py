"""What the endpoint saw, in numbers: attempts by ARN and tenth of a second, calls under way, connections, strays.

An attempt is a *repeat* if the same body came to the same ARN a moment before: a retry or a hedge. So the endpoint can
tell alone by how much an outage was amplified.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

BUCKET_S: Final = 0.1

BUCKETS_MAX: Final = 100_000
"""Nearly three hours; the oldest go first."""

REPEAT_WITHIN_S: Final = 30.0
"""The longest deadline: a body that comes again later was asked for again by a caller."""

BODIES_MAX: Final = 50_000
"""Bodies remembered, as hashes."""

STRAYS_MAX: Final = 1_000


@dataclass(slots=True)
class Tally:
    """One ARN's numbers. `attempts` and `repeats` are by bucket: number of tenths of a second since the start."""

    attempts: Counter[int] = field(default_factory=Counter)
    repeats: Counter[int] = field(default_factory=Counter)
    plays: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    abandoned: int = 0
    in_flight: int = 0
    in_flight_max: int = 0

    @property
    def total(self) -> int:
        """All attempts."""
        return self.attempts.total()

    def begin(self, bucket: int, *, repeat: bool) -> None:
        """An attempt has arrived."""
        self.attempts[bucket] += 1
        self.repeats[bucket] += repeat
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        if len(self.attempts) > BUCKETS_MAX:
            oldest = next(iter(self.attempts))
            del self.attempts[oldest], self.repeats[oldest]

    def amplification(self, width_s: float = 10.0, calls_min: int = 50) -> float:
        """Attempts for each call that was meant, in the worst window of this width that holds `calls_min` calls."""
        worst = 1.0
        for attempts, repeats in _windows(self.attempts, self.repeats, round(width_s / BUCKET_S)):
            if (calls := attempts - repeats) >= calls_min:
                worst = max(worst, attempts / calls)
        return worst


def _windows(attempts: Counter[int], repeats: Counter[int], width: int) -> Iterator[tuple[int, int]]:
    """Sums of both over every whole window of `width` buckets; over everything, if that is shorter."""
    span = range(min(attempts, default=0), max(attempts, default=0) + 1)
    width = min(width, len(span))
    sums = [np.cumsum([0, *(counts[bucket] for bucket in span)]) for counts in (attempts, repeats)]
    yield from zip(*((total[width:] - total[:-width]).tolist() for total in sums), strict=True)


@dataclass(slots=True)
class Stats:
    """All numbers. `strays` are the requests that followed a redirect: the bytes that came to the other origin."""

    arns: dict[str, Tally] = field(default_factory=dict)
    connections: int = 0
    open: int = 0
    open_max: int = 0
    strays: list[bytes] = field(default_factory=list)
    _bodies: OrderedDict[int, float] = field(default_factory=OrderedDict, repr=False)

    def of(self, arn: str) -> Tally:
        """The numbers of an ARN."""
        return self.arns.setdefault(arn, Tally())

    @property
    def attempts(self) -> int:
        """All attempts."""
        return sum(tally.total for tally in self.arns.values())

    @property
    def in_flight(self) -> int:
        """Attempts that have neither been answered nor given up."""
        return sum(tally.in_flight for tally in self.arns.values())

    def begin(self, arn: str, body: bytes, now_s: float) -> Tally:
        """An attempt has arrived, `now_s` seconds after the start."""
        digest = hash((arn, body))
        seen_s = self._bodies.pop(digest, None)
        self._bodies[digest] = now_s
        if len(self._bodies) > BODIES_MAX:
            self._bodies.popitem(last=False)
        tally = self.of(arn)
        tally.begin(int(now_s / BUCKET_S), repeat=seen_s is not None and now_s - seen_s <= REPEAT_WITHIN_S)
        return tally

    def connected(self) -> None:
        """A connection was opened."""
        self.connections += 1
        self.open += 1
        self.open_max = max(self.open_max, self.open)

    def strayed(self, data: bytes) -> None:
        """Something came to where a redirect points."""
        if len(self.strays) < STRAYS_MAX:
            self.strays.append(data)

    def told(self, now_s: float) -> dict[str, Any]:
        """Everything as JSON has it."""
        return {
            "nowS": now_s,
            "bucketS": BUCKET_S,
            "connections": self.connections,
            "open": self.open,
            "openMax": self.open_max,
            "strays": len(self.strays),
            "arns": {
                arn: {
                    "attempts": tally.total,
                    "repeats": tally.repeats.total(),
                    "answered": tally.answered,
                    "abandoned": tally.abandoned,
                    "inFlight": tally.in_flight,
                    "inFlightMax": tally.in_flight_max,
                    "amplificationIn10s": tally.amplification(),
                    "plays": dict(tally.plays),
                    "buckets": sorted(tally.attempts.items()),
                }
                for arn, tally in self.arns.items()
            },
        }

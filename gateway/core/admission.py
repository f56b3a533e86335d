"""Whether a ranking that comes now can still be made in time, told at once instead of at its deadline.

Overload is survived by refusing early: a queue of rankings that will all be late is work for nothing. The estimate is
Little's law over what the campaign does of late: the queue moves at the pace of typical calls, but the last call may be
a long one. (With a typical one there too, half of those just let in were late: simulated, an overload of 3x left 78 %
of the peak's goodput, where this leaves 99 %.) With nothing waiting, everything is let in.
"""

import math
from dataclasses import dataclass
from typing import Final

from gateway.core.latency import Quantiles

WAITING_MAX: Final = 2_000
"""Calls that wait for one campaign: 95 rankings of 10,000 candidates. A bound on memory, not on time."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a campaign is: calls waiting, how many of them go first, calls that may be under way, how long one takes
    (None as long as nobody knows), calls per second."""

    waiting: int
    ahead: int
    limit: int
    takes: Quantiles | None
    tps: float | None

    def expected_s(self, calls: int) -> float:
        """When the last of so many calls, behind those that go first, will have been answered."""
        typical_s, long_s = (self.takes.p50, self.takes.p99) if self.takes is not None else (0.0, 0.0)
        per_call_s = max(typical_s / self.limit, 1.0 / (self.tps or math.inf))
        return (self.ahead + calls) * per_call_s + long_s


def admits(load: Load, calls: int, left_s: float) -> bool:
    """Whether so many calls more may queue up, with this much time left."""
    if not load.waiting:
        return True
    return load.waiting + calls <= WAITING_MAX and load.expected_s(calls) <= left_s

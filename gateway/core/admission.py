"""Whether a ranking that comes now can still be made in time, told at once instead of at its deadline.

Overload is survived by refusing early: a queue of rankings that will all be late is work for nothing. The estimate is
Little's law over what the campaign does of late, and errs on the side of letting in: with nothing waiting, everything
is let in.
"""

import math
from dataclasses import dataclass
from typing import Final

WAITING_MAX: Final = 2_000
"""Calls that wait for one campaign: 95 rankings of 10,000 candidates. A bound on memory, not on time."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a campaign is: calls waiting, how many of them go first, calls that may be under way, typical seconds of
    one, calls per second."""

    waiting: int
    ahead: int
    limit: int
    typical_s: float | None
    tps: float | None

    def expected_s(self, calls: int) -> float:
        """When the last of so many calls, behind those that go first, will have been answered."""
        typical_s = self.typical_s or 0.0
        per_call_s = max(typical_s / self.limit, 1.0 / (self.tps or math.inf))
        return (self.ahead + calls) * per_call_s + typical_s


def admits(load: Load, calls: int, left_s: float) -> bool:
    """Whether so many calls more may queue up, with this much time left."""
    if not load.waiting:
        return True
    return load.waiting + calls <= WAITING_MAX and load.expected_s(calls) <= left_s

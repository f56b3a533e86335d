"""Whether a ranking that comes now can still be made in time, told at once instead of at its deadline.

Overload is survived by refusing early: a queue of rankings that will all be late is work for nothing. The estimate is
Little's law over what the campaign does of late, and errs on the side of letting in: with nothing waiting, everything
is let in.
"""

from dataclasses import dataclass
from typing import Final

WAITING_MAX: Final = 2_000
"""Calls that wait for one campaign: 95 rankings of 10,000 candidates. A bound on memory, not on time."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a campaign is: calls waiting, calls that may be under way, typical seconds of one, calls per second."""

    waiting: int
    limit: int
    typical_s: float | None
    tps: float | None

    def expected_s(self, calls: int) -> float:
        """When the last of so many calls, behind all that wait, will have been answered."""
        if self.typical_s is None:
            return 0.0
        per_s = self.limit / self.typical_s
        if self.tps is not None:
            per_s = min(per_s, self.tps)
        return (self.waiting + calls) / per_s + self.typical_s


def admits(load: Load, calls: int, left_s: float) -> bool:
    """Whether so many calls more may queue up, with this much time left."""
    if not load.waiting:
        return True
    return load.waiting + calls <= WAITING_MAX and load.expected_s(calls) <= left_s

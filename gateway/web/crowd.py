"""How many rankings may be under way: at most what is configured, and no more than one core can answer in time.

A process that takes in more work than its core can do answers everybody late. Nobody tells it how much that is, since a
ranking may cost 1 ms or 100; so it measures what one has cost of late (CPU time of the process for each that ended) and
takes in no more than can be computed in a part of the time that requests are given. What is beyond that is refused at
once, before its body is read: a refusal costs a hundredth of a ranking.
"""

import time
from collections.abc import Callable
from typing import Final

DEADLINE_SHARE: Final = 0.3
"""The rest is for the calls upstream, and for a core that is shared with others."""

LEAST: Final = 4
"""Fewer than this would leave the core idle while calls are out."""

MEMORY: Final = 32
"""Rankings that the average looks back on."""


class Crowd:
    """The rankings under way in this process: at most `most`, given `deadline_s` each."""

    def __init__(self, most: int, deadline_s: float, cpu_s: Callable[[], float] = time.process_time) -> None:
        self.under_way = 0
        self.refused = 0
        self.cost_s = 0.0
        self._most = most
        self._deadline_s = deadline_s
        self._cpu_s = cpu_s
        self._spent_s = cpu_s()

    def __repr__(self) -> str:
        return f"<Crowd {self.under_way}/{self.limit} cost={1e3 * self.cost_s:.1f} ms refused={self.refused}>"

    @property
    def limit(self) -> int:
        """Rankings that may be under way now."""
        if self.cost_s <= 0.0:
            return self._most
        return min(self._most, max(LEAST, int(DEADLINE_SHARE * self._deadline_s / self.cost_s)))

    def begin(self) -> None:
        """One more ranking is under way."""
        if not self.under_way:
            self._spent_s = self._cpu_s()  # what was spent in between was not for rankings
        self.under_way += 1

    def end(self) -> None:
        """A ranking is over; what was spent since the last one was is the cost of one."""
        self.under_way -= 1
        spent_s = self._cpu_s()
        self.cost_s += (spent_s - self._spent_s - self.cost_s) / MEMORY
        self._spent_s = spent_s

"""How many rankings may be under way: at most what is configured, and no more than one core can answer in time.

A process that takes in more work than its core can do answers everybody late. Nobody tells it how much that is, since a
ranking may cost 1 ms or 100; so it measures what one has cost of late (CPU time of the process for each that ended) and
takes in what can be computed in a part of the time that requests are given. What is beyond that is refused at once,
before its body is read: a refusal costs 0.4 ms.

A burst may fill half of that time: its end is in sight. Where it has been crowded for a second there is no end in
sight, and a long queue only makes everybody wait; then the part is smaller (measured at three times the load that can
be carried: whole answers after 150 ms instead of 300, refusals after 9 ms instead of 12, and none of the throughput
lost).
"""

import time
from collections.abc import Callable
from typing import Final

BURST_SHARE: Final = 0.5
STANDING_SHARE: Final = 0.15
"""Parts of the deadline that may be filled with work."""

STANDING_S: Final = 1.0
"""It is no burst any more when it has been crowded for so long."""

LEAST: Final = 4
"""Fewer than this would leave the core idle while calls are out."""

MEMORY: Final = 32
"""Rankings that the average looks back on."""


class Crowd:
    """The rankings under way in this process: at most `most`, given `deadline_s` each."""

    def __init__(
        self,
        most: int,
        deadline_s: float,
        cpu_s: Callable[[], float] = time.process_time,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.under_way = 0
        self.refused = 0
        self.cost_s = 0.0
        self._most = most
        self._least = min(LEAST, most)  # there is always room for so many
        self._deadline_s = deadline_s
        self._cpu_s = cpu_s
        self._now_s = now_s
        self._spent_s = cpu_s()
        self._crowded_since_s: float | None = None

    def __repr__(self) -> str:
        return f"<Crowd {self.under_way}/{self.limit} cost={1e3 * self.cost_s:.1f} ms refused={self.refused}>"

    @property
    def limit(self) -> int:
        """Rankings that may be under way now."""
        since_s = self._crowded_since_s
        standing = since_s is not None and self._now_s() - since_s >= STANDING_S
        return self._room(STANDING_SHARE if standing else BURST_SHARE)

    def begin(self) -> None:
        """One more ranking is under way."""
        if not self.under_way:
            self._spent_s = self._cpu_s()  # what was spent in between was not for rankings
        self.under_way += 1
        if self.under_way < self._least or self._crowded_since_s is not None:
            return
        if self.under_way >= self._room(STANDING_SHARE):
            self._crowded_since_s = self._now_s()

    def end(self) -> None:
        """A ranking is over; what was spent since the last one was is the cost of one."""
        self.under_way -= 1
        spent_s = self._cpu_s()
        self.cost_s += (spent_s - self._spent_s - self.cost_s) / MEMORY
        self._spent_s = spent_s
        if self._crowded_since_s is not None and 2 * self.under_way < self._room(STANDING_SHARE):
            self._crowded_since_s = None

    def _room(self, share: float) -> int:
        if self.cost_s <= 0.0:
            return self._most
        return min(self._most, max(LEAST, int(share * self._deadline_s / self.cost_s)))

"""How many rankings may be under way: at most what is configured, and fewer while the event loop falls behind.

A process that takes in more work than its core can do answers everybody late. What tells that is the loop's own lag:
a timer that is due every `TICK_S` and comes late. So the limit of rankings under way shrinks by a third when it comes
more than `LAG_MAX_S` late, and grows with every ranking done while it is used, by the arithmetic that also bounds calls
upstream. What is beyond the limit is refused at once, before its body is read: a refusal costs a hundredth of a
ranking.
"""

import asyncio
from typing import Final

from gateway.core.concurrency import ConcurrencyLimit
from gateway.core.errors import Overloaded
from gateway.ports import Clock

TICK_S: Final = 0.010

LAG_MAX_S: Final = 0.020
"""Longer than a ranking of 10,000 holds the loop at a stretch, so it takes several at once to get there."""

LEAST: Final = 4
"""Fewer than this would leave the core idle while calls are out."""


class Crowd:
    """The rankings under way in this process."""

    def __init__(self, most: int, clock: Clock) -> None:
        self.under_way = 0
        self.refused = 0
        self.lag_s = 0.0
        self.limit = ConcurrencyLimit(LEAST, most)
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Crowd {self.under_way}/{self.limit.now} lag={1e3 * self.lag_s:.1f} ms refused={self.refused}>"

    def enter(self) -> None:
        """One more ranking; raises `Overloaded` if there is no room for it."""
        if self.under_way >= self.limit.now:
            self.refused += 1
            raise Overloaded("as many requests are under way as can be answered in time")
        self.under_way += 1
        if self._timer is None:
            self._wind(self._clock.stopwatch_s())

    def leave(self) -> None:
        """A ranking is over."""
        self.limit.good(self.under_way)
        self.under_way -= 1

    def _wind(self, now_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick, now_s + TICK_S)

    def _tick(self, due_s: float) -> None:
        """Look how late it is; the clock stands while there is nothing to do."""
        now_s = self._clock.stopwatch_s()
        self.lag_s = max(0.0, now_s - due_s)
        if self.lag_s > LAG_MAX_S:
            self.limit.push_back(now_s)
        self._timer = None
        if self.under_way:
            self._wind(now_s)

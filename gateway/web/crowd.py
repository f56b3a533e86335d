"""How many rankings may be under way: at most what is configured, and fewer while the event loop falls behind.

A process that takes in more work than its core can do answers everybody late. What tells that is the loop's own lag:
a timer that is due every `TICK_S` and comes late. So the limit of rankings under way shrinks by a third when it comes
more than `LAG_MAX_S` late, and grows with every ranking done while it is used, by the arithmetic that also bounds calls
upstream. What is beyond the limit is refused at once, before its body is read: a refusal costs a hundredth of a
ranking.
"""

import asyncio
from collections.abc import AsyncIterator
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

    def __repr__(self) -> str:
        return f"<Crowd {self.under_way}/{self.limit.now} lag={1e3 * self.lag_s:.1f} ms refused={self.refused}>"

    def enter(self) -> None:
        """One more ranking; raises `Overloaded` if there is no room for it."""
        if self.under_way >= self.limit.now:
            self.refused += 1
            raise Overloaded("as many requests are under way as can be answered in time")
        self.under_way += 1

    def leave(self) -> None:
        """A ranking is over."""
        self.limit.good(self.under_way)
        self.under_way -= 1

    async def watch(self, _: object) -> AsyncIterator[None]:
        """Watch the loop's lag as long as the application runs."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(TICK_S, lambda: None)

        def tick(due_s: float) -> None:
            nonlocal timer
            now_s = self._clock.stopwatch_s()
            self.lag_s = max(0.0, now_s - due_s)
            if self.lag_s > LAG_MAX_S:
                self.limit.push_back(now_s)
            timer = loop.call_later(TICK_S, tick, now_s + TICK_S)

        tick(self._clock.stopwatch_s())
        yield
        timer.cancel()

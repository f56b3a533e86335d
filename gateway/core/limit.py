"""A ceiling on calls per second, as pure arithmetic on times (a generic cell rate algorithm).

Calls are spaced evenly on average; up to `BURST_S` worth of them may go at once, since a fan-out is a burst by nature
and the service counts per second.
"""

import math
from dataclasses import dataclass
from typing import Final

BURST_S: Final = 1.0
"""Personalize counts requests per second: one second's worth may go at once."""


@dataclass(slots=True)
class RateCeiling:
    """At most `per_s` calls in a second, on average; times are seconds of one monotonic clock."""

    per_s: float
    full_at_s: float = -math.inf

    def wait_s(self, now_s: float) -> float:
        """How long the next call has to wait (0 for not at all)."""
        return max(0.0, self._next_s(now_s) - now_s)

    def take(self, now_s: float) -> float:
        """Book one call; returns how long it has to wait (0 for not at all)."""
        self.full_at_s = self._next_s(now_s)
        return max(0.0, self.full_at_s - now_s)

    def _next_s(self, now_s: float) -> float:
        burst_s = max(BURST_S, 1.0 / self.per_s)  # one call at least
        return max(self.full_at_s, now_s - burst_s) + 1.0 / self.per_s

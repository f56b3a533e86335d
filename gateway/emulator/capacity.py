"""Throttling as a campaign does it: a floor of calls per second, and capacity that follows the demand slowly.

    tokens    refill at the capacity, at most one second of it: a burst above that is refused
    demand    calls of about the last second, refused ones too
    capacity  doubles every `scale_up_s` while the demand is above 70 % of it, halves as fast while it is below,
              never under the floor

Time is an argument.
"""

import math
from typing import Final

USED_SHARE: Final = 0.7  # what the service aims at, by its older documentation
DEMAND_S: Final = 1.0
BURST_S: Final = 1.0
DOUBLINGS_MAX: Final = 1000.0  # 2 to this power is still a float


class Capacity:
    """Admits or refuses one call after the other."""

    def __init__(self, floor_tps: float, scale_up_s: float) -> None:
        self._floor_tps = floor_tps
        self._scale_up_s = scale_up_s
        self._tps = floor_tps
        self._tokens = max(1.0, floor_tps * BURST_S)
        self._demand = 0.0
        self._at: float | None = None

    def __repr__(self) -> str:
        return f"Capacity(floor={self._floor_tps:g}, now={self._tps:.3g}, demand={self._demand:.3g})"

    def admit(self, now: float) -> bool:
        """Whether a call that arrives now is taken."""
        passed_s = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._demand *= math.exp(-passed_s / DEMAND_S)
        doublings = min(passed_s / self._scale_up_s, DOUBLINGS_MAX)
        if self._demand > USED_SHARE * self._tps:
            self._tps *= 2.0 ** min(doublings, 1.0)  # one call after a pause says nothing of the pause
        else:
            self._tps = max(self._floor_tps, self._tps * 2.0**-doublings)
        self._demand += 1.0 / DEMAND_S
        self._tokens = min(self._tokens + passed_s * self._tps, max(1.0, self._tps * BURST_S))
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

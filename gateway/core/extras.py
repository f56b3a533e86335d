"""How many attempts beyond the first a campaign may see: one budget for retries and hedges, as pure arithmetic.

Retries and hedges help while few attempts are bad, and make an outage worse. So both draw on one budget: at most
a share of the calls of the last `WINDOW_S` seconds, counted in slots. A slot is counted as *calls* only while all
of it is within the window and as *extras* as long as any of it is, so that no window, wherever it begins, sees more.
"""

import math
from collections import deque
from typing import Final

EXTRA_SHARE: Final = 0.10
"""The share by default: an outage is amplified at most 1.1 times."""

WINDOW_S: Final = 10.0
SLOT_S: Final = 0.5

LONE_EXTRA: Final = 1
"""Where there are hardly any calls, one of them may be tried again all the same."""


class ExtraBudget:
    """Counts the calls and the extra attempts of one campaign; times are seconds of one monotonic clock.

    Extras are at most `share` of the calls; with 0 there are none.
    """

    def __init__(self, share: float = EXTRA_SHARE) -> None:
        self._share = share
        self._slots: deque[list[int]] = deque()  # [slot number, calls, extras], oldest first
        self._extras = 0

    def __repr__(self) -> str:
        calls = sum(calls for _, calls, _ in self._slots)
        return f"<ExtraBudget calls={calls} extras={self._extras}>"

    def call(self, now_s: float) -> None:
        """Count a call: the first attempt of one, which is never refused."""
        self._slot(now_s)[1] += 1

    def take(self, now_s: float) -> bool:
        """Count an extra attempt, if one may be made now."""
        slot = self._slot(now_s)
        if self.left(now_s) < 1:
            return False
        slot[2] += 1
        self._extras += 1
        return True

    def left(self, now_s: float) -> int:
        """How many extra attempts may be made now."""
        self._slot(now_s)
        lone = LONE_EXTRA if self._share else 0
        return max(0, max(lone, math.floor(self._share * self._calls(now_s))) - self._extras)

    def rate(self, now_s: float) -> float:
        """Attempts per second of late."""
        self._slot(now_s)
        return (self._calls(now_s) + self._extras) / WINDOW_S

    def _calls(self, now_s: float) -> int:
        whole_from = math.ceil((now_s - WINDOW_S) / SLOT_S)
        return sum(calls for number, calls, _ in self._slots if number >= whole_from)

    def _slot(self, now_s: float) -> list[int]:
        """The slot of this moment; slots that have left the window altogether are forgotten."""
        number = math.floor(now_s / SLOT_S)
        while self._slots and (self._slots[0][0] + 1) * SLOT_S <= now_s - WINDOW_S:
            self._extras -= self._slots.popleft()[2]
        if not self._slots or self._slots[-1][0] < number:
            self._slots.append([number, 0, 0])
        return self._slots[-1]

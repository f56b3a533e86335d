"""How many calls an ARN may have under way: additive increase, multiplicative decrease, as pure arithmetic.

A campaign says that it has enough by throttling and by not answering in time; nobody tells its true limit. So the limit
shrinks by a third when it pushes back, once for all calls that were under way together, and grows by one for every
round of good answers while it is in use.
"""

import math
from typing import Final

SHRINK: Final = 0.7
"""What is left of the limit after a push-back."""

COOL_S: Final = 0.1
"""Push-backs this close together are one: the calls of one fan-out hear the same thing."""

IN_USE: Final = 0.5
"""Share of the limit that must be in use for a good answer to say something about it."""


class ConcurrencyLimit:
    """The limit of one ARN, within `[least, most]`; it begins at the most."""

    def __init__(self, least: int, most: int) -> None:
        self.least = min(least, most)
        self.most = most
        self._limit = float(most)
        self._cool_until_s = -math.inf

    def __repr__(self) -> str:
        return f"<ConcurrencyLimit {self.now} of {self.least}..{self.most}>"

    @property
    def now(self) -> int:
        """Calls that may be under way."""
        return int(self._limit)

    def good(self, in_flight: int) -> None:
        """An answer came, while so many calls (itself among them) were under way."""
        if in_flight >= IN_USE * self._limit:
            self._limit = min(float(self.most), self._limit + 1.0 / self._limit)

    def push_back(self, now_s: float) -> bool:
        """The campaign refused a call for its rate, or did not answer in time; whether that shrank the limit."""
        if now_s < self._cool_until_s:
            return False
        self._cool_until_s = now_s + COOL_S
        self._limit = max(float(self.least), self._limit * SHRINK)
        return True

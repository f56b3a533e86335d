"""When to ask the source of credentials again, decided by arithmetic on times.

- Ahead of their end: 15 minutes before, as the SDKs do, or at half of what is left if that is less.
- After a failure: full jitter over a doubling span, from 1 s up to 60 s; the nearer the end, the denser, and every few
  seconds once there is nothing to sign with. A fleet that lost the same source does not come back in step.
- By the monotonic clock, so that a wall clock that was set back cannot put a retry off by days; by the wall clock too,
  so that one that was set ahead (a machine that slept) cannot let credentials run out unseen.
- When upstream has refused them: at once, but not more often than every few seconds. A wrong key is no storm.
"""

import math
from enum import StrEnum
from typing import Final

WINDOW_S: Final = 900.0
"""The SDKs' advisory window. Sources that hand out what they keep (the metadata services) have newer ones by then."""

WINDOW_SHARE: Final = 0.5
"""Of short validities: as much time for retries as there was rest before."""

SPREAD: Final = 0.1
"""Renewals come up to a tenth of their wait earlier, so that pods that started together do not ask together."""

RETRY_MIN_S: Final = 1.0
RETRY_MAX_S: Final = 60.0
"""Between these two lies every wait after a failure."""

LOOK_MAX_S: Final = 5.0
"""The longest wait while there is nothing to sign with: every call fails, and credentials may come late."""

END_SHARE: Final = 0.25
"""No wait after a failure is longer than this share of what is left: at least four tries fit into any rest."""

FORCED_EVERY_S: Final = 5.0
"""Refusals by upstream cause at most one question to the source in this time."""


class State(StrEnum):
    """How credentials stand."""

    NONE = "none"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


def window_s(left_s: float) -> float:
    """How long before their end credentials are to be renewed that have `left_s` seconds to go (infinity: no end)."""
    return min(WINDOW_S, WINDOW_SHARE * left_s)


def state_of(left_s: float | None, window_s: float) -> State:
    """The state of credentials that have `left_s` seconds to go and were to be renewed `window_s` before their end."""
    if left_s is None:
        return State.NONE
    if left_s <= 0.0:
        return State.EXPIRED
    return State.EXPIRING if left_s < window_s else State.VALID


def renew_in_s(left_s: float, reread_s: float, chance: float) -> float:
    """Seconds until the next question after a good answer.

    `reread_s` is how often the source is to be read in any case (infinity: never); `chance` in [0, 1) spreads.
    """
    wait_s = min(reread_s, left_s - window_s(left_s))
    return max(RETRY_MIN_S, wait_s * (1.0 - SPREAD * chance))


def retry_in_s(failures: int, left_s: float, chance: float) -> float:
    """Seconds until the next question after so many failures in a row; `left_s` is 0 if there is nothing to use."""
    longest_s = min(RETRY_MAX_S, max(LOOK_MAX_S, END_SHARE * left_s))
    span_s = RETRY_MIN_S * 2.0 ** min(failures, 10)  # far beyond the longest, and no overflow
    return RETRY_MIN_S + chance * (min(longest_s, span_s) - RETRY_MIN_S)


class Renewal:
    """When the next question is due. `now_s` is a monotonic clock's time, `wall_s` the wall clock's."""

    def __init__(self) -> None:
        self.failures_in_row = 0
        self._due_s = -math.inf
        self._due_wall_s = math.inf
        self._forced_s = -math.inf

    def __repr__(self) -> str:
        return f"<Renewal due_s={self._due_s:.1f} failures_in_row={self.failures_in_row}>"

    def wait_s(self, now_s: float, wall_s: float) -> float:
        """Seconds until the source is to be asked; 0 or less: now."""
        return min(self._due_s - now_s, self._due_wall_s - wall_s)

    def succeeded(self, now_s: float, wall_s: float, left_s: float, reread_s: float, chance: float) -> None:
        """The source gave credentials that can be used."""
        wait_s = renew_in_s(left_s, reread_s, chance)
        self.failures_in_row = 0
        self._due_s = now_s + wait_s
        self._due_wall_s = wall_s + wait_s

    def failed(self, now_s: float, left_s: float, chance: float) -> None:
        """The source gave nothing of use; those in use have `left_s` to go."""
        self.failures_in_row += 1
        self._due_s = now_s + retry_in_s(self.failures_in_row, left_s, chance)
        self._due_wall_s = math.inf

    def force(self, now_s: float) -> bool:
        """Upstream has refused: whether to ask now; if so, not again for a while."""
        if now_s - self._forced_s < FORCED_EVERY_S:
            return False
        self._forced_s = now_s
        return True

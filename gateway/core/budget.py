"""How the time of one request is spent. The deadline is absolute and made once, at the door; everything fits into it.

Times are seconds of one monotonic clock, and always arguments: nothing here looks at a clock.
"""

from typing import Final

from gateway.core.values import dataclass

OWN_WORK_S: Final = 0.002
"""Kept back for merging and encoding, whatever the size."""

OWN_WORK_PER_CANDIDATE_S: Final = 1.5e-6
"""... and for every candidate (measured: 0.9 us to calibrate, order and encode one; half as much again for noise)."""

OWN_WORK_SHARE_MAX: Final = 0.25
"""A short deadline keeps back at most this share of itself."""

BACKOFF_BASE_S: Final = 0.020
"""Full jitter up to this before the first retry, doubled for every further one."""

ATTEMPT_MIN_S: Final = 0.005
"""No attempt is begun with less time than this left: it would be billed and thrown away."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One request's time: it began at `started_s`, and must be answered at `deadline_s`."""

    started_s: float
    deadline_s: float
    own_work_s: float

    @classmethod
    def of(cls, started_s: float, duration_s: float, candidates: int) -> "Budget":
        """The budget of a request of this many candidates that may take `duration_s`."""
        own_work_s = min(OWN_WORK_S + OWN_WORK_PER_CANDIDATE_S * candidates, OWN_WORK_SHARE_MAX * duration_s)
        return cls(started_s, started_s + duration_s, own_work_s)

    @property
    def calls_until_s(self) -> float:
        """When the last call must have answered, so that there is time left to make the answer."""
        return self.deadline_s - self.own_work_s

    def allows_attempt(self, now_s: float, wait_s: float = 0.0) -> bool:
        """Whether an attempt that begins after `wait_s` still has a chance."""
        return now_s + wait_s + ATTEMPT_MIN_S <= self.calls_until_s


def backoff_s(retry: int, chance: float) -> float:
    """The wait before retry number `retry` (from 1), full jitter: `chance` is uniform in [0, 1)."""
    return BACKOFF_BASE_S * 2.0 ** (retry - 1) * chance

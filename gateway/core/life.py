"""The life of a frame: epochs, which kill it at once, and stages, which let it age. Times are wall seconds.

An epoch is a number that no other event of the user had: the time of the event and random bits. (A counter would begin
anew when its entry expires, and could bring a frame of long ago back to life.) A frame answers only under the epoch
that it was learnt in.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

RANDOM_BITS: Final = 20
"""With the milliseconds of this century (41 bits) an epoch stays below 2^63."""

EARLY_SHARE: Final = 0.2
"""A frame may be refreshed in the last fifth of its fresh time: a busy user's frame is renewed before anybody waits."""


def new_epoch(wall_s: float, random_bits: int) -> int:
    """The epoch that an event at this time begins."""
    return round(1e3 * wall_s) << RANDOM_BITS | random_bits & (1 << RANDOM_BITS) - 1


def began_s(epoch: int) -> float:
    """When an epoch began; 0 for the one before any event."""
    return (epoch >> RANDOM_BITS) / 1e3


class Stage(Enum):
    """What a frame may still be used for."""

    FRESH = "answers"
    DUE = "answers, and is refreshed in the background"
    STALE = "answers at once, flagged, and is refreshed in the background"
    RESERVE = "answers only if upstream fails, flagged"
    DEAD = "is not used"


@dataclass(frozen=True, slots=True)
class Life:
    """How long frames live. A frame that was filled within `settle_s` after an event answers for `settle_s` alone:
    upstream may not have taken the event in yet."""

    fresh_s: float
    stale_s: float
    settle_s: float

    @property
    def kept_s(self) -> float:
        """How long a store has to keep a frame, and the epochs that guard it."""
        return self.fresh_s + self.stale_s

    def stage(self, *, created_s: float, epoch: int, now_s: float, chance: float) -> Stage:
        """The stage of a frame whose oldest score is of `created_s`; `chance` in [0, 1) jitters early refreshes."""
        age_s = now_s - created_s
        if not 0.0 <= age_s < self.kept_s:  # one from the future was stored by a wrong clock: its age cannot be known
            return Stage.DEAD
        if epoch and created_s - began_s(epoch) < self.settle_s:
            return Stage.FRESH if age_s < self.settle_s else Stage.RESERVE
        if age_s < self.fresh_s * (1.0 - EARLY_SHARE * chance):
            return Stage.FRESH
        return Stage.DUE if age_s < self.fresh_s else Stage.STALE

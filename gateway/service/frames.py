"""Frames by subject: what is fresh, what is only stale, and what may be kept.

Time to live counts from the oldest score of a frame, so adding items does not prolong it. A fresh frame answers; a
stale one is only better than an error. Frames are stored in the background: no caller waits for a cache.
"""

from dataclasses import dataclass, field

import numpy as np

from gateway.core.frame import ITEMS_MAX, Frame
from gateway.core.keys import frame_key
from gateway.core.model import Ints, Subject
from gateway.ports import Clock, FrameStore
from gateway.service.background import Background


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up gave: at most one of a fresh and a stale frame."""

    fresh: Frame | None = None
    stale: Frame | None = None


@dataclass(slots=True)
class FrameStats:
    """Look-ups and stores since the start; rendered elsewhere."""

    fresh: int = 0
    stale: int = 0
    missed: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of all subjects. `fresh_s` and then `stale_s` seconds make a frame's life."""

    store: FrameStore
    clock: Clock
    background: Background
    fresh_s: float
    stale_s: float
    stats: FrameStats = field(default_factory=FrameStats)

    async def look_up(self, subject: Subject) -> Found:
        """The subject's frame, as far as it may still be used."""
        frame = await self.store.load(frame_key(subject))
        if frame is None:
            self.stats.missed += 1
            return Found()
        age_s = self.clock.wall_s() - frame.created_s
        # A frame from the future was stored by a wrong clock: its age cannot be known.
        if 0.0 <= age_s < self.fresh_s:
            self.stats.fresh += 1
            return Found(fresh=frame)
        if 0.0 <= age_s < self.fresh_s + self.stale_s:
            self.stats.stale += 1
            return Found(stale=frame)
        self.stats.missed += 1
        return Found()

    def keep(self, subject: Subject, frame: Frame, rows: Ints) -> None:
        """Store the frame; one that has grown beyond its limit starts anew from `rows`, those of this request."""
        if len(frame) > ITEMS_MAX:
            frame = frame.only(np.unique(rows[rows >= 0]))
        self.stats.stored += 1
        self.background.start(self.store.save(frame_key(subject), frame, self.fresh_s + self.stale_s))

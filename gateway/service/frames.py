"""Frames by subject: what is known, how far it may be used, what is kept, and what an event kills.

Time to live counts from the oldest score of a frame, so adding items does not prolong it (`core.life` has the stages).
A frame is kept under the epoch that it was looked up in: if an event comes while it is being filled, it is dead on
arrival. Frames are stored in the background: no caller waits for a cache.
"""

from collections.abc import Callable
from dataclasses import field
from random import Random

import numpy as np

from gateway.core.frame import ITEMS_MAX, Frame
from gateway.core.keys import FrameKey, frame_key, user_key
from gateway.core.life import RANDOM_BITS, Life, Stage, new_epoch
from gateway.core.model import Subject
from gateway.core.values import dataclass
from gateway.ports import TRACE, Clock, FrameStore
from gateway.service.background import Background


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up gave. `epoch` is None when the store could not be asked: nothing may be kept then."""

    key: FrameKey
    epoch: int | None
    frame: Frame | None
    stage: Stage

    @property
    def fresh(self) -> Frame | None:
        """The frame, if it may answer without a flag."""
        return self.frame if self.stage in (Stage.FRESH, Stage.DUE) else None


@dataclass(slots=True)
class FrameStats:
    """Look-ups by what they were worth, and what became of frames; rendered elsewhere."""

    hits: int = 0
    partial_hits: int = 0
    misses: int = 0
    stale: int = 0
    drifts: int = 0
    refreshes: int = 0
    joined: int = 0
    stored: int = 0
    bumps: int = 0
    bumps_lost: int = 0


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of all subjects. `listeners` are told the key of every user whose frames were killed."""

    store: FrameStore
    clock: Clock
    background: Background
    random: Random
    life: Life
    stats: FrameStats = field(default_factory=FrameStats)
    listeners: list[Callable[[str], None]] = field(default_factory=list)

    async def look_up(self, subject: Subject, *more: str) -> Found:
        """The subject's frame, as far as it may still be used; `more` is what else it is kept for."""
        key = frame_key(subject, *more)
        with TRACE.get().step("frame load") as step:
            kept = await self.store.load(key)
            step.note("rerank.frame.items", 0 if kept.frame is None else len(kept.frame))
        if kept.frame is None or kept.epoch is None:
            return Found(key, kept.epoch, None, Stage.DEAD)
        stage = self.life.stage(
            created_s=kept.frame.created_s,
            epoch=kept.epoch,
            now_s=self.clock.wall_s(),
            chance=self.random.random(),
        )
        return Found(key, kept.epoch, None if stage is Stage.DEAD else kept.frame, stage)

    def keep(self, key: FrameKey, frame: Frame, epoch: int, asked: list[str]) -> None:
        """Store the frame under an epoch; one that has outgrown its limit starts anew from the items just `asked`."""
        if len(frame) > ITEMS_MAX:
            rows = frame.rows(asked)
            frame = frame.only(np.unique(rows[rows >= 0]))
        self.stats.stored += 1
        self.background.start(self._save(key, frame, epoch))

    async def _save(self, key: FrameKey, frame: Frame, epoch: int) -> None:
        with TRACE.get().step("frame save") as step:
            frame = frame.packed(epoch)  # its caller's list is not held until the store has answered
            step.note("rerank.frame.items", len(frame))
            await self.store.save(key, frame, self.life.kept_s)

    async def bump(self, tenant: str, user_id: str) -> bool:
        """Kill all frames of the user at once; False if that could not be stored."""
        epoch = new_epoch(self.clock.wall_s(), self.random.getrandbits(RANDOM_BITS))
        user = user_key(tenant, user_id)
        stored = await self.store.bump(user, epoch, self.life.kept_s)
        for listener in self.listeners:
            listener(user)
        self.stats.bumps += 1
        self.stats.bumps_lost += not stored
        return stored

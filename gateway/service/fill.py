"""What goes on for one frame: the values and the pure decisions of `fills`, where nothing waits."""

import asyncio
from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from gateway.core.budget import Budget
from gateway.core.frame import Frame
from gateway.core.keys import FrameKey
from gateway.core.life import began_s
from gateway.core.model import Grade, Ints, every, filled, places_of, some, taken
from gateway.core.resolution import resolvable
from gateway.core.values import dataclass
from gateway.service.result import Cost, Played, Round


@dataclass(slots=True, eq=False)
class Batch:
    """Items that are asked for together, in the order of `wanted`; `candidates` is the list of the caller that began
    it, often the very same list.

    `round` is what came of it, `merged` whether that is part of the fill's frame.
    """

    wanted: list[str]
    candidates: list[str]
    budget: Budget
    cost: Cost
    task: asyncio.Task[None] | None = None
    riders: int = 0
    round: Round | Played | None = None
    merged: bool = False
    _index: dict[str, None] = field(default_factory=dict, repr=False)

    def __contains__(self, item: str) -> bool:
        return item in self._indexed()

    def _indexed(self) -> dict[str, None]:
        """The items as a set in their order; made on first use, since a caller that is alone never needs it."""
        if len(self._index) != len(self.wanted):
            self._index = dict.fromkeys(self.wanted)
        return self._index

    def holds(self, candidates: list[str]) -> NDArray[np.bool_]:
        """Which of the candidates it asks for."""
        return np.fromiter(map(self._indexed().__contains__, candidates), dtype=np.bool_, count=len(candidates))

    def add(self, items: Sequence[str], budget: Budget) -> None:
        """Take more items along, and the time of a caller that has more of it."""
        self._indexed().update(dict.fromkeys(items))
        self.wanted = list(self._index)
        if budget.calls_until_s > self.budget.calls_until_s:
            self.budget = budget


@dataclass(slots=True, eq=False)
class Fill:
    """What goes on for one frame: what is known, and what is under way.

    It `began_s` at a wall time. `epoch` is None as long as no caller knows it, since the store could not be asked.
    `sound` turns False for good when a scale is uncertain; with `whole_only` nothing is kept that is not complete.
    """

    key: FrameKey
    epoch: int | None
    frame: Frame | None
    began_s: float
    whole_only: bool = False
    callers: int = 0
    batches: list[Batch] = field(default_factory=list)
    gathering: Batch | None = None
    sound: bool = True
    drifted: bool = False

    def is_of(self, epoch: int | None) -> bool:
        """Whether it asks upstream under this epoch; one that began after the epoch did, unknowing, learns it now."""
        if self.epoch is None and epoch is not None and began_s(epoch) < self.began_s:
            self.epoch = epoch
        return epoch is None or epoch == self.epoch

    @property
    def has_scale(self) -> bool:
        """Whether new calls can be joined to what is known."""
        return self.frame is not None and some(self.frame.grade <= Grade.FAINT)

    def rows(self, candidates: list[str]) -> Ints:
        """Where candidates stand in the frame, -1 for nowhere."""
        if self.frame is None:
            return filled(len(candidates), -1, np.intp)
        return self.frame.rows(candidates)

    def drop(self, batch: Batch) -> None:
        """Let nobody ride on a batch any more: it is over, or about to be cancelled."""
        if batch in self.batches:
            self.batches.remove(batch)
        if self.gathering is batch:
            self.gathering = None

    def take(self, batch: Batch, base: Frame | None, made: Round | Played) -> None:
        """Merge what a batch learnt, unless the scale that it was learnt on has gone in the meantime."""
        batch.round = made
        same = self.frame is base or (
            self.frame is not None and base is not None and self.frame.scale_id == base.scale_id
        )
        if not same:
            return
        batch.merged = True
        self.sound = self.sound and made.sound
        self.drifted = self.drifted or made.drifted
        if made.drifted or self.frame is None:
            self.frame = made.learnt
        else:
            self.frame = self.frame.extended(made.learnt)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a caller ends with. `cached` tells, of every candidate, whether it was known before the caller came."""

    frame: Frame | None
    rows: Ints
    cached: NDArray[np.bool_]
    rounds: list[Round | Played]
    sound: bool
    in_time: bool


class Asked:
    """What a caller has asked for: every item once as missing, and once more if its list could resolve it better.

    Arrays over its candidates: sets of their names cost 2.8 ms more for 10,000.
    """

    def __init__(self, candidates: list[str]) -> None:
        self._candidates = candidates
        self._missing = np.zeros(len(candidates), dtype=np.bool_)
        self._weak = np.zeros(len(candidates), dtype=np.bool_)
        self._begun = False

    def next(self, frame: Frame | None, rows: Ints) -> list[str]:
        """What to ask for now, in the caller's order; the caller's own list, if it is all of it."""
        ask = rows < 0 if frame is None else to_ask(frame, rows)
        if not some(ask):
            return []
        if self._begun:
            ask = ask & ~np.where(rows < 0, self._missing, self._weak)
        return self._candidates if every(ask) else taken(self._candidates, places_of(ask))

    def add(self, rows: Ints, batches: list[Batch]) -> None:
        """Note what was answered, or failed: `rows` is where the candidates stood when they were asked for."""
        for batch in batches:
            if batch.merged:
                self._begun = True
                lost = rows < 0
                known = ~lost
                if batch.wanted is not self._candidates:
                    answered = batch.holds(self._candidates)
                    lost &= answered
                    known &= answered
                self._missing |= lost
                self._weak |= known

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which candidates were asked for."""
        return self._missing | self._weak


def to_ask(frame: Frame, rows: Ints) -> NDArray[np.bool_]:
    """Which candidates, standing in these rows, are missing or could be resolved better by a call for their list."""
    weak = resolvable(*frame.standing(rows))
    return weak if rows is frame.ids.places else (rows < 0) | weak

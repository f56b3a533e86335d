"""A frame: what has been learnt for one subject. Item -> log score on one scale, and which are unknown or excluded.

It stores scores, not lists, so that any later list of the same subject profits. Rows are parallel arrays in the order
in which they were learnt; the index from item to row is made on first use, since a cold ranking never needs it. A
frame is a value: extending it makes a new one, so a reader never sees half an update.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.core.model import Floats, Grade, Grades, Ints, every, taken

ITEMS_MAX: Final = 100_000
"""Items that a frame may hold (about 10 MB in memory); beyond it a frame starts anew from the current request."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Log scores on one scale.

    Row r is item `items[r]` with log score `log[r]` (meaningful for the grades up to ROUNDED only), `grade[r]` (see
    `Grade`) and `recommendation_ids[source[r]]`, the id of the call that its score came from. `scale_id` names the
    scale: rows of two frames may be mixed only if it is the same. `created_s` is the wall time of the *oldest* score.
    """

    items: list[str]
    log: Floats
    grade: Grades
    source: NDArray[np.int32]
    recommendation_ids: tuple[str, ...]
    scale_id: str
    created_s: float
    epoch: int = 0
    _index: dict[str, int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return (
            f"<Frame items={len(self)} calls={len(self.recommendation_ids)} scale={self.scale_id} epoch={self.epoch}>"
        )

    def rows(self, candidates: Sequence[str]) -> Ints:
        """The row of every candidate, -1 where the frame does not hold it. For the frame's own list, which is what most
        callers come again with, nothing is looked up (100,000: 2 ms instead of 40)."""
        if candidates == self.items:
            return np.arange(len(self.items))
        if not self._index:
            self._index.update(zip(self.items, range(len(self.items)), strict=True))
        found = map(self._index.get, candidates, repeat(-1))
        return np.fromiter(found, dtype=np.intp, count=len(candidates))

    def standing(self, rows: Ints) -> tuple[Floats, Grades]:
        """Log scores and grades of candidates that stand in these rows; UNRANKED for -1, nowhere."""
        held = rows >= 0
        if every(held):
            return self.log[rows], self.grade[rows]
        log, grade = np.full(len(rows), -np.inf), np.full(len(rows), Grade.UNRANKED, dtype=np.uint8)
        log[held], grade[held] = self.log[rows[held]], self.grade[rows[held]]
        return log, grade

    def by_strength(self, among: Ints | None = None) -> Ints:
        """The rows (of `among`, else all) fit to be anchors, strongest first: resolved ones, else all with a score."""
        rows = np.arange(len(self)) if among is None else among
        for worst in (Grade.RESOLVED, Grade.FAINT):
            fit = rows[self.grade[rows] <= worst]
            if len(fit):
                return fit[np.argsort(-self.log[fit], kind="stable")]
        return np.empty(0, dtype=np.intp)

    def extended(self, other: "Frame") -> "Frame":
        """This frame and the rows of `other`, which is on the same scale; where both hold an item, `other` knows
        better.

        The result keeps the older creation time, so adding items never prolongs a life.
        """
        known = self.rows(other.items)
        mine = self if every(known < 0) else self.only(np.delete(np.arange(len(self)), known[known >= 0]))
        return Frame(
            items=mine.items + other.items,
            log=np.concatenate((mine.log, other.log)),
            grade=np.concatenate((mine.grade, other.grade)),
            source=np.concatenate((mine.source, other.source + np.int32(len(self.recommendation_ids)))),
            recommendation_ids=self.recommendation_ids + other.recommendation_ids,
            scale_id=self.scale_id,
            created_s=min(self.created_s, other.created_s),
            epoch=self.epoch,
        )

    def only(self, rows: Ints) -> "Frame":
        """The frame of these (distinct) rows alone."""
        return replace(
            self,
            items=taken(self.items, rows),
            log=self.log[rows],
            grade=self.grade[rows],
            source=self.source[rows],
            _index={},
        )

"""A frame: what has been learnt for one subject. Item -> log score on one scale, and which are unknown or excluded.

It stores scores, not lists, so that any later list of the same subject profits. Rows are parallel arrays in the order
in which they were learnt. A frame is a value: extending it makes a new one, so a reader never sees half an update.

The list that a frame was learnt from is what most callers come again with: its rows are all rows, its columns are taken
as they are, its ranking is kept, and so is what an answer told of that.
"""

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.core.ids import Ids
from gateway.core.model import Floats, Grade, Grades, Ints, every, filled, taken
from gateway.core.ordering import Ranking, order_candidates
from gateway.core.values import dataclass

ITEMS_MAX: Final = 100_000
"""Items that a frame may hold (25 MB in memory at most); beyond it a frame starts anew from the current request."""


TOLD_BYTES_PER_ROW: Final = 48
"""What an answer tells of an item beside its id: two names with their signs (22), a score of up to 24 characters, a
comma."""


@dataclass(slots=True, eq=False)
class OwnList:
    """What a frame keeps of its own list, as soon as somebody has asked for it: the ranking, and what an answer told of
    it, in the pieces that are sent. A warm ranking of 10,000 takes 0.4 of the time then, one of 100,000 a third."""

    ranking: Ranking | None = None
    told: Sequence[bytes] = field(default=(), repr=False)
    told_bytes_max: int = 0
    was_told: bool = False

    def tell(self, told: Sequence[bytes | memoryview]) -> None:
        """Keep what was told for the second time, unless that is longer than a frame is booked with (ids that JSON has
        to escape). The first time it is not copied: a frame that was read for one request is told no second time."""
        if self.was_told and sum(map(len, told)) <= self.told_bytes_max:
            self.told = [bytes(piece) for piece in told]  # an encoder's own hold up to half as much again
        self.was_told = True


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Log scores on one scale.

    Row r is item `items[r]` with log score `log[r]` (meaningful for the grades up to ROUNDED only), `grade[r]` (see
    `Grade`) and `recommendation_ids[source[r]]`, the id of the call that its score came from. `scale_id` names the
    scale: rows of two frames may be mixed only if it is the same. `created_s` is the wall time of the *oldest* score.
    """

    ids: Ids
    log: Floats
    grade: Grades
    source: NDArray[np.int32]
    recommendation_ids: tuple[str, ...]
    scale_id: str
    created_s: float
    epoch: int = 0
    _own: OwnList = field(init=False, default_factory=OwnList, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"<Frame items={len(self)} calls={len(self.recommendation_ids)} scale={self.scale_id} epoch={self.epoch}>"
        )

    @property
    def items(self) -> list[str]:
        """The ids as a list, which is not to be changed."""
        return self.ids.items

    def rows(self, candidates: list[str]) -> Ints:
        """The row of every candidate, -1 where the frame does not hold it; for its own list `ids.places`, with nothing
        looked up (100,000: 2 ms instead of 40)."""
        return self.ids.places if self.ids.are(candidates) else self.ids.rows(candidates)

    def holds_all(self, rows: Ints) -> bool:
        """Whether candidates in these rows are all in the frame; of its own list nothing is looked at."""
        return rows is self.ids.places or every(rows >= 0)

    def standing(self, rows: Ints) -> tuple[Floats, Grades]:
        """Log scores and grades of candidates that stand in these rows; UNRANKED for -1, nowhere."""
        if rows is self.ids.places:
            return self.log, self.grade
        held = rows >= 0
        if every(held):
            return self.log[rows], self.grade[rows]
        log, grade = filled(len(rows), -np.inf), filled(len(rows), Grade.UNRANKED, np.uint8)
        log[held], grade[held] = self.log[rows[held]], self.grade[rows[held]]
        return log, grade

    def sources(self, rows: Ints) -> Ints:
        """The numbers of the calls that scored candidates in these rows; -1 for nowhere."""
        if rows is self.ids.places:
            return self.source.astype(np.intp)
        source = filled(len(rows), -1, np.intp)
        held = rows >= 0
        source[held] = self.source[rows[held]]
        return source

    @property
    def told_bytes_max(self) -> int:
        """What may be kept of an answer that tells the frame's own list."""
        return TOLD_BYTES_PER_ROW * len(self) + self.ids.utf8_bytes_max

    def own(self, rows: Ints) -> OwnList | None:
        """What is kept of the frame's own list; None for candidates that stand in other rows."""
        if rows is not self.ids.places:
            return None
        self._own.told_bytes_max = self.told_bytes_max
        return self._own

    def ranking(self, rows: Ints) -> Ranking:
        """The ranking of candidates that stand in these rows; that of the frame's own list is made once."""
        if rows is not self.ids.places:
            return order_candidates(*self.standing(rows))
        if self._own.ranking is None:
            self._own.ranking = order_candidates(self.log, self.grade)
        return self._own.ranking

    def packed(self, epoch: int | None = None) -> "Frame":
        """The same, its ids as text, under an epoch if one is given. `replace`, which looks up every field by its name,
        takes twice as long."""
        return Frame(
            ids=self.ids.packed(),
            log=self.log,
            grade=self.grade,
            source=self.source,
            recommendation_ids=self.recommendation_ids,
            scale_id=self.scale_id,
            created_s=self.created_s,
            epoch=self.epoch if epoch is None else epoch,
        )

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
        known = self.ids.rows(other.items)
        mine = self if every(known < 0) else self.only(np.delete(np.arange(len(self)), known[known >= 0]))
        return Frame(
            ids=Ids(mine.items + other.items),
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
            ids=Ids(taken(self.items, rows)),
            log=self.log[rows],
            grade=self.grade[rows],
            source=self.source[rows],
        )

"""The order that a tournament found, kept like any other ranking: as a frame, whose log scores are nothing but ranks.

So it is cached, paged and pinned as frames are, but has no scores to tell, and is resolved as far as it is settled.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Floats, Grade, Grades, taken
from gateway.core.ordering import Ranking, order_candidates
from gateway.core.tournament import Tournament

RANK_STEP: Final = 2.0**-10
"""One rank as a kept ranking has it: on the grid of stored frames, and 100,000 ranks stay within what they can hold."""


def standing(played: Tournament) -> Floats:
    """Minus the rank of every candidate, in steps of `RANK_STEP`: what has no rank has minus infinity."""
    order = played.order()
    log = np.full(len(played.grade), -np.inf)
    log[order] = -RANK_STEP * np.arange(len(order))
    return log


def frame_of_tournament(
    played: Tournament, items: list[str], recommendation_ids: Sequence[str], *, scale_id: str, created_s: float
) -> Frame:
    """What is kept of it: a frame for this very list, whose log scores are nothing but ranks.

    `recommendation_ids` are those of the calls in their order, empty for one that failed.
    """
    kept = np.flatnonzero(played.grade != Grade.UNRANKED)
    used, source = np.unique(played.call[kept], return_inverse=True)
    return Frame(
        ids=Ids(items if len(kept) == len(items) else taken(items, kept)),
        log=standing(played)[kept],
        grade=played.grade[kept],
        source=source.astype(np.int32),
        recommendation_ids=tuple(recommendation_ids[call] for call in used.tolist()),
        scale_id=scale_id,
        created_s=created_s,
    )


def order_by_rank(log: Floats, grade: Grades) -> Ranking:
    """The ranking that such a frame holds: it has no scores, and is resolved as far as it is settled."""
    ranking = order_candidates(log, grade)
    settled = int((grade == Grade.SHARP).sum())
    return replace(ranking, scores=np.zeros(ranking.ranked), scored=0, resolved_through=settled)

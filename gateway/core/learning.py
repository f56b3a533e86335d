"""A calibrated set of calls -> the frame of what they taught."""

from collections.abc import Sequence

import numpy as np

from gateway.core.answer import Answer
from gateway.core.calibration import Calibration
from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade, places_of, taken, worst_of
from gateway.core.plan import Plan


def frame_of(
    plan: Plan, calibration: Calibration, answers: Sequence[Answer | None], *, scale_id: str, created_s: float
) -> Frame:
    """The wanted items that were answered, in the caller's order; what failed is left out, so it is asked again.

    `created_s` is the wall time before the first call was sent: a frame is never younger than its oldest score.
    """
    items, log, grade, call = plan.universe, calibration.log, calibration.grade, calibration.call
    if len(items) > plan.wanted or worst_of(grade) == Grade.UNRANKED:
        kept = places_of(grade != Grade.UNRANKED)
        items, log, grade, call = taken(items, kept), log[kept], grade[kept], call[kept]
    used = [len(call)] if len(answers) == 1 else np.bincount(call, minlength=len(answers)).tolist()
    if not all(used):
        call = (np.cumsum(np.array(used) > 0) - 1)[call]  # the number of a call among those used
    return Frame(
        ids=Ids(items),
        log=log,
        grade=grade,
        source=call.astype(np.int32),
        recommendation_ids=tuple(
            answer.recommendation_id for answer, rows in zip(answers, used, strict=True) if answer is not None and rows
        ),
        scale_id=scale_id,
        created_s=created_s,
    )

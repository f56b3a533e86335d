"""Outcomes -> one scale, with its own error bound.

In one call `score_i = exp(s_i) / Z`, so `ln score_i - ln score_j` does not depend on what else was in the call: adding
one number to all log scores of a call puts it on the common scale. `scale` finds that number; here the items get their
places.

Inside a call the answer's order says more than its rounded scores: log scores are made to fall strictly along it.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np

from gateway.core.answer import Answer
from gateway.core.bridge import Bridge
from gateway.core.model import (
    RESOLVED_SCORE,
    ROUNDING_ERROR,
    SHARP_SCORE,
    Floats,
    Grade,
    Grades,
    Ints,
    every,
    filled,
    on_grid,
    some,
)
from gateway.core.plan import CALL_LIMIT, Plan
from gateway.core.scale import ANCHORS, FRAME, Join, Scale, best_paths, join
from gateway.core.values import dataclass

ERROR_MAX: Final = 1e-3
"""A relative error of the scale above this asks for a bridge; below it neighbours of a long list keep their order."""

NUDGE: Final = 1e-9
"""Step by which log scores are made to fall inside a call: 500 of them are 5e-7, far below any rounding of a tie, and
one is twice the step of the grid that log scores are kept on."""

_NUDGES: Final = NUDGE * np.arange(CALL_LIMIT)

_UNRANKED, _EXCLUDED, _UNKNOWN = -3.0, -2.0, -1.0
_SCORES: Final = np.array([_EXCLUDED, _UNKNOWN, 0.0, math.ulp(0.0), RESOLVED_SCORE, SHARP_SCORE])
_GRADES: Final = np.array(
    [Grade.UNRANKED, Grade.EXCLUDED, Grade.UNKNOWN, Grade.ROUNDED, Grade.FAINT, Grade.RESOLVED, Grade.SHARP], np.uint8
)
"""The grade of what scored less than the first of `_SCORES`, of what did not but less than the second, and so on: one
look-up for all places, where comparisons for every call take ten times as long."""

DRIFT_MIN: Final = 0.02
"""Log-score differences that moved by less than 2 % are no drift, whatever rounding would allow."""

DRIFT_ERRORS: Final = 6
"""... nor are those that moved by less than six times the scale's error."""

DRIFT_WITNESSES: Final = 2
"""Sharp anchors needed for a verdict on drift: two have a difference that can move."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Everything that the answered calls said, on one scale.

    `log`, `grade` and `call` run over the plan's wanted items (`call` is the chunk that an item's score came from, -1
    for none). `offsets[c]` is added to the log scores of call c, `errors[c]` bounds its relative error (infinite where
    the call could not be joined; 0 where it had nothing to join). `drift` is the median move of the frame's
    differences, None where nothing could be compared.
    """

    log: Floats
    grade: Grades
    call: Ints
    offsets: Floats
    errors: Floats
    drift: float | None

    @property
    def error(self) -> float:
        """The largest error of any call."""
        return max(self.errors.tolist(), default=0.0)

    @property
    def drifted(self) -> bool:
        """Whether the frame no longer tells the truth: its differences moved, or nothing of it could be found again."""
        if self.drift is None or math.isinf(self.drift):
            return self.drift is not None
        return self.drift > max(DRIFT_MIN, DRIFT_ERRORS * self.error)


def calibrate(
    plan: Plan,
    answers: Sequence[Answer | None],
    bridges: Sequence[Bridge] = (),
    bridge_answers: Sequence[Answer | None] = (),
) -> Calibration:
    """Put the answers (None for a failed call) of a plan, and of its bridges, on one scale."""
    counts = {c: int(np.count_nonzero(answer.scores)) for c, answer in enumerate(answers) if answer is not None}
    scored = [c for c, count in counts.items() if count]
    scales: dict[int, Scale] = {}
    whole: Join | None = None
    offsets, errors = np.zeros(len(plan.chunks)), np.zeros(len(plan.chunks))
    if plan.known_log is not None or len(scored) > 1:  # one call is its own scale
        scales = _scales(plan, answers, bridges, bridge_answers)
        whole = _join(plan, scales, bridges, scored, offsets, errors)
    log = filled(len(plan.universe), -np.inf)
    score = filled(len(plan.universe), _UNRANKED)
    call = filled(len(plan.universe), -1, np.intp)
    # In an order of their own, so that the result does not depend on that of the calls: the best-joined call that
    # scored anything writes last, and the shared anchors take its word for their place.
    answered = [(c, answer, counts[c]) for c, answer in enumerate(answers) if answer is not None]
    if len(answered) > 1:
        answered.sort(key=lambda one: (one[2] > 0, -errors[one[0]], _own_key(plan, one[0])))
    for c, answer, count in answered:
        _place_call(plan.chunks[c], answer, count, float(offsets[c]), log, score)
        call[plan.chunks[c]] = c
    if whole is not None and bridge_answers[-1] is not None:
        _place_whole(bridges[-1].chunk, bridge_answers[-1], whole.offset, log, score)
    grade: Grades = _GRADES.take(_SCORES.searchsorted(score, "right"))
    zeros = [_zeros(plan.chunks[c], answer, call, c) for c, answer, count in answered if count < len(answer.scores)]
    if zeros:
        _place_zeros(zeros, log, grade, max(offsets[c] for c, _, _ in answered))
    wanted = slice(0, plan.wanted)
    drift = _drift(plan, scales, offsets, errors) if plan.known_log is not None else None
    return Calibration(on_grid(log[wanted]), grade[wanted], call[wanted], offsets, errors, drift)


def _own_key(plan: Plan, call: int) -> int:
    """Names a call by what only it holds, so that the result does not depend on the order of the calls."""
    own = plan.chunks[call][len(plan.anchors) :]
    return int(own[0]) if len(own) else 0


def _scales(
    plan: Plan, answers: Sequence[Answer | None], bridges: Sequence[Bridge], bridge_answers: Sequence[Answer | None]
) -> dict[int, Scale]:
    """All measurements by scale number: the calls, the bridges after them, and the frame."""
    chunks = [*plan.chunks, *(bridge.chunk for bridge in bridges)]
    scales = {
        number: Scale(chunk, measured(chunk, answer))
        for number, (chunk, answer) in enumerate(zip(chunks, (*answers, *bridge_answers), strict=True))
        if answer is not None
    }
    if plan.known_log is not None:
        places = plan.known
        scales[FRAME] = Scale(places, np.exp(plan.known_log[places] - plan.known_log[places].max()))
    return scales


def measured(chunk: Ints, answer: Answer) -> Floats:
    """The score of every place of the chunk, NaN for what came without one."""
    score = filled(len(chunk), np.nan) if len(answer.positions) < len(chunk) else np.empty(len(chunk))
    score[answer.positions] = np.where(answer.unknown, np.nan, answer.scores) if some(answer.unknown) else answer.scores
    return score


def _join(
    plan: Plan,
    scales: dict[int, Scale],
    bridges: Sequence[Bridge],
    scored: list[int],
    offsets: Floats,
    errors: Floats,
) -> Join | None:
    """Write offset and error of every call of the plan, along the best path from the root of the scale; `scored` are
    those with a score.

    If a bridge holds all that they scored, it is the one call that there would be without a limit: then all are as
    exact as it is, and what joins it to the root is returned.
    """
    joins = chain(_anchor_joins(plan, scales, scored), _bridge_joins(plan, scales, bridges))
    root = _root(plan, scales, bridges)
    reached = best_paths(joins, root)
    known = 0.0 if plan.known_log is None else plan.known_log[plan.known].max()  # the strongest of the frame was 1
    # A call that nothing joins holds a thin stripe like the others: their mean offset is the best guess, flagged by its
    # infinite error.
    guess = float(np.mean([reached[c][1] for c in scored if c in reached] or [0.0]))
    for c in scored:
        errors[c], offsets[c] = reached.get(c, (math.inf, guess))
    offsets[scored] += known
    top = len(plan.chunks) + len(bridges) - 1
    if not bridges or top not in reached or not _holds(scales[top], [scales[c] for c in scored]):
        return None
    error, offset = reached[top]
    errors[scored] = error
    return Join(root, top, offset + known, error)


def _holds(bridge: Scale, calls: Sequence[Scale]) -> bool:
    """Whether the bridge has a place for everything that the calls gave a score to."""
    return all(every(np.isin(call.chunk[call.score > 0.0], bridge.chunk)) for call in calls)


def _root(plan: Plan, scales: dict[int, Scale], bridges: Sequence[Bridge]) -> int:
    """Where the scale begins: in the frame; else in the topmost bridge, which joins best; else in the anchors."""
    if plan.known_log is not None:
        return FRAME
    top = len(plan.chunks) + len(bridges) - 1
    return top if bridges and top in scales else ANCHORS


def _anchor_joins(plan: Plan, scales: dict[int, Scale], scored: list[int]) -> Iterator[Join]:
    """Joins over the anchors that every scored call has measured."""
    if not len(plan.anchors) or not scored:
        return
    table = np.stack([scales[c].score[: len(plan.anchors)] for c in scored])
    common = ~np.isnan(table).any(axis=0)
    if plan.known_log is not None:
        yield from (join(FRAME, c, scales, plan.anchors[common]) for c in scored)
        return
    error = ROUNDING_ERROR * math.sqrt(np.count_nonzero(common))
    for c, total in zip(scored, table[:, common].sum(axis=1).tolist(), strict=True):
        if total > 0.0:
            yield Join(ANCHORS, c, -math.log(total), error / total)


def _bridge_joins(plan: Plan, scales: dict[int, Scale], bridges: Sequence[Bridge]) -> Iterator[Join]:
    """Joins between every answered bridge and its members, over the items that they share."""
    for number, bridge in enumerate(bridges, start=len(plan.chunks)):
        if number in scales:
            for member in bridge.members:
                if member in scales:
                    yield join(number, member, scales, bridge.chunk)


def _place_call(chunk: Ints, answer: Answer, scored: int, offset: float, log: Floats, score: Floats) -> None:
    """Write what one call said of its chunk, of which it `scored` so many; later calls overwrite the anchors."""
    if len(answer.positions) < len(chunk):
        score[chunk] = _EXCLUDED
    places, given = chunk[answer.positions], answer.scores
    score[places] = np.where(answer.unknown, _UNKNOWN, given) if some(answer.unknown) else given
    if scored < len(given):
        known = given > 0.0
        places, given = places[known], given[known]
    log[places] = np.minimum.accumulate(np.log(given)) + (offset - _NUDGES[: len(given)])


def _place_whole(chunk: Ints, answer: Answer, offset: float, log: Floats, score: Floats) -> None:
    """Write what the one call over all that is scored said, in its order; what it rounded away is below the rest."""
    known = answer.scores > 0.0
    places, given = chunk[answer.positions], answer.scores[known]
    score[places] = answer.scores
    log[places[known]] = np.minimum.accumulate(np.log(given)) + (offset - _NUDGES[: len(given)])
    floor = min(log[places[known]].min(initial=math.inf), offset + math.log(ROUNDING_ERROR))
    log[places[~known]] = floor - NUDGE * np.arange(1, len(places) - len(given) + 1)


def _zeros(chunk: Ints, answer: Answer, call: Ints, number: int) -> tuple[Ints, Floats, Ints]:
    """The places to which this call (`number` in `call`) gave a score of 0, in its order, cut in two: rounded away, and
    trailing.

    With the first come their depths, the share of the call that stands above each.

    A call's zeros end in a run that stands in the order of asking. Unknown items look like that (some models answer 0
    for them), and those keep the caller's order. The zeros before it stand in the model's order.
    """
    known = answer.positions[~answer.unknown]
    depth = (np.arange(len(known)) + 0.5) / max(1, len(known))
    own = call[chunk[known]] == number  # an anchor counts where it took its place from
    zero = (answer.scores[~answer.unknown] == 0.0) & own
    asked, depth = known[zero], depth[zero]
    breaks = np.flatnonzero(np.diff(asked) < 0)
    head = int(breaks[-1]) + 1 if len(breaks) else 0
    return chunk[asked[:head]], depth[:head], chunk[asked[head:]]


def _place_zeros(zeros: Sequence[tuple[Ints, Floats, Ints]], log: Floats, grade: Grades, offset: float) -> None:
    """Put the items with a score of 0 below all scored ones.

    Those that were rounded away are interleaved over the calls by their depth, since every call is a like sample of the
    list. Their log scores are upper bounds: what no score of half a quantum can exceed, in the call of the largest
    offset, nor the last scored item.
    """
    none = np.empty(0, dtype=np.intp)
    heads = np.concatenate([none, *(head for head, _, _ in zeros)])
    depth = np.concatenate([np.empty(0), *(depth for _, depth, _ in zeros)])
    tails = np.concatenate([none, *(tail for _, _, tail in zeros)])
    heads = heads[np.lexsort((heads, depth))]
    floor = min(log[np.isfinite(log)].min(initial=math.inf), offset + math.log(ROUNDING_ERROR))
    log[heads] = floor - NUDGE * np.arange(1, len(heads) + 1)
    log[tails] = floor - NUDGE * (len(heads) + 1)
    grade[tails] = Grade.TRAILING


def _drift(plan: Plan, scales: dict[int, Scale], offsets: Floats, errors: Floats) -> float | None:
    """Median move of the frame's log scores in the new calls, over the anchors that are sharp in both.

    Infinite where a call has scores but none of the anchors is there any more (anchors that are only pressed below the
    rounding are still there); None where there are too few witnesses.
    """
    lost = np.flatnonzero(np.isinf(errors)).tolist()
    if any(np.isnan(scales[c].score[: len(plan.anchors)]).all() for c in lost):
        return math.inf
    assert plan.known_log is not None and plan.known_sharp is not None  # noqa: S101, PT018 - only called with a frame
    witnesses = np.intersect1d(plan.anchors, plan.known_sharp)
    moves = []
    for c in range(len(plan.chunks)):
        if c in scales:
            score = scales[c].of(witnesses)
            sharp = score >= SHARP_SCORE
            moves.append(np.abs(np.log(score[sharp]) + offsets[c] - plan.known_log[witnesses[sharp]]))
    found = np.concatenate([np.empty(0), *moves])
    return float(np.median(found)) if len(found) >= DRIFT_WITNESSES else None

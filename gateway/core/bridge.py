"""The bridge: extra calls over the best items of every call, made when the anchors were too weak.

The best items carry most of a call's mass, so the scale that they give is good to about 1e-6 where spread anchors of a
peaked user may miss 1e-3. One bridge holds `limit / calls` items of every call, or all that have a score, where those
are so few (a filter dropped the others, or the model does not know them): then nothing is left to be joined. Beyond
`limit` calls there is a bridge for each group of calls and bridges over the bridges, until one is left. All of them are
known before any is sent (a bridge's best items are the best of its members, taken in turn), so they go out together:
one more round trip.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.core.answer import Answer
from gateway.core.model import Ints
from gateway.core.plan import Plan
from gateway.core.scale import FRAME

SHARE_MIN: Final = 4
"""Items of every member that a bridge over a *group* holds at least, so that one odd item does not decide a scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Bridge:
    """One extra call: its places in the plan's universe, and which scales it joins.

    Scale numbers count the plan's chunks first, then the bridges in their order; `scale.FRAME` is the frame.
    """

    chunk: Ints
    members: tuple[int, ...]


def plan_bridges(plan: Plan, answers: Sequence[Answer | None]) -> list[Bridge]:
    """The bridge calls over all calls that were answered with at least one score; none where nothing needs joining."""
    best = {call: plan.chunks[call][scored(answer)] for call, answer in enumerate(answers) if answer is not None}
    level = [(call, places) for call, places in best.items() if len(places)]
    if not level:
        return []
    if plan.known_log is not None:
        level.insert(0, (FRAME, plan.reference))
    bridges: list[Bridge] = []
    while len(level) > 1:
        size = len(level) if len(level) <= plan.limit else max(2, plan.limit // SHARE_MIN)
        groups = math.ceil(len(level) / size)
        level_above = []
        for group in range(groups):
            members = level[group::groups]
            few = sum(len(places) for _, places in members) <= plan.limit
            share = plan.limit if few else plan.limit // len(members)
            chunk = in_turn([places[:share] for _, places in members])
            level_above.append((len(plan.chunks) + len(bridges), chunk))
            bridges.append(Bridge(chunk, tuple(scale for scale, _ in members)))
        level = level_above
    return bridges


def scored(answer: Answer) -> Ints:
    """The asked places that came back with a score above 0, best first."""
    return answer.positions[answer.scores > 0.0]


def in_turn(lists: Sequence[Ints]) -> Ints:
    """The first of every list, then the second of every list, and so on; each place once."""
    longest = max(len(places) for places in lists)
    table = np.full((longest, len(lists)), -1, dtype=np.intp)
    for column, places in enumerate(lists):
        table[: len(places), column] = places
    flat = table.ravel()
    _, first = np.unique(flat, return_index=True)
    kept = flat[np.sort(first)]
    return kept[kept >= 0]

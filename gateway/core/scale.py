"""Scales and how they are joined: the graph on which every call finds its offset.

Every call measures on a scale of its own. Two scales that share items S are joined by `ln(sum of S in one) - ln(sum of
S in the other)`; the ratio of *sums* weighs every shared item by its score, which is right for a rounding error that
is the same for all of them. The error of a join is about `ROUNDING_ERROR * sqrt(|S|) * (1 / sum in one + 1 / sum in
the other)`.

Calls, bridges, the frame and the set of anchors are the nodes of a graph, the joins its edges. Every call gets its
offset along the path of the smallest total error (Dijkstra): lost calls, unknown anchors, bridges of any level and
frames are then all the same case.
"""

import heapq
import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from gateway.core.model import ROUNDING_ERROR, Floats, Ints
from gateway.core.values import dataclass

FRAME: Final = -1
"""The scale number of the frame that a plan took its anchors from. Calls count from 0, bridges follow them."""

ANCHORS: Final = -2
"""The scale number of the anchors' own scale, in a plan without a frame."""


class Join(NamedTuple):
    """What to add to log scores of scale `b` to be on scale `a`, and the relative error of doing so."""

    a: int
    b: int
    offset: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What one call measured: the score of every place of its chunk, NaN where there was none."""

    chunk: Ints
    score: Floats

    def of(self, places: Ints) -> Floats:
        """Scores of these places of the universe, NaN where this scale has none."""
        order = np.argsort(self.chunk)
        at = np.minimum(np.searchsorted(self.chunk, places, sorter=order), len(self.chunk) - 1)
        found = order[at]
        return np.where(self.chunk[found] == places, self.score[found], np.nan)


def join(a: int, b: int, scales: dict[int, Scale], places: Ints) -> Join:
    """Join scale b to scale a over those of `places` that both have measured; infinite error where that is nothing."""
    left, right = scales[a].of(places), scales[b].of(places)
    both = ~np.isnan(left) & ~np.isnan(right)
    total_a, total_b = float(left[both].sum()), float(right[both].sum())
    if not (total_a > 0.0 and total_b > 0.0):
        return Join(a, b, 0.0, math.inf)
    # What the frame holds was not rounded in these calls: only the other side's error counts.
    weight = sum(1.0 / total for scale, total in ((a, total_a), (b, total_b)) if scale != FRAME)
    return Join(a, b, math.log(total_a / total_b), ROUNDING_ERROR * math.sqrt(int(both.sum())) * weight)


def best_paths(joins: Iterable[Join], root: int) -> dict[int, tuple[float, float]]:
    """For every scale that `root` reaches: (total error, total offset) along the path of the smallest error."""
    steps: dict[int, list[tuple[int, float, float]]] = {}
    for a, b, offset, error in joins:
        if error < math.inf:
            steps.setdefault(a, []).append((b, offset, error))
            steps.setdefault(b, []).append((a, -offset, error))
    best: dict[int, tuple[float, float]] = {}
    queue = [(0.0, root, 0.0)]
    while queue:
        error, node, offset = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = error, offset
        for neighbour, step, step_error in steps.get(node, ()):
            if neighbour not in best:
                heapq.heappush(queue, (error + step_error, neighbour, offset + step))
    return best

"""What one call answered, as far as it can be read: nothing is believed here, and nothing is thrown away unsaid.

The gateway treats every fault below as a failed call (see `core.answer`); the audit names it and goes on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.core.answer import RISE_MAX
from gateway.core.model import Floats

FOREIGN: Final = "an item came back that was not asked for"
TWICE: Final = "an item came back twice"
LOST: Final = "items were lost although no filter could have dropped them"
NO_SHARE: Final = "a score is no share of 1"
RISING: Final = "scores rise along the answer"
UNSCORED_FIRST: Final = "an item without a score stands before one with a score"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The members of a response as they came, in its order; a score that is null or absent is None."""

    items: Sequence[object]
    scores: Sequence[object]
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of the service: `message` is without the user id. Without a status there was no answer at all."""

    status: int
    code: str
    message: str
    latency_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """An answer: `scores` run along `items`, best first, NaN where there is none. `asked` is the length of the list."""

    asked: int
    items: tuple[str, ...]
    scores: Floats
    faults: frozenset[str]
    latency_ms: float

    @property
    def scored(self) -> dict[str, float]:
        """The items with a score, best first."""
        return {item: score for item, score in zip(self.items, self.scores.tolist(), strict=True) if score == score}


def hear(asked: Sequence[str], raw: RawAnswer, *, filtered: bool) -> Heard:
    """Read an answer to a list of distinct items; what cannot be used is left out, with a fault for each kind."""
    wanted = set(asked)
    faults: set[str] = set()
    found: dict[str, float] = {}
    for item, score in zip(raw.items, raw.scores, strict=True):
        if not isinstance(item, str) or item not in wanted:
            faults.add(FOREIGN)
        elif item in found:
            faults.add(TWICE)
        else:
            found[item] = _share(score, faults)
    if len(found) < len(wanted) and not filtered:
        faults.add(LOST)
    scores = np.array(list(found.values()), dtype=np.float64)
    faults.update(_disorder(scores))
    return Heard(len(asked), tuple(found), scores, frozenset(faults), raw.latency_ms)


def _share(score: object, faults: set[str]) -> float:
    if score is None:
        return math.nan
    if isinstance(score, int | float) and not isinstance(score, bool) and 0.0 <= score <= 1.0:
        return float(score)
    faults.add(NO_SHARE)
    return math.nan


def _disorder(scores: Floats) -> list[str]:
    absent = np.isnan(scores)
    faults = []
    if (np.diff(scores[~absent]) > RISE_MAX).any():
        faults.append(RISING)
    if (absent[:-1] & ~absent[1:]).any():
        faults.append(UNSCORED_FIRST)
    return faults

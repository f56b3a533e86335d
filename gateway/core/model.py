"""The values that every floor speaks of: for whom a ranking is made, and how well an item's score is known.

Hot data are parallel numpy arrays, never an object per candidate: 10,000 frozen dataclasses cost 9 ms, arrays 0.1 ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from operator import itemgetter
from struct import pack
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.core.values import dataclass

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Grades: TypeAlias = NDArray[np.uint8]

QUANTUM: Final = 1e-7
"""Scores come rounded to 7 decimals: two scores closer than this cannot be told apart."""

ROUNDING_ERROR: Final = QUANTUM / 2
"""The largest error of one rounded score."""


LOG_STEP: Final = 2.0**-31
"""Log scores stand on a grid of 4.7e-10, far finer than any rounding of the service: a frame that was stored in 5 bytes
an item is then bit for bit the frame that was learnt, so every pod gives the very same scores."""

LOG_MAX: Final = 255.0
"""Log scores are kept within this: real ones lie within 40 of each other."""


def on_grid(log: Floats) -> Floats:
    """The log scores moved to the nearest point of the grid; -inf, for no score at all, stays."""
    if not len(log):
        return log
    if log[log.argmax()] > LOG_MAX or log[log.argmin()] < -LOG_MAX:
        log = np.where(np.isneginf(log), log, np.clip(log, -LOG_MAX, LOG_MAX))
    return np.rint(log / LOG_STEP) * LOG_STEP


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom and under what a ranking is made: what a frame is keyed by, and what all calls of a ranking share.

    `campaign` is the configured name (or the ARN, where none is configured); `tenant` keeps callers apart.
    The user id is left out of the repr, so that it cannot slip into a log.
    """

    campaign: str
    user_id: str = field(repr=False)
    context: Mapping[str, str] = field(default_factory=dict, repr=False)
    filter_arn: str | None = None
    filter_values: Mapping[str, str] = field(default_factory=dict, repr=False)
    tenant: str = ""
    variant: str = ""


class Grade:
    """How well an item's place is known; the smaller the better, and the order in which grades are ranked.

    SHARP     score of at least 1e-5 in its call: its log score is good to half a percent, fit to check for drift
    RESOLVED  score of at least 1e-6, ten quanta: its order against its neighbours can be told
    FAINT     scored, but by less than ten quanta
    ROUNDED   a score of 0 in the call's order: a known item that was rounded away
    TRAILING  a score of 0 in the order in which it was asked, at the end of its call: rounded away, or unknown
    UNKNOWN   no score: the model was not trained on it
    EXCLUDED  dropped by the filter: not in the answer
    UNRANKED  not asked, or its call failed
    """

    SHARP: Final = 0
    RESOLVED: Final = 1
    FAINT: Final = 2
    ROUNDED: Final = 3
    TRAILING: Final = 4
    UNKNOWN: Final = 5
    EXCLUDED: Final = 6
    UNRANKED: Final = 7


SHARP_SCORE: Final = 100 * QUANTUM
RESOLVED_SCORE: Final = 10 * QUANTUM


def worst_of(grade: Grades) -> int:
    """The worst of the grades, `SHARP` of none: `grade.max(initial=...)` for a third of its 9,000 instructions."""
    return int(grade[grade.argmax()]) if len(grade) else Grade.SHARP


def distinct(items: list[str]) -> list[str]:
    """The items without repetition, the first occurrence of each counts; the very list where none is repeated.

    Counting them first takes 0.13 ms for 10,000, and the usual list is done with; a dict of them takes 0.4.
    """
    return items if len(set(items)) == len(items) else list(dict.fromkeys(items))


def some(mask: NDArray[np.bool_]) -> bool:
    """Whether the mask holds anywhere: `mask.any()` as a search in its bytes, for a tenth of the 8,000 instructions
    that numpy takes to begin with. A ranking asks a dozen times."""
    return 1 in mask.tobytes()


def every(mask: NDArray[np.bool_]) -> bool:
    """Whether the mask holds everywhere: `mask.all()`, as `some` is `mask.any()`."""
    return 0 not in mask.tobytes()


def filled(count: int, value: float, dtype: type = np.float64) -> NDArray[Any]:
    """So many times the value: `np.full` for half of its 8,000 instructions."""
    made: NDArray[Any] = np.empty(count, dtype)
    made.fill(value)
    return made


def packed(numbers: Sequence[int]) -> Ints:
    """Numbers as an array that is not to be written to: 500 in 6 us, where numpy's own ways take 10 and more."""
    return np.frombuffer(pack(f"{len(numbers)}q", *numbers), dtype=np.int64)


def places_of(mask: NDArray[np.bool_]) -> Ints:
    """Where the mask holds: `np.flatnonzero` without what that does for other shapes, which takes 2 us of its 3."""
    places: Ints = mask.nonzero()[0]
    return places


def taken(items: list[str], places: Ints) -> list[str]:
    """The items at these places: 10,000 in half the time of a comprehension (0.15 ms instead of 0.35)."""
    return list(each_of(items, places.tolist()))


def each_of(table: Any, keys: Sequence[Any]) -> Sequence[Any]:
    """What a table (a mapping, a list) holds under each of the keys. Raises `KeyError` for one that it does not hold,
    and `TypeError` for one that no mapping can hold."""
    if len(keys) < 2:  # an itemgetter of one key gives no tuple
        return [table[key] for key in keys]
    found: Sequence[Any] = itemgetter(*keys)(table)
    return found

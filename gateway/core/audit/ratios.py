"""Whether score ratios hold over different lists: the assumption that the calibrated merge stands on.

If both lists are softmaxes of the same log scores, `ln a_i - ln b_i` is one number for all items i that they share. Of
a rounded score s only `s - e <= true <= s + e` is known, so each item gives an interval in which that number lies:

    ln (a_i - e) / (b_i + e)   <=   offset   <=   ln (a_i + e) / (b_i - e)

and the assumption holds exactly when all these intervals have a point in common, however peaked the scores are. Where
they have none, the gap between the highest lower end and the lowest upper end says by how much the ratio of two items
changed *beyond* what rounding explains.

Answers may also move by themselves (a retrained model, an event of the user, two models behind one campaign). A round
begins and ends with the same list: only in a round where both agree is a gap the list's doing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from gateway.core.audit.heard import Heard
from gateway.core.audit.lists import AGAIN, OTHERS, REVERSED, WHOLE
from gateway.core.calibration import DRIFT_MIN
from gateway.core.model import ROUNDING_ERROR, Floats

GAP_MAX: Final = DRIFT_MIN
"""Ratios that change by less are no more than what the gateway lets pass between a frame and a new call."""

WITNESSES_MIN: Final = 3
"""Items known well enough to show such a gap, that a comparison must have to count."""

COMPARISONS_MIN: Final = 2
"""Comparisons that count, of lists of other items, that a round must have to count."""

DECIMALS: Final = 7
"""Of the service's scores, as the rounding error that the gateway counts on has them."""

FLOAT_NOISE: Final = 1e-9
"""Relative; far above that of doubles, far below any rounding that matters."""


class Verdict(StrEnum):
    """May the calibrated merge be trusted? Only the first says yes."""

    TRUSTED = "trusted"
    LIST_DEPENDENT = "list-dependent"
    COARSE = "coarse"
    UNSTEADY = "unsteady"
    BROKEN = "broken"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers over the items that both score: `gap` in log scores, beyond rounding; `typical` the median move."""

    shared: int
    witnesses: int
    gap: float
    typical: float

    @property
    def counts(self) -> bool:
        """Whether it could have shown a gap."""
        return self.witnesses >= WITNESSES_MIN

    @property
    def holds(self) -> bool:
        """Whether the ratios are the same but for rounding, and what the gateway lets pass."""
        return self.gap <= GAP_MAX


@dataclass(frozen=True, slots=True)
class Round:
    """One round of lists: every other list against the whole one, and the whole one against itself at the end.

    `steady` compares it with its own repetition; `drift` with the whole list of the first round, None in the first.
    """

    others: Mapping[str, Comparison]
    steady: Comparison
    drift: Comparison | None

    @property
    def counts(self) -> bool:
        """Whether enough of its comparisons could have shown a dependence on the list."""
        return sum(one.counts for name, one in self.others.items() if name != REVERSED) >= COMPARISONS_MIN

    @property
    def holds(self) -> bool:
        """Whether no list shows a gap."""
        return all(one.holds for one in self.others.values())


def compare(a: Heard, b: Heard) -> Comparison:
    """Compare the scores that two answers give to the same items."""
    ours, theirs = a.scored, b.scored
    shared = [item for item in ours if item in theirs]
    x = np.array([ours[item] for item in shared])
    y = np.array([theirs[item] for item in shared])
    low, high = _offsets(x, y)
    gap = max(0.0, float(low.max(initial=-np.inf) - high.min(initial=np.inf)))
    witnesses = high - low <= GAP_MAX
    # Without the ends: the middle of an interval is an item's own offset, and only witnesses have a narrow one.
    middle = (low[witnesses] + high[witnesses]) / 2
    typical = float(np.median(np.abs(middle - np.median(middle)))) if len(middle) else 0.0
    return Comparison(len(shared), int(witnesses.sum()), gap, typical)


def _offsets(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Between which ends each item's `ln x - ln y` lies, before rounding."""
    error_x, error_y = (ROUNDING_ERROR + FLOAT_NOISE * scores for scores in (x, y))
    with np.errstate(divide="ignore"):
        low = np.log(np.maximum(x - error_x, 0.0)) - np.log(y + error_y)
        high = np.log(x + error_x) - np.log(np.maximum(y - error_y, 0.0))
    return low, high


def compare_round(heard: Mapping[str, Heard], first: Heard | None) -> Round:
    """Compare the answers of one round; `first` is what the whole list got in the first round, None in that one."""
    whole = heard[WHOLE]
    return Round(
        {name: compare(whole, heard[name]) for name in OTHERS},
        compare(whole, heard[AGAIN]),
        None if first is None else compare(first, whole),
    )


def judge(rounds: Sequence[Round], filtered: Comparison | None, faults: frozenset[str], decimals: int) -> Verdict:
    """The verdict over all rounds, the lists with a filter, what was wrong with single answers, and the rounding."""
    if faults:
        return Verdict.BROKEN
    verdict = _judge_ratios(rounds, filtered)
    coarse = verdict is Verdict.LIST_DEPENDENT and decimals < DECIMALS
    return Verdict.COARSE if coarse else verdict


def _judge_ratios(rounds: Sequence[Round], filtered: Comparison | None) -> Verdict:
    steady = [one for one in rounds if one.steady.holds]
    if not steady:
        return Verdict.UNSTEADY
    holding = [one for one in steady if one.holds]
    if len(holding) < len(steady):  # a dependence on the list is there in every round; what comes and goes is none
        return Verdict.UNSTEADY if holding else Verdict.LIST_DEPENDENT
    if filtered is not None and not filtered.holds:
        return Verdict.LIST_DEPENDENT if len(steady) == len(rounds) else Verdict.UNSTEADY
    return Verdict.TRUSTED if any(one.counts for one in steady) else Verdict.UNRESOLVED


def drifted(rounds: Sequence[Round]) -> int:
    """The rounds whose answers moved: within the round, or against the first one."""
    return sum(not one.steady.holds or (one.drift is not None and not one.drift.holds) for one in rounds)

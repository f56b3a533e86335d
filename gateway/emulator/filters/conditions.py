"""What a condition says about one cell of a dataset.

A cell of a multi-valued column holds its values joined by `|`; it matches by any of them. A null (an absent or empty
cell) matches no operator but IS NULL, so `NOT IN` and `!=` are not met by it either. Strings match exactly; `=` and
`!=` compare numbers where both sides are numbers.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.emulator.filters.errors import FilterValueError
from gateway.emulator.filters.syntax import Condition
from gateway.emulator.filters.values import number_of

CellTest = Callable[[str | None], bool]

_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def cell_test(condition: Condition, wanted: Sequence[str]) -> CellTest:
    """The test of a condition whose right side is `wanted`: literals, what a call gave, or cells of the current item.

    Raises:
        FilterValueError: a parameter's values do not fit the operator.
    """
    if condition.operator == "IS NULL":
        return lambda cell: not cell
    if condition.operator == "IS NOT NULL":
        return bool
    if condition.operator in ("IN", "NOT IN"):
        return _membership(frozenset(wanted), negated=condition.operator == "NOT IN")
    if not wanted:  # the current item has no such cell
        return lambda _: False
    if condition.operator in _ORDER:
        return _ordered(_ORDER[condition.operator], _one_number(condition, wanted))
    return _equality(_one(condition, wanted), negated=condition.operator == "!=")


def _membership(wanted: frozenset[str], *, negated: bool) -> CellTest:
    return lambda cell: bool(cell) and wanted.isdisjoint((cell or "").split("|")) is negated


def _equality(wanted: str, *, negated: bool) -> CellTest:
    number = number_of(wanted)

    def same(part: str) -> bool:
        return part == wanted or (number is not None and number_of(part) == number)

    return lambda cell: bool(cell) and any(map(same, (cell or "").split("|"))) is not negated


def _ordered(holds: Callable[[float, float], bool], wanted: float | None) -> CellTest:
    def test(cell: str | None) -> bool:
        number = number_of(cell or "")
        return number is not None and wanted is not None and holds(number, wanted)

    return test


def _one(condition: Condition, wanted: Sequence[str]) -> str:
    if len(wanted) > 1 and condition.parameter is not None:
        raise FilterValueError(
            f"Filter parameter {condition.parameter} takes one value: it is compared by {condition.operator}"
        )
    return wanted[0]


def _one_number(condition: Condition, wanted: Sequence[str]) -> float | None:
    """The number to compare with; None if the current item has none."""
    number = number_of(_one(condition, wanted))
    if number is None and condition.parameter is not None:
        raise FilterValueError(f"The value of filter parameter {condition.parameter} must be a number")
    return number

"""The short ways of small arrays say what numpy's own would say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.core.model import LOG_MAX, LOG_STEP, Grade, every, filled, on_grid, some, worst_of

MASKS = [np.array(mask, dtype=np.bool_) for mask in ([], [False], [True], [False, True], [True, True], [False, False])]
STRIDED = np.array([True, False, True, False])


@pytest.mark.parametrize("mask", [*MASKS, STRIDED[::2], STRIDED[1::2]], ids=repr)
def test_masks(mask: NDArray[np.bool_]) -> None:
    """A mask holds somewhere, or everywhere, exactly where numpy says so, also an empty one and a view."""
    assert some(mask) is bool(mask.any())
    assert every(mask) is bool(mask.all())


@pytest.mark.parametrize(("value", "dtype"), [(-np.inf, np.float64), (-1, np.intp), (Grade.UNRANKED, np.uint8)])
@pytest.mark.parametrize("count", [0, 3])
def test_filled(count: int, value: float, dtype: type) -> None:
    """An array filled with a value is that of numpy, in value and in type."""
    made, expected = filled(count, value, dtype), np.full(count, value, dtype=dtype)
    assert made.dtype == expected.dtype
    assert made.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("grades", "worst"), [([], Grade.SHARP), ([Grade.FAINT, Grade.SHARP], Grade.FAINT), ([7, 0, 7], Grade.UNRANKED)]
)
def test_worst_grade(grades: list[int], worst: int) -> None:
    """The worst grade is the largest, and nothing is as good as sharp."""
    assert worst_of(np.array(grades, dtype=np.uint8)) == worst


def test_grid() -> None:
    """Log scores move to the nearest point of the grid within the bounds, and no score stays no score."""
    log = np.array([-np.inf, -2 * LOG_MAX, -1.0 - 0.4 * LOG_STEP, 0.6 * LOG_STEP, 2 * LOG_MAX])
    assert on_grid(log).tolist() == [-np.inf, -LOG_MAX, -1.0, LOG_STEP, LOG_MAX]
    assert on_grid(log[2:4]).tolist() == [-1.0, LOG_STEP]
    assert on_grid(log[:0]).tolist() == []

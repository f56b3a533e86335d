"""The formula that counts are held against is the promise, and not what the plan happens to do."""

import pytest

from loadtests.exact_calls import expected


@pytest.mark.parametrize(
    ("missing", "known", "calls"),
    [
        (0, 10_000, 0), (1, 0, 1), (500, 0, 1), (501, 0, 2), (997, 0, 2), (998, 0, 3), (10_000, 0, 21),
        (100_000, 0, 202), (1, 9_999, 1), (492, 1_000, 1), (499, 1_000, 1), (500, 1_000, 2), (500, 1, 2),
        (5_000, 5_000, 11),
    ],
)  # fmt: skip
def test_the_formula(missing: int, known: int, calls: int) -> None:
    """Calls by hand: 500 in each, less what is reserved for anchors; a call less where fewer anchors save it."""
    assert expected(missing, known) == calls

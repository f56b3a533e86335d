"""The checks that a load run believes in find what they are for: each rule is broken once."""

from typing import Any

import pytest

from loadtests.correctness import wrong_order, wrong_page

CANDIDATES = [f"p{number}" for number in range(1_000)]
IDEAL = {item: 2.0 ** (-number / 50) for number, item in enumerate(CANDIDATES)}


def ranked(items: list[str]) -> list[dict[str, Any]]:
    """A ranking with scores that fall."""
    return [{"itemId": item, "score": 1.0 / (1 + place)} for place, item in enumerate(items)]


def test_a_right_answer_passes() -> None:
    """The ideal order of all candidates breaks no rule."""
    assert wrong_page(ranked(CANDIDATES), set(CANDIDATES)) is None
    assert wrong_order(ranked(CANDIDATES), len(CANDIDATES), IDEAL) is None


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (ranked(["p1", "p2", "p1"]), "an item twice"),
        (ranked(["p1", "stranger"]), "an item that was not asked for"),
        ([{"itemId": "p1", "score": 0.1}, {"itemId": "p2", "score": 0.2}], "scores that rise"),
    ],
)
def test_each_rule_of_a_page_is_found_broken(answer: list[dict[str, Any]], rule: str) -> None:
    """A page that breaks a rule is told by that rule."""
    assert wrong_page(answer, set(CANDIDATES)) == rule


def test_two_neighbours_in_the_wrong_order_are_found() -> None:
    """A swap of two items whose scores differ by more than rounding hides is a wrong order, above the resolved rank."""
    swapped = ["p1", "p0", *CANDIDATES[2:]]
    assert wrong_order(ranked(swapped), len(CANDIDATES), IDEAL) == "an order that is not the ideal one"
    assert wrong_order(ranked(swapped), 1, IDEAL) is None


def test_a_naive_merge_is_found_wrong() -> None:
    """Chunks merged by the scores of their own calls do not stand the check of the order."""
    halves = CANDIDATES[:500], CANDIDATES[500:]
    shares = [(IDEAL[item] / sum(IDEAL[one] for one in half), item) for half in halves for item in half]
    merged = [item for _, item in sorted(shares, reverse=True)]
    assert wrong_order(ranked(merged), len(CANDIDATES), IDEAL) is not None

"""The checks that a load run believes in find what they are for: each rule is broken once."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.correctness import wrong_order, wrong_page

CANDIDATES = [f"p{number}" for number in range(1_000)]
WEIGHTS = {item: 2.0 ** (-number / 100) for number, item in enumerate(CANDIDATES)}
IDEAL = {item: weight / sum(WEIGHTS.values()) for item, weight in WEIGHTS.items()}


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


@given(seed=st.integers(0, 2**32), sigma=st.floats(0.5, 4.0))
def test_what_rounding_hides_is_no_wrong_order(seed: int, sigma: float) -> None:
    """Whatever was in the call that an item has its place from, its rounded score alone breaks no rule."""
    ideal, placed = placed_by_calls(Random(seed), sigma, off=1.0)
    order = sorted((item for item in placed if placed[item] > 0), key=lambda item: -placed[item])
    assert wrong_order(ranked(order), len(order), ideal) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_call_whose_scale_is_off_by_two_percent_is_found(seed: int) -> None:
    """One call of ten that stands 2 % too high on the common scale gives a wrong order."""
    ideal, placed = placed_by_calls(Random(seed), 1.5, off=1.02)
    order = sorted((item for item in placed if placed[item] > 0), key=lambda item: -placed[item])
    assert wrong_order(ranked(order), len(order), ideal) == "an order that is not the ideal one"


def placed_by_calls(random: Random, sigma: float, off: float) -> tuple[dict[str, float], dict[str, float]]:
    """The ideal scores of a catalogue, and what calls of any size say of its items on one scale; the first is `off`."""
    weights = [math.exp(random.gauss(0.0, sigma)) for _ in range(2_000)]
    ideal = {f"p{number}": weight / sum(weights) for number, weight in enumerate(weights)}
    placed, rest = {}, random.sample(list(ideal), len(ideal))
    for call in range(10):
        own = rest[call * 200 : call * 200 + 200]
        whole = sum(ideal[item] for item in {*own, *random.sample(rest, random.randrange(300))})
        placed |= {item: round(ideal[item] / whole, 7) * whole * (off if call == 0 else 1.0) for item in own}
    return ideal, placed

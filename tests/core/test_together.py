"""Ranking and describing at once: chosen exactly where it saves calls."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import METADATA_LIMIT, TOGETHER_MAX, plan_ranking, together_is_cheaper


@pytest.mark.parametrize(
    ("count", "lacking", "cheaper"),
    [
        *((1, 1, True), (50, 50, True), (50, 1, True), (50, 0, False)),
        *((51, 48, False), (97, 97, True), (98, 98, False), (470, 470, True), (500, 500, False), (500, 400, False)),
        *((1_000, 1_000, True), (1_000, 900, False)),
    ],
)
def test_where_it_saves_calls(count: int, lacking: int, cheaper: bool) -> None:
    """One call less is enough, as many are not; what is cached counts for describing late."""
    items = [str(number) for number in range(count)]
    assert together_is_cheaper(plan_ranking(items), plan_ranking(items, limit=METADATA_LIMIT), lacking) is cheaper


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, TOGETHER_MAX), st.data())
def test_it_is_the_smaller_bill(count: int, data: st.DataObject) -> None:
    """The choice is that of the smaller sum of calls, whatever is cached and whatever was ranked before."""
    lacking = data.draw(st.integers(0, 2 * count))
    items = [str(number) for number in range(count)]
    apart, together = plan_ranking(items), plan_ranking(items, limit=METADATA_LIMIT)
    late = len(apart.chunks) + math.ceil(lacking / METADATA_LIMIT)
    at_once = len(together.chunks) + math.ceil(max(0, lacking - count) / METADATA_LIMIT)
    assert together_is_cheaper(apart, together, lacking) is (lacking > 0 and at_once < late)
    assert all(len(chunk) <= METADATA_LIMIT for chunk in together.chunks)

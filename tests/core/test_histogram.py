"""Histograms: every number is in one bucket, and none is lost."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.histogram import LAG_SECONDS, SECONDS, SIZES, Histogram

NUMBERS = st.lists(st.floats(0, 100))


@pytest.mark.parametrize("bounds", [SECONDS, LAG_SECONDS, SIZES])
def test_bounds_rise(bounds) -> None:
    """Bounds are distinct and in order: what a search by halves relies on."""
    assert list(bounds) == sorted(set(bounds))


def test_what_callers_wait_for_is_told_apart() -> None:
    """Deadlines may be 1 ms to 30 s; both ends have a bucket, and so has 5 ms."""
    assert {0.005, 30.0} <= set(SECONDS)


@given(NUMBERS)
def test_every_number_is_counted_once(numbers) -> None:
    """The number in each bucket is that of the numbers above the bound before and up to its own; the sum is theirs."""
    histogram = Histogram()
    for number in numbers:
        histogram.add(number)
    for place, count in enumerate(histogram.counts):
        assert count == sum(bisect_left(SECONDS, number) == place for number in numbers)
    assert histogram.count == len(numbers)
    assert histogram.total == pytest.approx(sum(numbers))


def test_a_bound_is_within_its_bucket() -> None:
    """A number that equals a bound is not above it, as Prometheus' `le` says."""
    histogram = Histogram((1.0, 2.0))
    for number in (1.0, 1.5, 2.0, 2.1):
        histogram.add(number)
    assert histogram.counts == [1, 2, 1]


@given(NUMBERS, NUMBERS)
def test_two_merged_are_one_of_both(some, more) -> None:
    """Merging gives what one histogram of all numbers would say, and leaves the other one as it was."""
    both, first, second = Histogram(), Histogram(), Histogram()
    for number in some:
        first.add(number)
        both.add(number)
    for number in more:
        second.add(number)
        both.add(number)
    kept = list(second.counts)
    first.merge(second)
    assert first.counts == both.counts
    assert first.total == pytest.approx(both.total)
    assert second.counts == kept

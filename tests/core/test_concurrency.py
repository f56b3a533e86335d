"""The limit of calls under way: it shrinks once for what pushes back together, and grows only while it is used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.concurrency import COOL_S, IN_USE, SHRINK, ConcurrencyLimit


@given(
    st.integers(1, 50),
    st.integers(1, 200),
    st.lists(st.tuples(st.floats(0.0, 0.3), st.booleans(), st.integers(0, 250)), max_size=200),
)
def test_it_stays_within_its_bounds(least: int, most: int, history: list[tuple[float, bool, int]]) -> None:
    """Whatever happens, the limit is a whole number of calls between the least and the most, and at least one."""
    limit, now_s = ConcurrencyLimit(least, most), 0.0
    assert limit.now == most
    for gap_s, good, in_flight in history:
        now_s += gap_s
        if good:
            limit.good(in_flight)
        else:
            limit.push_back(now_s)
        assert max(1, min(least, most)) <= limit.now <= most


def test_a_fan_out_that_is_refused_shrinks_it_once() -> None:
    """Twenty-one push-backs of one moment are one; one after the pause is another."""
    limit = ConcurrencyLimit(4, 100)
    assert [limit.push_back(1.0 + number / 1_000) for number in range(21)] == [True] + [False] * 20
    assert limit.now == 70
    assert limit.push_back(1.0 + COOL_S)
    assert limit.now == int(100 * SHRINK * SHRINK)


def test_push_backs_end_at_the_least() -> None:
    """A campaign that goes on pushing back is still asked by so many calls at once."""
    limit = ConcurrencyLimit(4, 100)
    for second in range(60):
        limit.push_back(float(second))
    assert limit.now == 4
    assert repr(limit) == "<ConcurrencyLimit 4 of 4..100>"


def test_it_grows_by_one_for_a_round() -> None:
    """As many good answers as the limit is raise it by about one."""
    limit = ConcurrencyLimit(4, 100)
    limit.push_back(0.0)
    for expected in range(71, 81):
        for _ in range(limit.now + 1):
            limit.good(limit.now)
        assert limit.now == expected


def test_it_does_not_grow_unused() -> None:
    """Answers that come while most of the limit is idle say nothing about it."""
    limit = ConcurrencyLimit(4, 100)
    limit.push_back(0.0)
    for _ in range(10_000):
        limit.good(int(IN_USE * 70) - 1)
    assert limit.now == 70


@pytest.mark.parametrize("most", [5, 40, 100])
def test_it_recovers(most: int) -> None:
    """After the trouble it comes back to the most, one round at a time, and not beyond."""
    limit = ConcurrencyLimit(1, most)
    for second in range(60):
        limit.push_back(float(second))
    rounds = 0
    while limit.now < most:
        for _ in range(limit.now):
            limit.good(limit.now)
        rounds += 1
    assert rounds <= 1.1 * most + 2
    limit.good(most)
    assert limit.now == most

"""Every request's time is spent within its one deadline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.budget import ATTEMPT_MIN_S, BACKOFF_BASE_S, Budget, backoff_s

SECONDS = st.floats(min_value=0.001, max_value=3_600.0)
CANDIDATES = st.integers(min_value=0, max_value=1_000_000)


@given(st.floats(min_value=0.0, max_value=1e6), SECONDS, CANDIDATES)
def test_the_calls_get_at_least_three_quarters_of_the_time(started: float, duration: float, candidates: int) -> None:
    """Own work is kept back before the deadline, but never more than a quarter of the whole."""
    budget = Budget.of(started, duration, candidates)
    assert budget.deadline_s == started + duration
    assert started + 0.75 * duration - 1e-6 <= budget.calls_until_s < budget.deadline_s


@given(SECONDS, CANDIDATES, CANDIDATES)
def test_more_candidates_keep_back_no_less(duration: float, one: int, other: int) -> None:
    """A longer list needs more time after its calls."""
    fewer, more = (Budget.of(0.0, duration, count) for count in sorted((one, other)))
    assert fewer.own_work_s <= more.own_work_s


def test_ten_thousand_candidates_keep_back_17_ms() -> None:
    """The documented costs add up: 2 ms, and 1.5 us for every candidate."""
    assert Budget.of(0.0, 1.0, 10_000).own_work_s == pytest.approx(0.017)


def test_an_attempt_needs_its_least_time() -> None:
    """An attempt is begun up to 5 ms before the calls must be over, its wait included, and not later."""
    budget = Budget(0.0, 1.0, 0.1)
    last = budget.calls_until_s - ATTEMPT_MIN_S
    assert budget.allows_attempt(last)
    assert not budget.allows_attempt(last + 1e-6)
    assert budget.allows_attempt(last - 0.5, wait_s=0.5 - 1e-6)
    assert not budget.allows_attempt(last - 0.5, wait_s=0.5 + 1e-6)


@given(st.integers(min_value=1, max_value=6), st.floats(min_value=0.0, max_value=1.0, exclude_max=True))
def test_backoff_is_full_jitter_that_doubles(retry: int, chance: float) -> None:
    """The wait lies anywhere between nothing and 20 ms before the first retry, and twice as far for every further."""
    assert 0.0 <= backoff_s(retry, chance) < BACKOFF_BASE_S * 2 ** (retry - 1)
    assert backoff_s(retry + 1, chance) == pytest.approx(2 * backoff_s(retry, chance))

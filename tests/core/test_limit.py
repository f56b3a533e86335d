"""The ceiling lets one second's worth go at once, and never more than the rate and that burst in any window."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.limit import RateCeiling

RATES = st.sampled_from([1.0, 2.0, 2.5, 7.0, 50.0, 500.0])
PAUSES = st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.013, 0.3, 1.0, 2.7]), min_size=1, max_size=150)


@given(RATES, PAUSES)
def test_no_window_sees_more_than_rate_and_burst(per_s: float, pauses: list[float]) -> None:
    """Between any two calls that go, at most per_s * (window + 1) went, both included."""
    ceiling, now, gone = RateCeiling(per_s), 1_000.0, []
    for pause in pauses:
        now += pause
        gone.append(now + ceiling.take(now))
    assert gone == sorted(gone)
    for first, begin in enumerate(gone):
        for last in range(first, len(gone)):
            assert last - first + 1 <= per_s * (gone[last] - begin + 1.0) + 1e-6


@given(RATES, st.floats(min_value=2.0, max_value=1e6))
def test_a_burst_of_one_seconds_worth_goes_at_once(per_s: float, now: float) -> None:
    """After a quiet second a whole second's calls wait for nothing, and the next one waits for its turn."""
    ceiling = RateCeiling(per_s)
    waits = [ceiling.take(now) for _ in range(math.floor(per_s) + 1)]
    assert waits[:-1] == pytest.approx([0.0] * math.floor(per_s), abs=1e-6)
    assert waits[-1] == pytest.approx((math.floor(per_s) + 1) / per_s - 1.0, abs=1e-6)


def test_a_steady_stream_at_the_rate_never_waits() -> None:
    """Calls that are spaced as the rate allows go at once, forever."""
    ceiling = RateCeiling(8.0)
    assert [ceiling.take(100.0 + number / 8.0) for number in range(200)] == [0.0] * 200


def test_waits_in_a_queue_are_spaced_by_the_rate() -> None:
    """Beyond the burst, each further call waits one interval longer."""
    ceiling = RateCeiling(4.0)
    assert [ceiling.take(100.0) for _ in range(8)] == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_new_ceiling_has_its_burst_whatever_the_clock_says() -> None:
    """A monotonic clock may begin anywhere, at 0 as well: the first call of all never waits."""
    assert [RateCeiling(10.0).take(now) for now in (0.0, 0.05, -3.0)] == [0.0, 0.0, 0.0]


def test_a_slow_ceiling_lets_a_lone_call_go() -> None:
    """After a long quiet time one call goes at once, however low the rate is."""
    assert RateCeiling(0.5).take(1_000.0) == 0.0


@given(RATES, PAUSES)
def test_asking_books_nothing(per_s: float, pauses: list[float]) -> None:
    """`wait_s` says what `take` is going to say, and however often it is asked, nothing changes."""
    asked, other, now = RateCeiling(per_s), RateCeiling(per_s), 1_000.0
    for pause in pauses:
        now += pause
        waits = {asked.wait_s(now) for _ in range(3)}
        assert waits == {asked.take(now)} == {other.take(now)}

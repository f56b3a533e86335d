"""When to ask for credentials again: tables of times, and what holds for all of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.renewal import (
    FORCED_EVERY_S,
    LOOK_MAX_S,
    RETRY_MAX_S,
    RETRY_MIN_S,
    Renewal,
    State,
    renew_in_s,
    retry_in_s,
    state_of,
    window_s,
)

CHANCES = st.floats(0.0, 1.0, exclude_max=True)
LEFT = st.floats(0.0, 1e6) | st.just(math.inf)


@pytest.mark.parametrize(
    ("left_s", "reread_s", "expected_s"),
    [
        (3_600.0, math.inf, 2_700.0),  # an hour: the SDKs' 15 minutes before
        (43_200.0, math.inf, 42_300.0),
        (900.0, math.inf, 450.0),  # the shortest that STS gives: half-way
        (60.0, math.inf, 30.0),
        (1.0, math.inf, RETRY_MIN_S),
        (math.inf, math.inf, math.inf),
        (math.inf, 60.0, 60.0),
        (3_600.0, 60.0, 60.0),
    ],
)
def test_renewals_come_ahead(left_s: float, reread_s: float, expected_s: float) -> None:
    """After a good answer, without spread."""
    assert renew_in_s(left_s, reread_s, 0.0) == expected_s


@given(left_s=st.floats(2.0, 1e6), chance=CHANCES)
def test_a_renewal_leaves_time_for_retries(left_s: float, chance: float) -> None:
    """Half the rest or 15 minutes remain when a renewal is due, and it is never due at once."""
    wait_s = renew_in_s(left_s, math.inf, chance)
    assert wait_s >= RETRY_MIN_S
    assert left_s - wait_s >= min(900.0, left_s / 2) - 1e-6 * left_s


@pytest.mark.parametrize(
    ("failures", "left_s", "longest_s"),
    [
        (1, 900.0, 2.0),
        (2, 900.0, 4.0),
        (5, 900.0, 32.0),
        (6, 900.0, RETRY_MAX_S),
        (10_000, math.inf, RETRY_MAX_S),
        (9, 100.0, 25.0),  # nearer the end, denser
        (9, 8.0, LOOK_MAX_S),
        (9, 0.0, LOOK_MAX_S),
    ],
)
def test_retries_double_up_to_a_bound(failures: int, left_s: float, longest_s: float) -> None:
    """The span that jitter draws from, from its beginning to its end."""
    assert retry_in_s(failures, left_s, 0.0) == RETRY_MIN_S
    assert retry_in_s(failures, left_s, 1.0) == longest_s


@given(failures=st.integers(1, 10**6), left_s=LEFT, chance=CHANCES)
def test_retries_are_never_hasty_and_never_tardy(failures: int, left_s: float, chance: float) -> None:
    """Between 1 s and 60 s, and no longer than a quarter of what is left, or a few seconds."""
    wait_s = retry_in_s(failures, left_s, chance)
    assert RETRY_MIN_S <= wait_s <= min(RETRY_MAX_S, max(LOOK_MAX_S, left_s / 4))


@pytest.mark.parametrize(
    ("left_s", "state"),
    [
        (None, State.NONE),
        (-1.0, State.EXPIRED),
        (0.0, State.EXPIRED),
        (1.0, State.EXPIRING),
        (899.0, State.EXPIRING),
        (900.0, State.VALID),
        (math.inf, State.VALID),
    ],
)
def test_states(left_s: float | None, state: State) -> None:
    """By what is left, for credentials that were valid for hours at first."""
    assert state_of(left_s, window_s(7_200.0)) is state


def test_a_plan_is_due_by_either_clock() -> None:
    """At first at once; then by the monotonic clock, or by the wall clock if that was set ahead."""
    plan = Renewal()
    assert plan.wait_s(5.0, 1_000.0) < 0.0
    plan.succeeded(5.0, 1_000.0, 3_600.0, math.inf, 0.0)
    assert plan.wait_s(5.0, 1_000.0) == 2_700.0
    assert plan.wait_s(2_705.0, 0.0) == 0.0
    assert plan.wait_s(6.0, 3_700.0) == 0.0
    plan.failed(6.0, 10.0, 0.0)
    assert plan.wait_s(6.0, 1e9) == RETRY_MIN_S
    assert plan.failures_in_row == 1


def test_refusals_force_a_question_now_and_then() -> None:
    """The first at once, the next after some time."""
    plan = Renewal()
    asked = [plan.force(now_s / 10) for now_s in range(200)]
    assert [number / 10 for number, forced in enumerate(asked) if forced] == [n * FORCED_EVERY_S for n in range(4)]

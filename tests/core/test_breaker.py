"""The circuit breaker: what trips it, what closes it, and what it never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import TRANSITIONS, Breaker, Event, Rules, State, Verdict

RULES = Rules(failures_in_row=5, failure_share=0.5, calls_min=10, window_s=10.0, open_s=1.0)
GOOD, LATE, FAILED, UNKNOWN = Verdict


def fail(breaker, times, now_s=0.0):
    """So many failed calls at one moment; how many of them were let through."""
    permits = [permit for _ in range(times) if (permit := breaker.ask(now_s))]
    for permit in permits:
        breaker.tell(permit, FAILED, now_s)
    return len(permits)


def test_failures_in_a_row_trip_it():
    """The last failure of the row opens it, and not one call passes until it has rested."""
    breaker = Breaker(RULES)
    fail(breaker, 4)
    assert breaker.state is State.CLOSED
    fail(breaker, 1)
    assert breaker.state is State.OPEN
    assert [breaker.ask(now_s) for now_s in (0.0, 0.5, 0.999)] == [None] * 3


def test_a_success_ends_the_row():
    """Failures count as a row only without a success in between."""
    breaker = Breaker(Rules(failures_in_row=5, calls_min=1_000))
    for _ in range(50):
        fail(breaker, 4)
        breaker.tell(breaker.ask(0.0), GOOD, 0.0)
    assert breaker.state is State.CLOSED


def test_a_share_of_failures_trips_it():
    """Every second call failing opens it once there are enough calls, though there is no row."""
    breaker, calls = Breaker(RULES), 0
    while breaker.state is State.CLOSED:
        breaker.tell(breaker.ask(0.0), GOOD if calls % 2 else FAILED, 0.0)
        calls += 1
    assert calls == RULES.calls_min + 1


def test_old_failures_are_forgotten():
    """What lies further back than the window counts neither as call nor as failure."""
    breaker = Breaker(Rules(failures_in_row=1_000, failure_share=0.5, calls_min=10, window_s=10.0))
    fail(breaker, 9, 0.0)
    for _ in range(10):
        breaker.tell(breaker.ask(11.0), GOOD, 11.0)
    fail(breaker, 9, 11.0)
    assert breaker.state is State.CLOSED
    fail(breaker, 1, 11.0)
    assert breaker.state is State.OPEN


def test_one_probe_at_a_time():
    """After the rest one call passes, the others do not, and its success closes the breaker."""
    breaker = Breaker(RULES)
    fail(breaker, 5)
    permits = [breaker.ask(1.0) for _ in range(10)]
    assert [permit is not None for permit in permits] == [True] + [False] * 9
    assert permits[0].probe
    breaker.tell(permits[0], GOOD, 1.1)
    assert breaker.state is State.CLOSED
    assert not breaker.ask(1.1).probe


def test_a_failed_probe_opens_it_again():
    """Then it rests as long as before."""
    breaker = Breaker(RULES)
    fail(breaker, 5)
    assert fail(breaker, 3, 1.0) == 1
    assert breaker.state is State.OPEN
    assert breaker.ask(1.9) is None
    assert breaker.ask(2.0).probe
    assert breaker.opened == 2


@pytest.mark.parametrize("verdict", [LATE, UNKNOWN])
def test_a_probe_without_a_verdict_makes_room_for_the_next(verdict):
    """A late answer, or none to judge by, neither closes nor opens: the next call is a probe at once."""
    breaker = Breaker(RULES)
    fail(breaker, 5)
    breaker.tell(breaker.ask(1.0), verdict, 1.01)
    assert breaker.state is State.HALF_OPEN
    assert breaker.ask(1.01).probe
    assert breaker.ask(1.01) is None


def test_a_lost_probe_does_not_wedge_it():
    """A probe that never reports loses its place, and its verdict no longer counts when it comes."""
    breaker = Breaker(RULES)
    fail(breaker, 5)
    lost = breaker.ask(1.0)
    assert breaker.ask(1.9) is None
    second = breaker.ask(2.0)
    breaker.tell(lost, FAILED, 2.1)
    assert breaker.state is State.HALF_OPEN
    breaker.tell(second, GOOD, 2.2)
    assert breaker.state is State.CLOSED


def test_calls_of_an_earlier_time_do_not_count():
    """Forty calls that were under way when it tripped neither trip it twice nor close it."""
    breaker = Breaker(RULES)
    permits = [breaker.ask(0.0) for _ in range(45)]
    for permit in permits[:25]:
        breaker.tell(permit, FAILED, 0.02)
    for permit in permits[25:]:
        breaker.tell(permit, GOOD, 0.03)
    assert (breaker.state, breaker.opened) == (State.OPEN, 1)


def test_a_ramp_lets_more_and_more_through():
    """After a good probe the share of calls let through rises evenly, and a failure row opens it again."""
    breaker = Breaker(Rules(failures_in_row=5, open_s=1.0, ramp_s=10.0))
    fail(breaker, 5)
    breaker.tell(breaker.ask(1.0), GOOD, 1.0)
    passed = [sum(breaker.ask(1.0 + second + tenth / 100) is not None for tenth in range(100)) for second in range(10)]
    assert passed == sorted(passed)
    assert passed[0] < 20
    assert passed[9] > 90
    assert breaker.ask(11.0) is not None
    assert breaker.state is State.CLOSED


def test_a_ramp_can_be_tripped():
    """Failures while ramping open it."""
    breaker = Breaker(Rules(failures_in_row=5, open_s=1.0, ramp_s=10.0))
    fail(breaker, 5)
    breaker.tell(breaker.ask(1.0), GOOD, 1.0)
    fail(breaker, 60, 1.0)
    assert breaker.state is State.OPEN


def test_every_step_has_its_place_in_the_table():
    """Each state can be left, by exactly the events that make sense in it."""
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures_in_row": 0},
        {"calls_min": 0},
        {"failure_share": 0.0},
        {"failure_share": 1.1},
        {"window_s": 0.0},
        {"open_s": 0.0},
        {"ramp_s": -1.0},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong):
    """A rule that could never or would always trip is an error when it is made."""
    with pytest.raises(ValueError, match=r"."):
        Rules(**{"failures_in_row": 5} | wrong)


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.sampled_from(Verdict), st.integers(1, 3)), max_size=80))
def test_it_never_wedges(history):
    """Whatever happened, within two rests of silence a call passes, and good calls close it."""
    breaker, now_s, under_way = Breaker(RULES), 0.0, []
    for step_s, verdict, calls in history:
        now_s += step_s
        under_way += [permit for _ in range(calls) if (permit := breaker.ask(now_s))]
        if under_way:
            breaker.tell(under_way.pop(0), verdict, now_s)
    now_s += 2 * RULES.open_s
    permit = breaker.ask(now_s)
    assert permit is not None
    breaker.tell(permit, GOOD, now_s)
    assert breaker.state is State.CLOSED
    assert f"<Breaker {breaker.state}" in repr(breaker)


def test_a_ramp_that_let_a_piece_of_work_through_lets_all_of_it_through():
    """`again` gives every further call of admitted work a permit, whatever share of new work the ramp lets in."""
    breaker = Breaker(Rules(failures_in_row=5, open_s=1.0, ramp_s=10.0))
    fail(breaker, 5)
    breaker.tell(breaker.ask(1.0), GOOD, 1.0)
    assert all(breaker.again(1.0) for _ in range(50))
    assert sum(breaker.ask(1.0) is not None for _ in range(50)) <= 6


def test_again_is_asking_outside_of_a_ramp():
    """Closed it gives a permit; open none; at its rest's end one probe; and its failures count like any others."""
    breaker = Breaker(Rules(failures_in_row=5, open_s=1.0, ramp_s=10.0))
    assert breaker.again(0.0) is not None
    fail(breaker, 5)
    assert breaker.again(0.5) is None
    probe = breaker.again(1.0)
    assert probe.probe
    assert breaker.again(1.0) is None
    breaker.tell(probe, GOOD, 1.0)
    for _ in range(5):
        breaker.tell(breaker.again(1.1), FAILED, 1.1)
    assert breaker.state is State.OPEN


def test_resting_is_told_without_asking():
    """`rests` says whether `ask` would refuse every call, and changes nothing."""
    breaker = Breaker(Rules(failures_in_row=5, open_s=1.0, ramp_s=10.0))
    assert not breaker.rests(0.0)
    fail(breaker, 5)
    assert [breaker.rests(now_s) for now_s in (0.0, 0.999, 1.0, 1.0)] == [True, True, False, False]
    assert breaker.state is State.OPEN
    probe = breaker.ask(1.0)
    assert breaker.rests(1.5)
    breaker.tell(probe, GOOD, 1.5)
    assert not breaker.rests(1.5)

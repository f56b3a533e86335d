"""The judge of a chaos run finds what it is for, and tells a machine that stood still from a gateway that was late."""

from typing import Any

import msgspec
import pytest

from loadtests.chaos.stillness import EDGE_S, Slot, lost, lost_at_edges
from loadtests.chaos.verdict import LATE_S, Seen, faults_of, verdict, waited

RIGHT = Seen(1.0, "user-1", 0, 3, 0.2, 0.1, 503, retry_after=True)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"took_s": 0.2 + LATE_S + 0.001}, "late"),
        ({"status": 500}, "status 500"),
        ({"retry_after": False}, "refused without Retry-After"),
        ({"status": 200, "order": [0, 1, 1], "scored": 3}, "not every candidate once"),
        ({"status": 200, "order": [0, 1, 2], "scored": 0}, "not whole, and not flagged"),
        (
            {"status": 200, "order": [0, 2, 1], "scored": 0, "degraded": "deadline"},
            "the rest not in the caller's order",
        ),
    ],
)
def test_each_broken_promise_is_found(wrong: dict[str, Any], fault: str) -> None:
    """An answer that breaks one promise is told by that promise, and a right one by none."""
    assert faults_of(RIGHT) == []
    assert fault in faults_of(msgspec.structs.replace(RIGHT, **wrong))


@pytest.mark.parametrize(("lost_s", "late", "excused"), [(0.0, 1, 0), (0.029, 1, 0), (0.031, 0, 1)])
def test_late_is_late_unless_the_machine_stood_still_for_longer(lost_s: float, late: int, excused: int) -> None:
    """30 ms beyond what is allowed are a broken promise, unless more than that was lost; either way they are told."""
    seen = msgspec.structs.replace(RIGHT, took_s=RIGHT.deadline_s + LATE_S + 0.03, lost_s=lost_s)
    history = [seen, RIGHT]
    assert verdict(history) == ({"late": 1} if late else {})
    assert [one["lateMs"] for one in waited(history)] == [30] * excused


def test_an_answer_in_time_needs_no_excuse() -> None:
    """What was lost while an answer in time was on its way is not told."""
    assert waited([msgspec.structs.replace(RIGHT, lost_s=5.0)]) == []


SLOTS = [Slot(10.0, 10.01, 0.004), Slot(10.3, 10.4, 0.09)]


@pytest.mark.parametrize(
    ("begins_s", "ends_s", "expected_s"),
    [(9.0, 11.0, 0.094), (10.1, 10.3, 0.0), (10.38, 11.0, 0.02), (10.0, 10.01, 0.004), (10.35, 10.36, 0.01)],
)
def test_no_more_is_lost_than_there_was_time(begins_s: float, ends_s: float, expected_s: float) -> None:
    """Of a slot that lies in a stretch in part, at most that part counts."""
    assert lost(SLOTS, begins_s, ends_s) == pytest.approx(expected_s)


def test_only_what_was_lost_near_the_ends_can_make_late() -> None:
    """A machine that stood still in the middle of a request, long before it was due, excuses nothing; the same at its
    beginning, or from when it was due, does."""
    sent_s, due_s, came_s = 0.0, 1.0, 1.2
    middle, first, last = Slot(0.4, 0.6, 0.2), Slot(0.0, EDGE_S, EDGE_S), Slot(1.0, 1.2, 0.15)
    assert lost_at_edges([middle], sent_s, due_s, came_s) == 0
    assert lost_at_edges([first, middle, last], sent_s, due_s, came_s) == pytest.approx(EDGE_S + 0.15)

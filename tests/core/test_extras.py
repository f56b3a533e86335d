"""The budget for extra attempts: in no window that ends at one are there more of them than a tenth of the calls."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.extras import EXTRA_SHARE, LONE_EXTRA, WINDOW_S, ExtraBudget

GAPS = st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 2.0, 9.99, 10.0, 10.01, 25.0])
STEPS = st.lists(st.tuples(GAPS, st.integers(0, 40), st.integers(0, 5)), max_size=60)
"""Pauses, calls that come then, extra attempts that are wanted then."""


class SavingBudget:
    """The naive way: a tenth of all calls ever, saved up until it is wanted."""

    def __init__(self) -> None:
        self.calls = self.extras = 0

    def call(self, now_s: float) -> None:
        self.calls += 1

    def take(self, now_s: float) -> bool:
        self.extras += 1
        return self.extras <= EXTRA_SHARE * self.calls


def play(steps: list[tuple[float, int, int]], budget: ExtraBudget | SavingBudget) -> tuple[list[float], list[float]]:
    """When calls were made, and when extra attempts were granted."""
    now_s, calls, extras = 1_000.0, [], []
    for gap_s, coming, wanted in steps:
        now_s += gap_s
        for _ in range(coming):
            budget.call(now_s)
            calls.append(now_s)
        extras += [now_s for _ in range(wanted) if budget.take(now_s)]
    return calls, extras


def keeps(calls: list[float], extras: list[float]) -> bool:
    """Whether every window that ends at an extra attempt keeps the budget."""
    return all(
        sum(end_s - WINDOW_S <= at_s for at_s in extras[: number + 1])
        <= max(LONE_EXTRA, EXTRA_SHARE * sum(end_s - WINDOW_S <= at_s <= end_s for at_s in calls))
        for number, end_s in enumerate(extras)
    )


@given(STEPS)
def test_no_window_that_ends_at_an_extra_has_too_many(steps: list[tuple[float, int, int]]) -> None:
    """However calls come, 10 s that end at an extra attempt hold at most a tenth as many as calls, or a lone one."""
    assert keeps(*play(steps, ExtraBudget()))


def test_a_budget_that_saves_does_not_keep_it() -> None:
    """The control: what calls of long ago have earned is spent in one window."""
    steps = [(0.0, 500, 0), (25.0, 40, 30)]
    assert not keeps(*play(steps, SavingBudget()))
    assert keeps(*play(steps, ExtraBudget()))


def test_a_lone_call_may_be_tried_again() -> None:
    """Where there are hardly any calls, one of them has its second chance; a second one has to wait."""
    budget = ExtraBudget()
    budget.call(5.0)
    assert [budget.take(5.0), budget.take(5.0), budget.take(14.9)] == [True, False, False]
    assert budget.take(15.5)


def test_nothing_is_saved_up() -> None:
    """After an idle time the calls of before are worth nothing."""
    budget = ExtraBudget()
    for _ in range(1_000):
        budget.call(100.0)
    assert budget.left(100.0) == 100
    assert budget.left(109.9) == 100
    assert budget.left(111.0) == LONE_EXTRA


@given(STEPS)
def test_left_is_what_is_granted(steps: list[tuple[float, int, int]]) -> None:
    """`left` is never negative and says exactly how many `take` will grant; `rate` counts what both have counted."""
    budget, now_s = ExtraBudget(), 1_000.0
    for gap_s, coming, wanted in steps:
        now_s += gap_s
        for _ in range(coming):
            budget.call(now_s)
        left, rate = budget.left(now_s), budget.rate(now_s)
        granted = sum(budget.take(now_s) for _ in range(wanted))
        assert granted == min(left, wanted)
        assert abs(budget.rate(now_s) - rate - granted / WINDOW_S) < 1e-9
        assert budget.left(now_s) == left - granted
    assert repr(budget).startswith("<ExtraBudget calls=")


def test_it_remembers_a_window_and_no_more() -> None:
    """However long it runs, it keeps a bounded number of slots."""
    budget = ExtraBudget()
    for number in range(10_000):
        budget.call(number * 0.1)
        budget.take(number * 0.1)
    assert len(budget._slots) <= 22
    assert 10.0 < budget.rate(999.9) <= 11.0

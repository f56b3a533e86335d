"""Four classes stand one after the other, and the scores are those of one softmax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gateway.core.model import LOG_MAX, LOG_STEP, Grade
from gateway.core.ordering import order_candidates, softmax

GRADES = st.sampled_from([getattr(Grade, name) for name in Grade.__dict__ if name.isupper()])


def test_the_classes_stand_in_their_order() -> None:
    """Scored, rounded, trailing, unknown, unranked: a better class goes first, whatever the log scores say."""
    grade = np.array(
        [Grade.UNRANKED, Grade.UNKNOWN, Grade.TRAILING, Grade.ROUNDED, Grade.FAINT, Grade.EXCLUDED, Grade.SHARP],
        dtype=np.uint8,
    )
    log = np.array([9.0, 8.0, 7.0, 6.0, -5.0, 4.0, -3.0])
    ranking = order_candidates(log, grade)
    assert ranking.order.tolist() == [6, 4, 3, 2, 1, 0]
    assert (ranking.scored, ranking.ranked, ranking.unranked) == (2, 5, 1)
    assert (ranking.excluded, ranking.unknown) == (1, 1)


@given(st.lists(st.tuples(GRADES, st.integers(min_value=-60, max_value=60)), max_size=40))
def test_ordering_keeps_everything_but_the_excluded(items: list[tuple[int, int]]) -> None:
    """Nothing is lost, doubled or invented; scores fall, are positive for scored items alone, and sum to 1."""
    grade = np.array([grade for grade, _ in items], dtype=np.uint8)
    log = np.array([log if grade <= Grade.ROUNDED else -np.inf for grade, log in items], dtype=np.float64)
    ranking = order_candidates(log, grade)
    assert sorted(ranking.order.tolist()) == np.flatnonzero(grade != Grade.EXCLUDED).tolist()
    assert ranking.ranked + ranking.unranked == len(ranking.order)
    assert ranking.scored == (grade <= Grade.FAINT).sum()
    assert (np.diff(ranking.scores) <= 0.0).all()
    assert (ranking.scores[: ranking.scored] > 0.0).all()
    assert not ranking.scores[ranking.scored :].any()
    assert ranking.scores.sum() == pytest.approx(1.0 if ranking.scored else 0.0)


STEPS = st.integers(min_value=-round(LOG_MAX / LOG_STEP), max_value=round(LOG_MAX / LOG_STEP))


@given(st.lists(STEPS, max_size=40).flatmap(lambda steps: st.permutations(steps + steps[:3])))
def test_any_step_of_the_grid_counts(steps: list[int]) -> None:
    """The order is that of a stable sort of the log scores, over all that a frame can hold, one step apart or equal."""
    log = np.array(steps, dtype=np.float64) * LOG_STEP
    ranking = order_candidates(log, np.zeros(len(log), dtype=np.uint8))
    assert ranking.order.tolist() == sorted(range(len(steps)), key=lambda place: -steps[place])


@given(st.lists(st.tuples(GRADES, st.integers(min_value=-2, max_value=2)), max_size=40))
def test_equals_stay_in_the_callers_order(items: list[tuple[int, int]]) -> None:
    """Within a class, equal log scores keep the caller's order, and so do all items of the classes without one."""
    grade = np.array([grade for grade, _ in items], dtype=np.uint8)
    log = np.array([log if grade <= Grade.ROUNDED else -np.inf for grade, log in items], dtype=np.float64)
    keys = [(max(int(grade[place]), Grade.FAINT), -log[place], place) for place in order_candidates(log, grade).order]
    assert keys == sorted(keys)


def test_scores_are_normalised_over_the_candidates() -> None:
    """Adding one number to all log scores changes nothing: only differences count."""
    log = np.log([0.5, 0.3, 0.2])
    grade = np.zeros(3, dtype=np.uint8)
    for shift in (0.0, 250.0, -250.0):
        assert order_candidates(log + shift, grade).scores == pytest.approx([0.5, 0.3, 0.2])


@pytest.mark.parametrize(
    ("grades", "through"),
    [
        ([], 0),
        ([Grade.UNKNOWN], 0),
        ([Grade.FAINT, Grade.FAINT], 0),
        ([Grade.SHARP, Grade.RESOLVED, Grade.FAINT], 2),
        ([Grade.SHARP, Grade.FAINT, Grade.RESOLVED, Grade.FAINT, Grade.ROUNDED], 3),
        ([Grade.RESOLVED], 1),
    ],
)
def test_resolved_through_is_the_last_rank_of_at_least_ten_quanta(grades: list[int], through: int) -> None:
    """The answer says how far down its order can be told."""
    log = -np.arange(len(grades), dtype=np.float64)
    assert order_candidates(log, np.array(grades, dtype=np.uint8)).resolved_through == through


@given(npst.arrays(np.float64, st.integers(min_value=1, max_value=20), elements=st.floats(-700.0, 700.0)))
def test_softmax_is_a_share(logits: np.ndarray) -> None:
    """Shares are finite and sum to 1 however far apart the log scores are, and their ratios are right."""
    falling = -np.sort(-logits)
    shares = softmax(falling)
    assert np.isfinite(shares).all()
    assert shares.sum() == pytest.approx(1.0)
    assert shares / shares[0] == pytest.approx(np.exp(falling - falling[0]))

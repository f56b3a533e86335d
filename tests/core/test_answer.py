"""A response is believed whole or not at all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.answer import check_answer, check_typed
from gateway.core.errors import Malformed

ASKED = ["a", "b", "c"]
GOOD = [0.5, 0.3, 0.2]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(ASKED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "items",
    [
        ["a", "b", "x"],
        ["a", "b", "b"],
        ["a", "b", ""],
        ["a", "b", None],
        ["a", "b", 3],
        ["a", "b", ["c"]],
        ["a", "b", {"c": 1}],
        ["a", "b", float("nan")],
        ["a", "b", b"c"],
    ],
)
def test_items_that_were_not_asked_for_once_are_malformed(items: list[Any]) -> None:
    """A foreign item, a duplicate, or something that is no item id fails the call, filter or not."""
    for filtered in (False, True):
        with pytest.raises(Malformed):
            check_answer(ASKED, items, GOOD, "RID", filtered=filtered)


@pytest.mark.parametrize("items", [["a", "b", "x"], ["a", "x", "b"], ["a", "b", "a"], ["a", "b"]])
def test_what_was_asked_twice_lets_no_stranger_in(items: list[str]) -> None:
    """Against the rules an item is asked twice: an answer of as many items, or of each once, is not believed."""
    for check in (check_answer, check_typed):
        with pytest.raises(Malformed):
            check(["a", "a", "b"], items, GOOD[: len(items)], "RID", filtered=False)


@pytest.mark.parametrize(
    "score",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        -1e-9,
        -1,
        True,
        False,
        "0.2",
        "",
        10**400,
        -(10**400),
        [0.2],
        {"score": 0.2},
        0.2j,
        b"0.2",
    ],
)
@pytest.mark.parametrize("place", [0, 2])
def test_scores_that_no_softmax_gives_are_malformed(score: Any, place: int) -> None:
    """A score is a finite number from 0 up, or absent."""
    scores: list[Any] = list(GOOD)
    scores[place] = score
    with pytest.raises(Malformed):
        check_answer(ASKED, ASKED, scores, "RID", filtered=False)


@pytest.mark.parametrize("score", [1.01, 2, 1e9, 1e308, 10**300])
def test_a_score_above_1_is_malformed(score: float) -> None:
    """A softmax shares out 1: more than that for one item is no score (and two of 1e308 overflow the calibration)."""
    with pytest.raises(Malformed):
        check_answer(ASKED, ASKED, [score, 0.0, 0.0], "RID", filtered=False)


@pytest.mark.parametrize("recommendation_id", [None, "", 7, b"RID", ["RID"]])
def test_an_answer_without_its_id_is_malformed(recommendation_id: object) -> None:
    """Every score is attributed to a call, so a call without an id is of no use."""
    with pytest.raises(Malformed):
        check_answer(ASKED, ASKED, GOOD, recommendation_id, filtered=False)


@pytest.mark.parametrize("items", [[], ["a"], ["c", "a"]])
def test_only_a_filter_may_drop_items(items: list[str]) -> None:
    """A shorter list is an exclusion under a filter, and a broken answer without one."""
    scores = GOOD[: len(items)]
    with pytest.raises(Malformed):
        check_answer(ASKED, items, scores, "RID", filtered=False)
    answer = check_answer(ASKED, items, scores, "RID", filtered=True)
    assert [ASKED[place] for place in answer.positions.tolist()] == items


@given(st.lists(st.tuples(ANYTHING, ANYTHING), max_size=4), ANYTHING, st.booleans())
def test_any_response_is_an_answer_or_malformed(
    rows: list[tuple[Any, Any]], recommendation_id: object, filtered: bool
) -> None:
    """Nothing but `Malformed` is ever raised, and what is believed is finite, distinct, and was asked for."""
    items, scores = [item for item, _ in rows], [score for _, score in rows]
    try:
        answer = check_answer(ASKED, items, scores, recommendation_id, filtered=filtered)
    except Malformed:
        return
    assert [ASKED[place] for place in answer.positions.tolist()] == items
    assert len(set(items)) == len(items)
    assert np.isfinite(answer.scores).all()
    assert (answer.scores >= 0.0).all()
    assert (answer.scores[answer.unknown] == 0.0).all()


@given(
    st.permutations(ASKED),
    st.lists(st.floats(min_value=0.0, max_value=1.0), min_size=3, max_size=3),
    st.sets(st.integers(min_value=0, max_value=2)),
)
def test_order_is_kept_and_absent_scores_are_unknown(items: list[str], shares: list[float], absent: set[int]) -> None:
    """An answer stands as it came; null marks an unknown item and 0 does not."""
    falling = sorted(shares, reverse=True)
    scores = [None if place in absent else score for place, score in enumerate(falling)]
    answer = check_answer(ASKED, items, scores, "RID", filtered=False)
    assert [ASKED[place] for place in answer.positions.tolist()] == items
    assert answer.scores.tolist() == [score or 0.0 for score in scores]
    assert answer.unknown.tolist() == [score is None for score in scores]
    assert answer.recommendation_id == "RID"


def test_whole_numbers_are_scores() -> None:
    """A JSON `1` or `0` is as good as 1.0 or 0.0."""
    answer = check_answer(ASKED, ASKED, [1, 0, 0], "RID", filtered=False)
    assert answer.scores.dtype == np.float64
    assert answer.scores.tolist() == [1.0, 0.0, 0.0]


def test_an_answer_that_rises_is_not_believed() -> None:
    """Best first is the contract: a score that rises by more than a rounding says that the order is not the model's."""
    with pytest.raises(Malformed):
        check_answer(ASKED, ASKED, [0.2, 0.5, 0.3], "RID", filtered=False)


def test_items_and_scores_belong_together() -> None:
    """An answer with a score too few or too many is malformed."""
    for scores in ([0.6, 0.4], [0.5, 0.3, 0.2, 0.0]):
        with pytest.raises(Malformed):
            check_answer(ASKED, ASKED, scores, "RID", filtered=False)


@given(
    st.lists(st.tuples(st.sampled_from([*ASKED, "x"]), st.none() | st.floats()), max_size=5),
    st.sampled_from(["RID", ""]),
    st.booleans(),
)
def test_what_a_decoder_has_typed_is_checked_no_less(
    rows: list[tuple[str, float | None]], recommendation_id: str, filtered: bool
) -> None:
    """Of texts and floats, the quick check believes exactly what the full one believes, and makes the same of it."""
    items, scores = [item for item, _ in rows], [score for _, score in rows]
    outcomes: list[Any] = []
    for check in (check_answer, check_typed):
        try:
            answer = check(ASKED, items, scores, recommendation_id, filtered=filtered)
        except Malformed as error:
            outcomes.append(str(error))
        else:
            outcomes.append([answer.positions.tolist(), answer.scores.tolist(), answer.unknown.tolist()])
    assert outcomes[0] == outcomes[1]


def test_numbers_that_are_none_of_floats_fail() -> None:
    """NaN is not taken for an absent score."""
    with pytest.raises(Malformed):
        check_typed(ASKED, ASKED, [0.5, float("nan"), None], "RID", filtered=False)

"""The scores of one call: a softmax over its known items, rounded after they are ordered."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.model import Model, rank, softmax

LOGITS = st.lists(st.floats(min_value=-12, max_value=12), min_size=2, max_size=60)


def model_of(logits: dict[str, float]) -> Model:
    """A model that gives every user these logits."""
    values = np.array(list(logits.values()), dtype=np.float64)
    return Model(
        item_ids=list(logits),
        popularity=softmax(values),
        log_popularity=values,
        item_vectors=np.zeros((len(values), 1)),
        user_ids=[],
        taste_of=lambda _: np.zeros(1),
    )


def named(values: list[float]) -> dict[str, float]:
    """The values as logits of items i0, i1, ..."""
    return {f"i{place}": value for place, value in enumerate(values)}


@given(LOGITS)
def test_scores_are_the_softmax_of_the_call(values: list[float]) -> None:
    """Every score is exp(logit) over the sum of exp(logit) of the items of the call, and they sum to 1."""
    logits = named(values)
    ranking = rank(model_of(logits), "u", list(logits), decimals=None)
    total = math.fsum(map(math.exp, values))
    expected = [math.exp(logits[item_id]) / total for item_id in ranking.item_ids]
    assert ranking.scores == pytest.approx(expected, rel=1e-12)
    assert math.fsum(score or 0 for score in ranking.scores) == pytest.approx(1.0)


@given(LOGITS, st.data())
def test_score_ratios_do_not_depend_on_the_list(values: list[float], data: st.DataObject) -> None:
    """Two items have the same score ratio in whichever lists they come together."""
    logits = named(values)
    others = data.draw(st.lists(st.sampled_from(sorted(logits)), unique=True))
    pair = ["i0", "i1"]
    ratios = []
    for item_ids in (pair, [*others, *pair], list(logits)):
        ranking = rank(model_of(logits), "u", item_ids, decimals=None)
        score_of = dict(zip(*ranking, strict=True))
        ratios.append((score_of["i0"] or 0) / (score_of["i1"] or 1))
    assert ratios == pytest.approx([math.exp(values[0] - values[1])] * 3, rel=1e-9)


@given(LOGITS)
def test_scores_are_rounded_to_seven_decimals_and_descend(values: list[float]) -> None:
    """The scores on the wire are the true ones rounded to 7 decimals, in descending order."""
    logits = named(values)
    exact = rank(model_of(logits), "u", list(logits), decimals=None)
    rounded = rank(model_of(logits), "u", list(logits))
    assert rounded.item_ids == exact.item_ids
    assert rounded.scores == pytest.approx(exact.scores, rel=0, abs=0.5e-7 + 1e-15)  # halves may go either way
    assert rounded.scores == [round(score or 0, 7) for score in rounded.scores]
    assert rounded.scores == sorted(rounded.scores, key=lambda score: -(score or 0))


def test_order_comes_from_the_unrounded_scores() -> None:
    """Items whose scores round to the same number are still in the order of their logits."""
    logits = {"low": -30.0, "top": 0.0, "middle": -29.0}
    ranking = rank(model_of(logits), "u", list(logits))
    assert ranking.item_ids == ["top", "middle", "low"]
    assert ranking.scores == [1.0, 0.0, 0.0]


def test_ties_keep_their_input_order() -> None:
    """Items of equal logits come in the order in which they were sent."""
    model = model_of(dict.fromkeys("abcdef", 0.0))
    assert rank(model, "u", list("fbdace")).item_ids == list("fbdace")


def test_unknown_items_come_last_in_input_order_and_take_no_share() -> None:
    """Items that the model does not know have no score, come last as sent, and leave the others' scores alone."""
    model = model_of({"a": 1.0, "b": 2.0})
    with_unknown = rank(model, "u", ["z", "a", "y", "b", "x"])
    alone = rank(model, "u", ["a", "b"])
    assert with_unknown.item_ids == ["b", "a", "z", "y", "x"]
    assert with_unknown.scores == [*alone.scores, None, None, None]


def test_only_unknown_items() -> None:
    """A call of unknown items alone comes back as it was sent, without scores."""
    assert rank(model_of({"a": 1.0}), "u", ["z", "y"]) == (["z", "y"], [None, None])


def test_an_item_that_comes_twice_is_ranked_once() -> None:
    """A duplicate changes nothing, known or unknown."""
    model = model_of({"a": 1.0, "b": 2.0})
    assert rank(model, "u", ["z", "a", "b", "a", "z", "y"]) == rank(model, "u", ["z", "a", "b", "y"])


def test_softmax_of_huge_logits() -> None:
    """Logits beyond the range of exp still give shares that sum to 1."""
    assert softmax(np.array([5000.0, 5000.0, -5000.0])).tolist() == [0.5, 0.5, 0.0]

"""Scales that share items are joined, along the path of the smallest error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import ROUNDING_ERROR
from gateway.core.scale import FRAME, Join, Scale, best_paths, join


def scale(**scores: float) -> Scale:
    """A scale over the places `p3=...`."""
    return Scale(np.array([int(place[1:]) for place in scores], dtype=np.intp), np.array(list(scores.values())))


def test_a_scale_finds_scores_by_place() -> None:
    """Scores are found whatever the order of the chunk, and are NaN for places that it does not hold."""
    found = scale(p7=0.5, p2=0.3, p9=0.2).of(np.array([2, 3, 9, 7, 0, 99]))
    np.testing.assert_array_equal(found, [0.3, np.nan, 0.2, 0.5, np.nan, np.nan])


def test_a_join_weighs_shared_items_by_their_scores() -> None:
    """The offset is the logarithm of the ratio of the sums over what both measured."""
    scales = {0: scale(p1=0.4, p2=0.1, p3=0.5), 1: scale(p1=0.08, p2=0.02, p4=0.9)}
    joined = join(0, 1, scales, np.array([1, 2, 3]))
    assert joined.offset == pytest.approx(math.log(5.0))
    assert joined.error == pytest.approx(ROUNDING_ERROR * math.sqrt(2) * (1 / 0.5 + 1 / 0.1))


def test_a_join_back_is_the_opposite() -> None:
    """Joining a to b and b to a gives opposite offsets and the same error."""
    scales = {0: scale(p1=0.4, p2=0.1), 1: scale(p1=0.08, p2=0.03)}
    there, back = (join(*ends, scales, np.array([1, 2])) for ends in ((0, 1), (1, 0)))
    assert there.offset == pytest.approx(-back.offset)
    assert there.error == pytest.approx(back.error)


def test_a_frame_adds_no_error_of_its_own() -> None:
    """What the frame holds was not rounded in these calls."""
    scales = {FRAME: scale(p1=1.0), 0: scale(p1=0.25)}
    assert join(FRAME, 0, scales, np.array([1])).error == pytest.approx(ROUNDING_ERROR / 0.25)


@pytest.mark.parametrize(
    "other",
    [scale(p5=0.5), scale(p1=np.nan), scale(p1=0.0), scale(p1=5e-324)],
    ids=["nothing shared", "no score", "rounded away", "too small to divide by"],
)
def test_what_cannot_be_joined_has_an_infinite_error(other: Scale) -> None:
    """Scales without a measured item in common are reported as apart, not joined by a NaN."""
    joined = join(0, 1, {0: scale(p1=0.4), 1: other}, np.array([1]))
    assert joined.error == math.inf
    assert not math.isnan(joined.offset)


def test_the_path_of_the_smallest_error_wins() -> None:
    """A detour over two good joins beats one bad join, and errors and offsets add up along it."""
    joins = [Join(0, 1, 5.0, 0.1), Join(0, 2, 1.0, 0.01), Join(2, 1, 2.0, 0.02), Join(0, 3, 9.0, math.inf)]
    reached = best_paths(joins, 0)
    assert reached[1] == pytest.approx((0.03, 3.0))
    assert set(reached) == {0, 1, 2}


def test_joins_are_walked_both_ways() -> None:
    """Walking a join backwards subtracts its offset."""
    assert best_paths([Join(0, 1, 5.0, 0.1), Join(2, 1, 2.0, 0.1)], 0)[2] == pytest.approx((0.2, 3.0))


@given(st.data())
def test_offsets_do_not_depend_on_the_path_where_joins_agree(data: st.DataObject) -> None:
    """In a graph whose joins come from true offsets, every reached scale gets its own, whatever the errors are."""
    true = data.draw(st.lists(st.integers(min_value=-50, max_value=50), min_size=2, max_size=8))
    nodes = st.integers(min_value=0, max_value=len(true) - 1)
    edges = data.draw(st.lists(st.tuples(nodes, nodes, st.floats(min_value=0.0, max_value=1.0)), max_size=20))
    reached = best_paths([Join(a, b, float(true[b] - true[a]), error) for a, b, error in edges], 0)
    linked = {0}
    for _ in true:
        linked |= {b for a, b, _ in edges if a in linked} | {a for a, b, _ in edges if b in linked}
    assert set(reached) == linked
    for node, (error, offset) in reached.items():
        assert offset == true[node] - true[0]
        assert error >= 0.0

"""What calibration must reach with scores rounded to 7 decimals, as the service rounds them."""

import math

import numpy as np
import pytest

from gateway.core.model import Grade
from tests.core.builders import Session, World, best_first, make, names, normal_world, tau, top_found

COUNTS = [501, 2_000, 10_000]
TAU_MIN = {1: 0.9995, 2: 0.9995, 3: 0.98, 4: 0.79}


@pytest.mark.parametrize("by_relevance", [False, True], ids=["random", "by relevance"])
@pytest.mark.parametrize("sigma", [1, 2, 3, 4])
@pytest.mark.parametrize("count", COUNTS)
def test_the_merged_ranking_is_as_good_as_one_call(count: int, sigma: int, by_relevance: bool) -> None:
    """Top 100, rank correlation, calls and bridges reach the goals of the design on every seed."""
    for seed in range(3):
        wanted, world = normal_world(seed, count, sigma, by_relevance=by_relevance)
        made = make(world, wanted)
        assert sorted(made.order) == sorted(wanted)
        assert top_found(world, made.order) >= (1.0 if sigma <= 3 else 0.99)
        assert tau(world, made.order) >= TAU_MIN[sigma]
        assert sum(made.scores) == pytest.approx(1.0)
        assert len(made.plan.chunks) <= math.ceil(count / 500) + 1
        assert len(made.bridges) <= (0 if sigma <= 2 else 1)


@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_the_best_scores_are_those_of_one_call(sigma: int) -> None:
    """The hundred best items carry the scores of one unlimited call, to about the rounding of a call."""
    wanted, world = normal_world(11, 10_000, sigma)
    made = make(world, wanted)
    expected = dict(world.whole(wanted))
    for item, score in zip(made.order[:100], made.scores[:100], strict=True):
        assert score == pytest.approx(expected[item], rel=1e-3)


@pytest.mark.parametrize("sigma", [3, 4])
def test_the_order_is_good_through_the_resolved_rank(sigma: int) -> None:
    """Where the deep tail of a peaked user is not resolved, the ranks that are said to be resolved are."""
    for seed in range(3):
        wanted, world = normal_world(seed, 10_000, sigma)
        made = make(world, wanted)
        through = made.ranking.resolved_through
        assert 5_000 < through < 10_000
        assert tau(world, made.order[:through]) > 0.98
        assert top_found(world, made.order, through) > 0.98


def test_a_lone_item_does_not_win_its_call() -> None:
    """With 501 candidates the weakest one stays last, whichever call it is in."""
    wanted, world = normal_world(12, 501, 1.0)
    for place in (0, 250, 500):
        weakest = World({**world.logits, wanted[place]: -7.0})
        assert make(weakest, wanted).order[-1] == wanted[place]


def test_a_lost_call_costs_a_thin_slice_of_everything() -> None:
    """With one of 21 calls lost, the rest stands in the right order, and about a twentieth of the best is missing."""
    wanted, world = normal_world(13, 10_000, 2.0)
    made = make(world, wanted, lost={4})
    ranked = made.order[: made.ranking.ranked]
    assert top_found(world, ranked) >= 0.85
    assert tau(world, ranked) > 0.9995
    assert ranked[:100] == best_first(world, ranked)[:100]


# --- one user, many lists -------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1, 2])
def test_an_overlapping_list_through_a_frame_is_ranked_as_one_call(sigma: int) -> None:
    """A list that is known to nine tenths costs one call, and its order is that of one unlimited call."""
    wanted, world = normal_world(21, 4_200, sigma)
    session = Session(world)
    session.rank(wanted[:4_000])
    candidates = np.random.default_rng(22).permutation(wanted[400:4_200]).tolist()
    order, scores = session.rank(candidates)
    assert session.made is not None
    assert len(session.made.plan.chunks) == 1
    assert not session.made.bridges
    assert tau(world, order) >= 0.9995
    assert top_found(world, order) == 1.0
    expected = dict(world.whole(candidates))
    assert scores[:100] == pytest.approx([expected[item] for item in order[:100]], rel=2e-3)


def test_a_known_list_costs_no_call() -> None:
    """Whatever the frame holds is never asked for again, in any other order or selection."""
    wanted, world = normal_world(23, 1_500, 1.0)
    session = Session(world)
    session.rank(wanted)
    order, _ = session.rank(wanted[::-3])
    assert session.made is None
    assert order[:100] == best_first(world, wanted[::-3])[:100]


@pytest.mark.parametrize("seed", range(3))
def test_25_requests_of_one_user_keep_their_quality(seed: int) -> None:
    """Through a frame that grows request by request, mixed lists and single categories lose nothing at the top.

    The order of the whole stays right as well, but for what a mixed list has left faint of a category that the user
    does not like: the tail of such a category's own list.
    """
    rng = np.random.default_rng(seed)
    category = rng.integers(0, 25, 50_000)
    logits = rng.normal(0.0, 2.0, 50_000) + rng.normal(0.0, 2.0, 25)[category]
    catalogue = np.array(names(50_000))
    session = Session(world := World(dict(zip(catalogue.tolist(), logits.tolist(), strict=True))))
    for request in range(25):
        shelf = catalogue if request % 2 == 0 else catalogue[category == rng.integers(25)]
        candidates = rng.permutation(shelf)[:2_000].tolist()
        order, _ = session.rank(candidates)
        assert top_found(world, order) == 1.0
        if session.made is not None:
            assert len(session.made.plan.chunks) == math.ceil(session.made.plan.wanted / (499 if request else 497))
            assert not session.made.bridges
            assert not session.made.calibration.drifted
        assert session.frame is not None
        grades = session.frame.grade[session.frame.rows(order)]
        resolved = [item for item, grade in zip(order, grades, strict=True) if grade <= Grade.RESOLVED]
        assert tau(world, resolved) >= 0.99
        assert tau(world, order) >= (0.99 if len(resolved) > 0.8 * len(order) else 0.9)


def test_items_rounded_away_in_one_list_are_scored_in_their_own() -> None:
    """A list without the favourite is ranked and scored as one call would, although the favourite once drowned it."""
    world = World({"favourite": 20.0, "a": 0.0, "b": 1.0, "c": 2.0})
    session = Session(world)
    session.rank(["favourite", "a", "b", "c"])
    order, scores = session.rank(["a", "b", "c"])
    assert order == ["c", "b", "a"]
    assert scores == pytest.approx([0.665, 0.245, 0.090], abs=1e-3)

"""What joins calls when the anchors do not: bridges, other calls' anchors, and what is flagged where nothing does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.answer import check_answer
from gateway.core.bridge import plan_bridges
from gateway.core.calibration import ERROR_MAX, calibrate
from gateway.core.model import Grade
from gateway.core.plan import plan_ranking
from tests.core.builders import World, best_first, make, normal_world


@pytest.mark.parametrize("what", ["unknown", "excluded"])
def test_calls_without_anchors_are_flagged_until_they_are_bridged(what: str) -> None:
    """Anchors that came back without a score join nothing: an infinite error says so, and a bridge mends it."""
    wanted, world = normal_world(3, 1_200, 1.0)
    plan = plan_ranking(wanted)
    anchors = frozenset(plan.items(plan.anchors))
    if what == "excluded":
        world = replace(world, excluded=anchors)
    else:
        world = replace(world, logits={item: logit for item, logit in world.logits.items() if item not in anchors})
    apart = make(world, wanted, bridged=False)
    assert np.isinf(apart.calibration.errors).all()
    assert len(make(world, wanted).bridges) == 1
    assert make(world, wanted).calibration.error < ERROR_MAX
    others = [item for item in wanted if item not in anchors]
    assert make(world, wanted).order[:200] == best_first(world, others)[:200]


@given(st.integers(0, 2**32), st.integers(2, 480), st.floats(1.0, 6.0), st.sampled_from(["unknown", "excluded"]))
def test_a_bridge_over_all_that_is_scored_is_the_one_call(seed: int, left: int, sigma: float, others: str) -> None:
    """Where no more items have a score than one call holds, a bridge gives the order and the scores of one call."""
    wanted, world = normal_world(seed, 1_200, sigma)
    kept = set(wanted[seed % 700 :: 1_200 // left][:left])
    if others == "excluded":
        world = replace(world, excluded=frozenset(wanted) - kept)
    else:
        world = World({item: world.logits[item] for item in kept})
    apart = make(world, wanted, bridged=False)
    bridges = plan_bridges(apart.plan, apart.answers)
    assume(bridges and apart.calibration.error > ERROR_MAX)
    given = [world.answer(apart.plan.items(one.chunk)) for one in bridges]
    made = replace(apart, bridges=bridges, calibration=calibrate(apart.plan, apart.answers, bridges, given))
    one_call = [(item, score or 0.0) for item, score in world.rows(wanted)]
    pressed = {item for item, score in one_call if score == 0.0 and item in kept}
    assert made.calibration.error == 0.0
    assert [item for item in made.order if item not in pressed] == [item for item, _ in one_call if item not in pressed]
    assert made.scores[: len(kept - pressed)] == pytest.approx(
        [score / sum(score for _, score in one_call) for _, score in one_call][: len(kept - pressed)], rel=1e-3
    )


def test_a_lost_bridge_leaves_the_calls_as_they_were() -> None:
    """A bridge that failed changes nothing, the error included."""
    wanted, world = normal_world(4, 1_200, 1.0)
    plan = plan_ranking(wanted)
    anchors = set(plan.items(plan.anchors))
    made = make(World({item: logit for item, logit in world.logits.items() if item not in anchors}), wanted)
    without = calibrate(made.plan, made.answers, made.bridges, [None])
    np.testing.assert_array_equal(without.log, made.first.log)
    assert np.isinf(without.errors).all()


@pytest.mark.parametrize("rows", ["none", "unknown"])
def test_a_call_without_a_score_does_not_take_the_anchors_away(rows: str) -> None:
    """Anchors that other calls scored stay ranked when one call excluded everything or knew nothing."""
    wanted, world = normal_world(5, 1_200, 1.0)
    made = make(world, wanted)
    asked = made.plan.items(made.plan.chunks[1])
    said = [] if rows == "none" else asked
    strange = check_answer(asked, said, [None] * len(said), "RID", filtered=True)
    calibration = calibrate(made.plan, [made.answers[0], strange, made.answers[2]])
    assert (calibration.grade[made.plan.anchors] <= Grade.FAINT).all()


def test_an_anchor_that_one_call_does_not_know_counts_in_none() -> None:
    """Calls that disagree about one anchor are joined over the others, and stay on one scale."""
    wanted, world = normal_world(6, 1_200, 1.0)
    plan = plan_ranking(wanted)
    strange = plan.items(plan.anchors)[5]
    worlds = [replace(world, logits={**world.logits, strange: 6.0}), world, world]
    worlds[1] = World({item: logit for item, logit in world.logits.items() if item != strange})
    answers = [each.answer(plan.items(chunk)) for each, chunk in zip(worlds, plan.chunks, strict=True)]
    calibration = calibrate(plan, answers)
    moves = {item: log - world.logits[item] for item, log in zip(wanted, calibration.log, strict=True)}
    del moves[strange]
    assert calibration.error < ERROR_MAX
    assert np.ptp(list(moves.values())) < 0.01


def test_a_call_that_nothing_joins_is_taken_for_one_like_the_others() -> None:
    """A favourite that drowned the anchors of its call is flagged, and still comes first."""
    wanted, world = normal_world(7, 1_200, 1.0)
    world = World({**world.logits, wanted[0]: 25.0})
    made = make(world, wanted, bridged=False)
    assert np.isinf(made.calibration.errors).sum() == 1
    assert made.order[0] == wanted[0]
    call = int(made.calibration.call[0])
    others = [offset for c, offset in enumerate(made.calibration.offsets.tolist()) if c != call]
    assert made.calibration.offsets[call] == pytest.approx(np.mean(others))

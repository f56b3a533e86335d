"""A frame learns what was answered, from whom, and nothing else."""

import numpy as np
import pytest

from gateway.core.model import Grade
from tests.core.builders import World, make, names, normal_world


def test_everything_answered_is_learnt_in_the_callers_order() -> None:
    """Scored, unknown and excluded items are all kept: each is knowledge that need not be asked for again."""
    wanted, world = normal_world(1, 700, 1.0)
    world = World({item: world.logits[item] for item in wanted[:600]}, frozenset(wanted[100:120]))
    made = make(world, wanted)
    assert made.frame.items == wanted
    assert (made.frame.grade[100:120] == Grade.EXCLUDED).all()
    assert (made.frame.grade[600:] == Grade.UNKNOWN).all()
    np.testing.assert_array_equal(made.frame.log, made.calibration.log)


def test_items_of_failed_calls_are_left_out() -> None:
    """What could not be ranked is asked for again next time."""
    wanted, world = normal_world(2, 2_000, 1.0)
    made = make(world, wanted, lost={1, 3})
    lost = {made.plan.universe[place] for call in (1, 3) for place in made.plan.chunks[call].tolist()}
    anchors = set(made.plan.items(made.plan.anchors))
    assert made.frame.items == [item for item in wanted if item not in lost - anchors]
    assert Grade.UNRANKED not in made.frame.grade


@pytest.mark.parametrize("lost", [set(), {0}, {0, 2}])
def test_every_item_names_the_call_that_scored_it(lost: set[int]) -> None:
    """The id of an item is that of a call in which it was asked, never of a failed one."""
    wanted, world = normal_world(3, 2_000, 1.0)
    made = make(world, wanted, lost=lost)
    frame = made.frame
    asked = {f"RID-{call}": set(made.plan.items(chunk)) for call, chunk in enumerate(made.plan.chunks)}
    for item, source in zip(frame.items, frame.source.tolist(), strict=True):
        assert item in asked[frame.recommendation_ids[source]]
    assert not {f"RID-{call}" for call in lost} & set(frame.recommendation_ids)


def test_items_of_the_old_frame_are_not_learnt_again() -> None:
    """Anchors that came from a frame stay out of what is added to it."""
    wanted, world = normal_world(4, 1_500, 1.0)
    old = make(world, wanted[:800]).frame
    new = make(world, wanted[800:], old).frame
    assert new.items == wanted[800:]
    assert len(old.extended(new)) == 1_500


def test_nothing_answered_is_an_empty_frame() -> None:
    """When all calls failed there is nothing to keep."""
    made = make(World({}), names(600), lost={0, 1})
    assert len(made.frame) == 0
    assert made.frame.recommendation_ids == ()

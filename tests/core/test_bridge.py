"""Bridges join all calls that were answered, over their best items, in calls that are themselves within the limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.bridge import SHARE_MIN, in_turn, plan_bridges
from gateway.core.calibration import ERROR_MAX
from gateway.core.plan import plan_ranking
from gateway.core.scale import FRAME
from tests.core.builders import Made, World, best_first, frame_with, make, names, normal_world, tau


def blind(seed: int, count: int, sigma: float = 1.5, limit: int = 500) -> tuple[list[str], World]:
    """A world that does not know the anchors of a cold plan."""
    wanted, world = normal_world(seed, count, sigma)
    plan = plan_ranking(wanted, None, limit)
    anchors = set(plan.items(plan.anchors))
    return wanted, World({item: logit for item, logit in world.logits.items() if item not in anchors})


def known_order(made: Made, world: World) -> list[str]:
    """The order of the items that the world knows."""
    return [item for item in made.order if item in world.logits]


def check_bridges(made: Made) -> None:
    """Every bridge is a legal call, and together they hang all scored calls on one topmost bridge."""
    members: list[int] = []
    for bridge in made.bridges:
        assert 0 < len(set(bridge.chunk.tolist())) == len(bridge.chunk) <= made.plan.limit
        members += bridge.members
    top = len(made.plan.chunks) + len(made.bridges) - 1
    assert len(set(members)) == len(members)
    assert set(members) == set(range(top)) | ({FRAME} if made.plan.known_log is not None else set())


def test_one_bridge_joins_calls_whose_anchors_are_unknown() -> None:
    """The order of one unlimited call comes back although no anchor had a score, for one extra call."""
    wanted, world = blind(1, 2_000)
    made = make(world, wanted)
    check_bridges(made)
    assert np.isinf(made.first.errors).all()
    assert len(made.bridges) == 1
    assert made.calibration.error < 1e-5
    assert tau(world, known_order(made, world)) > 0.999
    assert known_order(made, world)[:100] == best_first(world, wanted)[:100]


def test_one_bridge_joins_calls_whose_anchors_are_faint() -> None:
    """Anchors that nearly round away ask for a bridge, and after it the error is small again."""
    wanted, world = normal_world(2, 2_000, 1.0)
    plan = plan_ranking(wanted)
    weak = dict.fromkeys(plan.items(plan.anchors), -9.0)
    world = World({**world.logits, **weak})
    made = make(world, wanted)
    assert ERROR_MAX < made.first.error < np.inf
    assert len(made.bridges) == 1
    assert made.calibration.error < 1e-4
    assert made.order[:100] == best_first(world, wanted)[:100]


def test_a_bridge_takes_its_share_of_the_best_of_every_call() -> None:
    """Each of m calls gives its best limit / m items."""
    wanted, world = blind(3, 2_000)
    made = make(world, wanted)
    bridged = set(made.plan.items(made.bridges[0].chunk))
    for chunk in made.plan.chunks:
        assert set(best_first(world, made.plan.items(chunk))[: 500 // len(made.plan.chunks)]) <= bridged


@pytest.mark.parametrize(("count", "limit"), [(200, 10), (900, 20), (600, 12), (700, 6)])
def test_beyond_limit_calls_bridges_stand_on_bridges(count: int, limit: int) -> None:
    """More calls than a bridge has slots are joined in levels, all of them known at once, with a small error."""
    wanted, world = blind(4, count, 1.0, limit)
    made = make(world, wanted, limit=limit)
    check_bridges(made)
    assert len(made.plan.chunks) > limit
    assert len(made.bridges) > 1
    assert all(len(bridge.members) <= max(2, limit // SHARE_MIN) for bridge in made.bridges[:-1])
    assert made.calibration.error < 1e-4
    known = known_order(made, world)
    assert tau(world, known) > 0.9999


@given(st.integers(min_value=2, max_value=12), st.integers(min_value=5, max_value=120), st.integers(0, 5))
def test_bridges_are_legal_calls_at_every_limit(limit: int, count: int, seed: int) -> None:
    """Size, distinctness and coverage hold however small the limit, and every call is joined."""
    wanted, world = blind(seed, count, 1.0, limit)
    made = make(world, wanted, limit=limit)
    if made.bridges:
        check_scored_members(made)
    assert np.isfinite(made.calibration.errors).all()
    assert sorted(made.order) == sorted(wanted)


def check_scored_members(made: Made) -> None:
    """Exactly the calls with a scored item are members of a bridge, and every bridge but the top one is."""
    calls = len(made.plan.chunks)
    scored = {call for call, answer in enumerate(made.answers) if answer is not None and answer.scores.any()}
    members = [member for bridge in made.bridges for member in bridge.members]
    assert sorted(members) == sorted(scored | set(range(calls, calls + len(made.bridges) - 1)))
    for bridge in made.bridges:
        assert 0 < len(set(bridge.chunk.tolist())) == len(bridge.chunk) <= made.plan.limit


def test_a_bridge_joins_new_calls_to_the_frame() -> None:
    """Where the frame's anchors are unknown by now, its strongest items in the bridge still hold the scale."""
    known = {name: -0.001 * place for place, name in enumerate(names(1_000, "known"))}
    frame = frame_with(known)
    wanted, world = normal_world(5, 600, 1.0)
    plan = plan_ranking(wanted, frame)
    gone = set(plan.items(plan.anchors))
    world = World({**world.logits, **{item: log for item, log in known.items() if item not in gone}})
    made = make(world, wanted, frame)
    check_bridges(made)
    assert np.isinf(made.first.errors).all()
    assert made.calibration.error < 1e-4
    place = wanted.index(max(wanted, key=world.logits.__getitem__))
    assert made.calibration.log[place] == pytest.approx(world.logits[wanted[place]], abs=1e-4)


def test_nothing_is_bridged_where_nothing_is_apart() -> None:
    """No scored call, or a single one without a frame, needs no bridge."""
    wanted, world = blind(6, 1_000)
    plan = plan_ranking(wanted)
    answers = [world.answer(plan.items(chunk)) for chunk in plan.chunks]
    assert plan_bridges(plan, [None] * len(plan.chunks)) == []
    assert plan_bridges(plan, [answers[0], *[None] * (len(answers) - 1)]) == []
    assert plan_bridges(plan, [World({}).answer(plan.items(chunk)) for chunk in plan.chunks]) == []


def test_in_turn_deals_one_of_each() -> None:
    """The first of every list come first, and a place that stands in several lists comes once."""
    lists = [np.array([3, 1, 4]), np.array([1, 5]), np.array([], dtype=np.intp), np.array([9, 2, 6, 5])]
    assert in_turn(lists).tolist() == [3, 1, 9, 5, 2, 4, 6]

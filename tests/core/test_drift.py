"""A frame that no longer tells the truth is found out, and one that does is never suspected."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.core.calibration import calibrate
from gateway.core.frame import Frame
from gateway.core.plan import plan_ranking
from tests.core.builders import World, frame_with, make, names, normal_world

HELD = 1_500
COUNT = 2_100


def held(world: World, wanted: list[str]) -> Frame:
    """What a first list of the user taught."""
    return make(world, wanted[:HELD]).frame


def moved(world: World, seed: int, by: float) -> World:
    """The same user after every logit moved on its own by about this much."""
    steps = np.random.default_rng(seed).normal(0.0, by, len(world.logits))
    return World({item: logit + step for (item, logit), step in zip(world.logits.items(), steps.tolist(), strict=True)})


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0, 4.0])
def test_a_user_who_did_not_move_is_not_suspected(sigma: float) -> None:
    """Over many users, peaked ones included, rounding alone never looks like drift."""
    for seed in range(12):
        wanted, world = normal_world(seed, COUNT, sigma)
        made = make(world, wanted[HELD:], held(world, wanted))
        assert made.calibration.drift is not None
        assert not made.first.drifted
        assert not made.calibration.drifted


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0, 4.0])
def test_a_user_who_moved_clearly_is_found_out(sigma: float) -> None:
    """Logits that moved by a tenth and more are drift."""
    for seed in range(12):
        wanted, world = normal_world(seed, COUNT, sigma)
        made = make(moved(world, seed + 100, 0.15), wanted[HELD:], held(world, wanted))
        assert made.calibration.drifted


def test_a_frame_of_two_items_that_moved_is_found_out() -> None:
    """Two items whose difference has moved clearly are enough to tell; where nothing moved, nobody is suspected."""
    for seed in range(20):
        wanted, world = normal_world(seed, 3, 1.0)
        frame = make(world, wanted[:2]).frame
        assert not make(world, wanted[2:], frame).calibration.drifted
        apart = {item: logit + 0.5 * (-1) ** number for number, (item, logit) in enumerate(world.logits.items())}
        assert make(World(apart), wanted[2:], frame).calibration.drifted


def test_a_shift_of_all_logits_is_no_drift() -> None:
    """A softmax does not see one number added to all logits, so neither does the frame."""
    wanted, world = normal_world(3, COUNT, 2.0)
    shifted = World({item: logit + 5.0 for item, logit in world.logits.items()})
    made = make(shifted, wanted[HELD:], held(world, wanted))
    assert not made.calibration.drifted


@pytest.mark.parametrize("what", ["unknown", "excluded"])
def test_a_frame_whose_items_vanished_is_drift(what: str) -> None:
    """When nothing of the frame can be found again, neither in calls nor in a bridge, it is no scale any more."""
    wanted, world = normal_world(4, COUNT, 1.0)
    frame = held(world, wanted)
    if what == "excluded":
        gone = replace(world, excluded=frozenset(wanted[:HELD]))
    else:
        gone = World({item: world.logits[item] for item in wanted[HELD:]})
    made = make(gone, wanted[HELD:], frame)
    assert made.calibration.drift == np.inf
    assert made.calibration.drifted


def test_a_few_vanished_anchors_are_no_drift() -> None:
    """Items sell out; as long as the others keep their differences the frame holds."""
    wanted, world = normal_world(5, COUNT, 1.0)
    frame = held(world, wanted)
    plan = plan_ranking(wanted[HELD:], frame)
    gone = set(plan.items(plan.anchors[::3]))
    made = make(World({item: logit for item, logit in world.logits.items() if item not in gone}), wanted[HELD:], frame)
    assert made.calibration.drift is not None
    assert not made.calibration.drifted
    assert not made.bridges


def test_one_witness_is_too_few_for_a_verdict() -> None:
    """A single sharp anchor has no difference that could have moved: there is no verdict, and no drift."""
    frame = frame_with({"k0": 0.0})
    made = make(World({"k0": -3.0, "new": 1.0}), ["new"], frame)
    assert made.calibration.drift is None
    assert not made.calibration.drifted


def test_a_cold_ranking_has_nothing_to_drift_from() -> None:
    """Without a frame there is no verdict."""
    wanted, world = normal_world(6, 900, 1.0)
    assert make(world, wanted).calibration.drift is None


def test_a_drifted_plan_can_be_calibrated_without_its_frame() -> None:
    """The new calls are true among themselves: without the frame they give their own order."""
    wanted, world = normal_world(7, COUNT, 1.0)
    now = moved(world, 8, 1.0)
    made = make(now, wanted[HELD:], held(world, wanted))
    own = calibrate(replace(made.plan, known_log=None), made.answers, made.bridges)
    logits = np.array([now.logits[item] for item in wanted[HELD:]])
    assert own.drift is None
    assert own.error < 1e-3
    assert np.ptp((own.log - logits)[logits > -2.0]) < 0.02


def test_a_new_favourite_is_no_drift() -> None:
    """One very strong new item rounds the anchors of its call to 0; they are still there, so the user did not move."""
    frame = frame_with({name: -0.1 * place for place, name in enumerate(names(30, "k"))})
    world = World({**{name: -0.1 * place for place, name in enumerate(names(30, "k"))}, "favourite": 22.0, "new": 0.0})
    made = make(world, ["favourite", "new"], frame)
    assert not made.calibration.drifted


@pytest.mark.parametrize(
    ("error", "drift", "drifted"),
    [(0.0, 0.019, False), (0.0, 0.021, True), (0.01, 0.059, False), (0.01, 0.061, True), (0.0, None, False)],
)
def test_a_move_is_drift_beyond_2_percent_and_6_errors(error: float, drift: float | None, drifted: bool) -> None:
    """Neither small moves nor those that the scale's own error explains throw a frame away."""
    wanted, world = normal_world(9, 10, 1.0)
    calibration = make(world, wanted).calibration
    assert replace(calibration, errors=np.array([error]), drift=drift).drifted == drifted


def test_faint_anchors_are_no_witnesses() -> None:
    """A score of a few quanta is rounded too coarsely to say whether anything moved."""
    known = {name: -0.01 * place for place, name in enumerate(names(40, "k"))}
    made = make(World({**known, "new": 15.0}), ["new"], frame_with(known), bridged=False)
    assert np.isfinite(made.calibration.error)
    assert made.calibration.drift is None

"""Several ARNs: calls spread over those that are well, and one that dies is not seen by callers."""

import math
from random import Random

import numpy as np
import pytest

from gateway.core.breaker import State
from gateway.core.errors import Throttled, Unavailable
from gateway.core.routing import Campaign
from gateway.ports import Call
from tests.service.simulation import ARNS, Outcome, Scene, healthy, quantile
from tests.support.gateway_parts import ARN

THREE = Campaign("demo", ARN, ARNS[1:])
FAULT_S = 2.0


def dying(how: Outcome, seed: int = 3):
    """Three replicas, the first of which dies after two seconds."""
    well = healthy(seed)
    return lambda number, call, now_s: how if call.arn == ARN and now_s >= FAULT_S else well(number, call, now_s)


LOADS = pytest.mark.parametrize(("per_s", "calls"), [(30.0, 5), (2.0, 21)])
FAULTS = {"hangs": (math.inf, None), "fails": (0.01, Unavailable("x")), "throttles": (0.01, Throttled("x"))}


async def test_calls_are_spread_evenly() -> None:
    """Replicas that are well get the same number of calls, within a few."""
    scene = Scene.of(healthy(3), THREE)
    await scene.load(30.0, 5.0, calls=5)
    shares = [len(scene.upstream.times(arn)) / len(scene.upstream.began) for arn in ARNS]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)


@LOADS
@pytest.mark.parametrize("how", FAULTS.values(), ids=FAULTS)
async def test_one_dying_replica_is_not_seen(per_s: float, calls: int, how: Outcome) -> None:
    """After the first second of its hanging, failing or throttling no ranking misses an answer, none is slow."""
    scene = Scene.of(dying(how), THREE)
    await scene.load(per_s, 8.0, calls=calls, duration_s=1.0)
    later = [one for one in scene.seen if one.came_s > FAULT_S + 1.0]
    assert all(one.whole for one in later)
    assert quantile(later, 0.95) < 0.25
    assert scene.amplification() <= 1.10


@pytest.mark.parametrize("how", [FAULTS["hangs"], FAULTS["fails"]], ids=["hangs", "fails"])
async def test_a_dead_replica_is_only_probed(how: Outcome) -> None:
    """Once its breaker is open it gets about one call in `open_s`, whatever the load."""
    scene = Scene.of(dying(how), THREE)
    await scene.load(30.0, 9.0, calls=5, duration_s=1.0)
    assert np.sum(scene.upstream.times(ARN) > FAULT_S + 1.0) <= 8
    assert scene.gate.lanes[0].breaker.opened >= 4
    assert [lane.breaker.opened for lane in scene.gate.lanes[1:]] == [0, 0]


async def test_a_lone_arn_that_dies_is_seen() -> None:
    """The control: the same fault without replicas leaves no ranking whole."""
    scene = Scene.of(dying(FAULTS["hangs"]))
    await scene.load(30.0, 6.0, calls=5, duration_s=1.0)
    assert not any(one.whole for one in scene.seen if one.came_s > FAULT_S + 1.0)


async def test_a_replica_that_comes_back_is_used_again() -> None:
    """Five seconds after it is well again it has about its share of the calls (its limit may still be lower)."""
    well = healthy(3)
    scene = Scene.of(
        lambda number, call, now_s: (
            (math.inf, None) if call.arn == ARN and 1.0 <= now_s < 4.0 else well(number, call, now_s)
        ),
        THREE,
    )
    await scene.load(20.0, 12.0, calls=5, duration_s=1.0)
    times = scene.upstream.times()
    assert np.sum(scene.upstream.times(ARN) > 9.0) == pytest.approx(np.sum(times > 9.0) / 3, rel=0.3)


@LOADS
@pytest.mark.parametrize("seed", [3, 4])
async def test_all_slowing_down_together_is_no_fault_of_one(per_s: float, calls: int, seed: int) -> None:
    """When all replicas go from 40 to 400 ms no breaker opens, and nobody misses an answer who has the time."""
    random = Random(seed)

    def script(_: int, __: Call, now_s: float) -> Outcome:
        return random.lognormvariate(math.log(0.04 if now_s < 4.0 else 0.4), 0.35), None

    scene = Scene.of(script, THREE)
    await scene.load(per_s, 7.0, calls=calls, duration_s=5.0)
    assert [lane.breaker.opened for lane in scene.gate.lanes] == [0, 0, 0]
    assert all(one.whole for one in scene.seen)
    assert scene.amplification() <= 1.10


async def test_a_retry_goes_elsewhere() -> None:
    """What failed on one replica is tried again on another."""
    scene = Scene.of(lambda number, _, __: (0.01, Unavailable("blip") if number == 0 else None), THREE)
    seen = await scene.ask()
    assert seen.whole
    assert len({arn for _, arn in scene.upstream.began}) == len(scene.upstream.began) == 2


async def test_calls_that_fell_behind_speak_against_their_arn() -> None:
    """A call that a later one to another ARN overtakes counts as a failure once, however often it is noticed."""
    scene = Scene.of(lambda number, _, __: (1.0 if number == 60 else 0.02, None), THREE)
    for _ in range(60):
        await scene.ask()
    await scene.ask()
    assert sorted(lane.overtaken for lane in scene.gate.lanes) == [0, 0, 1]
    assert all(lane.breaker.state is State.CLOSED for lane in scene.gate.lanes)
    assert sum(lane.timed_out for lane in scene.gate.lanes) == 0
    assert [lane.limit.now for lane in scene.gate.lanes] == [100] * 3


async def test_a_slow_call_of_an_arn_that_answers_speaks_not_against_it() -> None:
    """Of an ARN that has answered something since, one slow call is chance, though all other ARNs are done."""
    scene = Scene.of(lambda number, _, __: (1.0 if number == 60 else 0.02, None), THREE)
    for _ in range(60):
        await scene.ask()
    seen = await scene.ask(6)
    assert seen.fan.hedges == 1
    assert [lane.overtaken for lane in scene.gate.lanes] == [0, 0, 0]

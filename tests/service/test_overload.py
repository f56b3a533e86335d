"""More than a campaign can do: what is let in is answered whole and in time, the rest is told at once."""

import asyncio

import numpy as np
import pytest

from gateway.core.admission import WAITING_MAX
from gateway.core.errors import Busy, Throttled
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.result import Degraded
from tests.service.scenes import catalogue, order, rerank, service_of
from tests.service.simulation import Outcome, Scene, healthy, quantile
from tests.support.canaries import OTHER_USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

FOR_S = 8.0


async def loaded(times: float, calls: int, tps: float, *, naive: bool = False) -> Scene:
    """A campaign with a ceiling, under a load of so many times the ceiling, with a second for every ranking."""
    scene = Scene.of(healthy(3), Campaign("demo", ARN, tps=tps))
    if naive:
        scene.gate.admit = lambda *_: None  # type: ignore[method-assign]
    await scene.load(times * tps / calls, FOR_S, calls=calls, duration_s=1.0)
    return scene


def goodput(scene: Scene, calls: int) -> float:
    """Calls of whole answers per second, after the burst of the first second has gone."""
    return sum(one.whole for one in scene.seen if one.came_s > 2.0) * calls / (FOR_S - 2.0)


@pytest.mark.parametrize(("calls", "tps"), [(1, 50.0), (5, 50.0), (21, 100.0)])
async def test_three_times_too_much(calls: int, tps: float) -> None:
    """Under 3x the load the goodput is at least 90 % of the ceiling; refusals take no time; nothing is late."""
    scene = await loaded(3.0, calls, tps)
    assert goodput(scene, calls) >= 0.9 * tps
    refused = [one for one in scene.seen if any(isinstance(failure, Busy) for failure in one.fan.failures)]
    assert len(refused) > 0.5 * len(scene.seen)
    assert {one.took_s for one in refused} == {0.0}
    assert all(isinstance(failure, Busy) for one in refused for failure in one.fan.failures)
    assert max(one.took_s for one in scene.seen) <= 1.0
    assert scene.amplification() <= 1.10
    assert scene.gate.stats.busy == calls * len(refused)


async def test_letting_everybody_in() -> None:
    """The control: without refusals the same overload leaves hardly a ranking whole."""
    assert goodput(await loaded(3.0, 5, 50.0, naive=True), 5) < 0.3 * 50.0


async def test_afterwards_all_is_well() -> None:
    """Five seconds after an overload answers are whole and as quick as ever, and nothing is left of the queue."""
    scene = await loaded(3.0, 5, 50.0)
    await asyncio.sleep(5.0)
    after = await scene.load(5.0, 5.0, calls=5, duration_s=1.0, seed=2)
    assert all(one.whole for one in after)
    assert quantile(after, 0.5) < 0.08
    assert (scene.gate.waiting, scene.gate.in_flight, scene.gate._queue) == (0, 0, [])


async def test_the_queue_never_grows_beyond_its_limit() -> None:
    """However many come one after another, with however much time, no more calls wait than the limit."""
    scene = Scene.of(lambda *_: (1.0, None), Campaign("demo", ARN, concurrency_max=1))
    async with asyncio.TaskGroup() as group:
        asked = []
        for _ in range(150):
            asked.append(group.create_task(scene.ask(20, 10_000.0)))
            await asyncio.sleep(0.0001)
        assert 0 < scene.gate.waiting <= WAITING_MAX
        for one in asked:
            one.cancel()
    assert (scene.gate.waiting, scene.gate.in_flight) == (0, 0)


async def test_a_refused_ranking_is_busy_or_falls_back() -> None:
    """Refused for want of room, the caller gets `Busy` or, with the fallback, its own order, in no time."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.3)
    service = service_of(ranker)
    for fallback in ("none", "input-order"):
        campaign = Campaign(fallback, ARN, concurrency_max=1, fallback=fallback)  # type: ignore[arg-type]
        gate = service.gates.of(campaign)
        for _ in range(40):
            gate.latencies.add(0.3, gate.now_s)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(rerank(service, list(logits), campaign=campaign, duration_s=2.0))
            await asyncio.sleep(0.1)
            began_s = service.clock.now_s()
            if fallback == "none":
                with pytest.raises(Busy):
                    await rerank(service, list(logits), user_id=OTHER_USER, campaign=campaign)
            else:
                result = await rerank(service, list(logits), user_id=OTHER_USER, campaign=campaign)
                assert (result.degraded, order(result)) == (Degraded.FALLBACK, list(logits))
                assert result.usage.upstream_calls == 0
            assert service.clock.now_s() == began_s
        assert first.result().degraded is None


class Throttling:
    """A campaign that takes so many calls a second and throttles the rest."""

    def __init__(self, tps: int) -> None:
        self.tps = tps
        self.second, self.taken = -1, 0
        self.well = healthy(3)

    def __call__(self, number: int, call: Call, now_s: float) -> Outcome:
        if int(now_s) != self.second:
            self.second, self.taken = int(now_s), 0
        self.taken += 1
        return (0.01, Throttled("slow down")) if self.taken > self.tps else self.well(number, call, now_s)


async def test_throttles_on_one_campaign_leave_another_alone() -> None:
    """While campaign A is throttled at a third of its load, what callers of B wait is what they waited without A."""
    alone = Scene.of(healthy(9), Campaign("b", ARN))
    waited = [one.took_s for one in await alone.load(20.0, 6.0, calls=5, seed=4)]
    b = Scene.of(healthy(9), Campaign("b", ARN))
    a = Scene.of(Throttling(20), Campaign("a", ARN.replace("demo", "a")))
    async with asyncio.TaskGroup() as group:
        crowd = group.create_task(a.load(12.0, 6.0, calls=5, seed=3, duration_s=1.0))
        beside = await group.create_task(b.load(20.0, 6.0, calls=5, seed=4))
    assert [one.took_s for one in beside] == pytest.approx(waited, abs=1e-5)
    assert a.gate.lanes[0].throttled > 20
    assert a.gate.lanes[0].limit.now < 100 == b.gate.lanes[0].limit.now
    assert not all(one.whole for one in crowd.result())


async def test_throttles_are_not_hedged_and_hardly_retried() -> None:
    """A throttling campaign gets no hedges for a while, retries within the budget, and never at once."""
    scene = Scene.of(Throttling(20))
    await scene.load(40.0, 10.0, duration_s=1.0)
    assert scene.gate.stats.hedges < 25
    assert scene.amplification() <= 1.10
    assert all(lane.breaker.opened == 0 for lane in scene.gate.lanes)


async def test_a_campaign_that_says_when_is_not_asked_sooner() -> None:
    """The pause that a throttle asks for is kept before the retry, if there is time for it."""
    for retry_after_s, attempts in ((0.5, 2), (3.0, 1)):
        scene = Scene.of(lambda n, _, __, after=retry_after_s: (0.0, Throttled("x", after) if n == 0 else None))
        seen = await scene.ask(duration_s=1.0)
        assert len(scene.upstream.began) == attempts
        assert seen.whole == (attempts == 2)
        assert seen.took_s < 0.53
        assert np.diff(scene.upstream.times()).tolist() == [] or np.diff(scene.upstream.times())[0] >= retry_after_s

"""Outages of a whole campaign: few attempts, quick answers as the table says, and a quick return."""

import asyncio
import math

import numpy as np
import pytest

from gateway.core.breaker import State
from gateway.core.errors import AccessDenied, Resting, Throttled, Unavailable
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.lane import IN_DOUBT, RULES_ALONE
from gateway.service.result import Degraded
from tests.service.scenes import agrees, catalogue, order, rerank, service_of
from tests.service.simulation import Outcome, Scene, healthy
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

DOWN_S, UP_S = 3.0, 33.0
DEADLINE_S = 1.0
FORGIVING = Campaign("demo", ARN, fallback="input-order")

OUTAGES: dict[str, Outcome] = {
    "refuses": (0.005, Unavailable("x")),
    "fails slowly": (0.4, Unavailable("x")),
    "hangs": (math.inf, None),
}


def outage(how: Outcome):
    """A campaign that is down for thirty seconds."""
    well = healthy(3)

    def script(number: int, call: Call, now_s: float) -> Outcome:
        return how if DOWN_S <= now_s < UP_S else well(number, call, now_s)

    return script


@pytest.mark.parametrize(("per_s", "calls"), [(25.0, 1), (2.0, 21)])
@pytest.mark.parametrize("how", OUTAGES.values(), ids=OUTAGES)
async def test_thirty_seconds_of_outage(how: Outcome, per_s: float, calls: int) -> None:
    """Attempts stay within 1.1x of calls, then only probes go; answers are in time; five seconds later all is well."""
    scene = Scene.of(outage(how))
    opened: list[float] = []
    step = scene.gate.lanes[0].breaker._step

    def noted(event, now_s: float) -> None:
        step(event, now_s)
        if scene.gate.lanes[0].breaker.state is State.OPEN:
            opened.append(now_s)

    scene.gate.lanes[0].breaker._step = noted  # type: ignore[method-assign]
    await scene.load(per_s, UP_S + 8.0, calls=calls, duration_s=DEADLINE_S)
    attempts = scene.upstream.times()
    assert opened[0] < DOWN_S + 2.0
    assert scene.amplification() <= 1.10
    assert np.sum((attempts > opened[0]) & (attempts < UP_S)) <= (UP_S - DOWN_S) / RULES_ALONE.open_s + 1
    assert scene.gate.stats.retries <= 2 * IN_DOUBT
    assert max(one.took_s for one in scene.seen) <= DEADLINE_S
    resting = [one for one in scene.seen if opened[0] < one.came_s < UP_S]
    assert np.median([one.took_s for one in resting]) == 0.0
    assert all(any(isinstance(failure, Resting) for failure in one.fan.failures) for one in resting if not one.took_s)
    assert not any(one.whole for one in resting)
    assert all(one.whole for one in scene.seen if one.came_s > UP_S + 5.0)
    assert scene.gate.lanes[0].breaker.state is State.CLOSED


async def test_without_a_breaker_an_outage_is_asked_for_ever() -> None:
    """The control: with a breaker that never trips every call of an outage goes out."""
    scene = Scene.of(outage(OUTAGES["refuses"]))
    scene.gate.lanes[0].breaker.tell = lambda *_: None  # type: ignore[method-assign]
    await scene.load(20.0, 8.0)
    assert np.sum(scene.upstream.times() > DOWN_S) > 90


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(Unavailable("x"), Unavailable), (AccessDenied("x"), AccessDenied), (Throttled("x"), Throttled)],
    ids=str,
)
async def test_answers_in_an_outage(failure: Exception, raised: type[Exception]) -> None:
    """At every moment of an outage: an error of the right kind, or the caller's order, or a stale frame; in time."""
    logits = catalogue(1_900)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.03)
    service = service_of(ranker, fresh_s=5.0, stale_s=300.0)
    await rerank(service, items, user_id="known")
    await asyncio.sleep(6.0)
    ranker.fails = lambda _, __: failure
    for user in range(6):
        began_s = service.clock.now_s()
        with pytest.raises((raised, Resting)):
            await rerank(service, items, user_id=f"u-{user}")
        fallen = await rerank(service, items, user_id=f"u-{user}", campaign=FORGIVING)
        assert (fallen.degraded, order(fallen)) == (Degraded.FALLBACK, items)
        stale = await rerank(service, [*items, "new"], user_id="known")
        assert stale.degraded is Degraded.STALE
        assert service.clock.now_s() - began_s <= 3 * DEADLINE_S
        await asyncio.sleep(0.3)
    ranker.fails = None
    await asyncio.sleep(2.0)
    for user in range(12):
        await asyncio.sleep(0.3)
        try:
            result = await rerank(service, items, user_id=f"v-{user}")
        except Resting:
            continue
    assert result.degraded is None
    assert agrees(result, logits)


async def test_a_ramp_lets_whole_rankings_through() -> None:
    """After an outage a ranking gets all of its calls or none: no ranking of the ramp has holes."""
    scene = Scene.of(outage(OUTAGES["refuses"]))
    await scene.load(6.0, UP_S + 4.0, calls=21)
    back = [one for one in scene.seen if one.came_s > UP_S]
    holes = [one for one in back if one.fan.failures and len(one.fan.failures) < 21]
    assert len(holes) <= 1  # that of the probe
    assert sum(one.whole for one in back) >= 12


async def test_probes_are_not_hedged() -> None:
    """A campaign of one ARN that is being probed gets one call, not two."""
    scene = Scene.of(outage(OUTAGES["hangs"]))
    await scene.load(20.0, DOWN_S + 6.0, duration_s=DEADLINE_S)
    hedges = scene.gate.stats.hedges
    await scene.load(20.0, 6.0, duration_s=DEADLINE_S)
    assert scene.gate.stats.hedges == hedges


async def test_one_blip_is_retried_and_a_row_is_not() -> None:
    """Retries are for blips: a lone failure is tried again; after a row of them there is no more of that."""
    scene = Scene.of(lambda number, _, __: (0.01, Unavailable("blip") if number % 10 == 9 else None))
    seen = await scene.load(50.0, 4.0)
    assert scene.gate.stats.retries >= 0.08 * len(seen)
    assert sum(one.whole for one in seen) >= 0.97 * len(seen)

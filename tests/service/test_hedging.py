"""Hedges: when a second call is sent, who wins, what it costs, and that nobody is left behind in the race."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from gateway.core.breaker import Permit
from gateway.core.errors import AccessDenied, DeadlineExceeded, InvalidInput, Throttled, Unavailable
from gateway.core.routing import Campaign
from gateway.service.lane import Leave, Pass
from tests.service.scenes import agrees, catalogue, rerank, service_of
from tests.service.simulation import ANSWER, HANGS, TYPICAL_S, Outcome, Scene, Seen, healthy, quantile, race
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

HEALTHY_P99_S = 0.0745
"""Of the simulation's healthy calls: exp(ln 0.033 + 2.326 x 0.35)."""


def at_rest(scene: Scene) -> bool:
    """Whether nothing is left of the race."""
    tasks = {asyncio.current_task()}
    return (scene.gate.in_flight, scene.upstream.in_flight, asyncio.all_tasks()) == (0, 0, tasks)


async def test_a_hedge_is_sent_when_it_is_due_and_the_first_good_answer_wins() -> None:
    """A call still out at its due time is sent once more, to another ARN; the slow one is cancelled and paid for."""
    scene = race([(1.0, None), (0.02, None)], replicas=1)
    due_s = scene.gate.hedge_after_s()
    assert due_s == pytest.approx(TYPICAL_S, rel=0.02)
    seen = await scene.ask()
    assert seen.whole
    assert seen.took_s == pytest.approx(due_s + 0.02, abs=1e-3)
    assert scene.upstream.times().tolist() == pytest.approx([0.0, due_s], abs=1e-3)
    assert len({arn for _, arn in scene.upstream.began}) == 2
    assert (seen.fan.attempts, seen.fan.hedges, seen.fan.retries, scene.upstream.cancelled) == (2, 1, 0, 1)
    assert (scene.gate.stats.hedges, scene.gate.stats.hedges_won) == (1, 1)
    assert at_rest(scene)


async def test_a_call_that_answers_before_is_not_hedged() -> None:
    """A call that answers just before its due time costs one attempt."""
    scene = race([(TYPICAL_S * 0.95, None)])
    assert (await scene.ask()).fan.attempts == 1
    await asyncio.sleep(1.0)
    assert len(scene.upstream.began) == 1
    assert at_rest(scene)


async def test_a_lone_arn_is_hedged_on_itself() -> None:
    """Without a replica the second call goes to the same ARN, and its winning says nothing against that."""
    scene = race([(1.0, None), (0.02, None)])
    assert (await scene.ask()).took_s < 0.1
    assert scene.gate.lanes[0].overtaken == 0


async def test_the_first_attempt_can_win() -> None:
    """The slow call that answers before its hedge wins, and the hedge is cancelled."""
    scene = race([(0.07, None), (0.5, None)])
    seen = await scene.ask()
    assert seen.whole
    assert seen.took_s == pytest.approx(0.07)
    assert (seen.fan.hedges, scene.gate.stats.hedges_won, scene.upstream.cancelled) == (1, 0, 1)
    assert at_rest(scene)


async def test_both_at_once() -> None:
    """Two answers of one moment are one answer."""
    due_s = race([]).gate.hedge_after_s()
    assert due_s is not None
    for early in (-1e-6, 0.0, 1e-6):
        scene = race([(2 * due_s + early, None), (due_s, None)])
        seen = await scene.ask()
        assert seen.whole
        assert seen.fan.attempts == 2
        assert at_rest(scene)


async def test_the_first_fails_while_the_hedge_is_out() -> None:
    """Then the hedge is the last hope: it is waited for, and its answer is the call's, without a retry."""
    scene = race([(0.08, Unavailable("x")), (0.1, None)])
    seen = await scene.ask()
    assert seen.whole
    assert seen.took_s == pytest.approx(TYPICAL_S + 0.1, rel=0.02)
    assert (seen.fan.attempts, seen.fan.retries) == (2, 0)
    assert at_rest(scene)


async def test_the_hedge_fails_while_the_first_is_out() -> None:
    """A hedge that fails changes nothing: the first attempt goes on and answers."""
    scene = race([(0.3, None), (0.01, Unavailable("x"))])
    seen = await scene.ask()
    assert seen.whole
    assert seen.took_s == pytest.approx(0.3)
    assert (seen.fan.attempts, seen.fan.hedges) == (2, 1)
    assert at_rest(scene)


@pytest.mark.parametrize("first_s", [0.06, 0.2])
@pytest.mark.parametrize("replicas", [0, 1])
async def test_both_fail(first_s: float, replicas: int) -> None:
    """When both have failed, whichever was first, there is one retry and no more hedge; none where a lone ARN failed
    twice in a row."""
    scene = race([(first_s, Unavailable("x")), (0.05, Unavailable("x")), (0.4, None)], replicas)
    seen = await scene.ask()
    assert (seen.fan.hedges, seen.fan.retries, seen.fan.attempts) == (1, replicas, 2 + replicas)
    assert seen.whole == bool(replicas)
    assert at_rest(scene)


async def test_a_hedge_that_says_the_request_is_wrong() -> None:
    """The caller's own fault ends everything, from a hedge as well."""
    scene = race([HANGS, (0.01, InvalidInput("bad"))])
    with pytest.raises(InvalidInput, match="bad"):
        await scene.ask()
    assert at_rest(scene)


async def test_a_hedge_after_the_first_failed_that_says_the_request_is_wrong() -> None:
    """... also when it was the last hope."""
    scene = race([(0.06, Unavailable("x")), (0.1, InvalidInput("bad"))])
    with pytest.raises(InvalidInput, match="bad"):
        await scene.ask()
    assert at_rest(scene)


async def test_the_deadline_ends_both() -> None:
    """Two attempts that hang end with the deadline, and each gives its permit back."""
    scene = race([HANGS, HANGS])
    seen = await scene.ask(duration_s=0.4)
    assert not seen.whole
    assert seen.took_s <= 0.4
    assert (seen.fan.attempts, scene.upstream.cancelled) == (2, 2)
    assert at_rest(scene)


def throttled(scene: Scene) -> None:
    """The campaign has just refused a call for its rate."""
    scene.gate.lanes[0].throttled_s = scene.gate.now_s


def open_breaker(scene: Scene) -> None:
    """The other calls of this moment have all failed."""
    breaker = scene.gate.lanes[0].breaker
    while (permit := breaker.ask(scene.gate.now_s)) is not None:
        breaker.tell(permit, "failed", scene.gate.now_s)  # type: ignore[arg-type]


def loaded(scene: Scene) -> None:
    """Most of the room is in use."""
    lane = scene.gate.lanes[0]
    lane.out |= {Pass(lane, Permit(0, probe=False), scene.gate.now_s): None for _ in range(80)}


def spent(scene: Scene) -> None:
    """The budget is empty."""
    while scene.gate.extras.take(scene.gate.now_s):
        pass


@pytest.mark.parametrize("hinder", [throttled, open_breaker, loaded, spent])
async def test_when_no_hedge_is_sent(hinder) -> None:
    """A throttle, a breaker that is not closed, a full gate, an empty budget: the call goes on alone."""
    scene = race([(0.3, None)])
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(scene.ask())
        await asyncio.sleep(0.01)
        hinder(scene)
    assert asked.result().whole
    assert asked.result().fan.attempts == 1


async def test_no_hedge_while_calls_wait() -> None:
    """Room is for first attempts: nothing is sent twice while somebody waits."""
    scene = race([(0.3, None), (0.1, None)])
    scene.gate.lanes[0].limit._limit = scene.gate.lanes[0].limit.most = 1.0  # type: ignore[assignment]
    first = asyncio.get_running_loop().create_task(scene.ask())
    await asyncio.sleep(0.01)
    second = asyncio.get_running_loop().create_task(scene.ask())
    assert (await first).fan.hedges == (await second).fan.hedges == 0
    assert at_rest(scene)


async def test_nobody_hedges_what_nobody_knows() -> None:
    """Before enough answers have come, there is no due time."""
    scene = race([(9.0, None)], calls=5)
    assert (await scene.ask(duration_s=20.0)).fan.attempts == 1


RACES = {
    "the hedge wins": [(1.0, None), (0.02, None)],
    "the first wins": [(0.07, None), (0.5, None)],
    "the first fails": [(0.06, Unavailable("x")), (0.05, None)],
    "the hedge fails": [(0.12, None), (0.01, Unavailable("x"))],
    "both fail": [(0.06, Unavailable("x")), (0.03, Throttled("x")), (0.02, None), (0.02, None)],
    "both hang": [HANGS, HANGS],
}


@pytest.mark.parametrize("outcomes", RACES.values(), ids=RACES)
@pytest.mark.parametrize("replicas", [0, 2])
async def test_a_caller_can_leave_at_every_step_of_the_race(outcomes: Sequence[Outcome], replicas: int) -> None:
    """Cancelled at any moment, and in any turn of a moment, the ranking ends as cancelled, and nothing is left."""
    whole, cancelled = 0, 0
    for at_s in (0.0, 0.03, 0.0501, 0.0605, 0.0702, 0.08, 0.1005, 0.12):
        for turns in range(5):
            scene = race(outcomes, replicas)
            ranking = asyncio.get_running_loop().create_task(scene.ask(duration_s=2.0))
            if at_s:
                await asyncio.sleep(at_s)
            for _ in range(turns):
                await asyncio.sleep(0)
            late = ranking.done()
            ranking.cancel()
            await asyncio.wait([ranking])
            assert late or ranking.cancelled()
            whole, cancelled = whole + late, cancelled + ranking.cancelled()
            assert at_rest(scene)
    assert cancelled > 8


@pytest.mark.parametrize("turns", range(12))
async def test_leaving_in_the_very_turn_in_which_the_hedge_wins(turns: int) -> None:
    """The winner's cancelling of the loser never hides the caller's own: cancelled means cancelled."""
    won = asyncio.Event()

    class Upstream:
        async def rank(self, call):
            if not scene.upstream.began:
                scene.upstream.began.append((0.0, call.arn))
                await asyncio.get_running_loop().create_future()
            await won.wait()
            return ANSWER

    scene = race([])
    scene.fans = type(scene.fans)(Upstream(), scene.fans.clock, scene.fans.random)
    ranking = asyncio.get_running_loop().create_task(scene.ask(duration_s=5.0))
    await asyncio.sleep(0.1)
    won.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    finished = ranking.done()
    ranking.cancel()
    await asyncio.wait([ranking])
    assert finished or ranking.cancelled()
    assert at_rest(scene)


async def test_a_ranking_says_what_its_hedges_cost() -> None:
    """`usage` counts a hedge as a hedge and as an upstream call."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05, fails=lambda n, _: "hang" if n == 44 else None)
    service = service_of(ranker)
    campaign = Campaign("demo", ARN)
    for user in range(11):
        await rerank(service, list(logits), user_id=f"u-{user}", campaign=campaign)
    result = await rerank(service, list(logits), user_id="u-last", campaign=campaign)
    assert agrees(result, logits)
    assert result.degraded is None
    assert (result.usage.hedges, result.usage.upstream_calls, result.usage.retries) == (1, 5, 0)
    assert service.gates.of(campaign).stats.hedges == 1


async def simulated(slow: float, per_s: float, for_s: float, *, calls: int = 1, hedging: bool = True) -> Scene:
    """A campaign under load with a share of slow calls."""
    scene = Scene.of(healthy(3, slow))
    if not hedging:
        scene.gate.hedge_after_s = lambda: None  # type: ignore[method-assign]
    await scene.load(per_s, for_s, calls=calls)
    return scene


@pytest.mark.parametrize(("slow", "times"), [(0.02, 1.3), (0.05, 1.5)])
async def test_the_tail_of_single_calls(slow: float, times: float) -> None:
    """With 2 % of the calls slow by a second p99 is within 1.3x of healthy, with 5 % within 1.5x, at 1.1x the calls."""
    scene = await simulated(slow, 100.0, 40.0)
    known = [one for one in scene.seen if one.came_s > 1.5]  # before, nobody knows how long calls take
    assert quantile(known, 0.99) <= times * HEALTHY_P99_S
    assert scene.amplification() <= 1.10


async def test_the_tail_without_hedges() -> None:
    """The control: with 2 % slow and no hedges p99 is that of the slow ones."""
    scene = await simulated(0.02, 100.0, 10.0, hedging=False)
    assert quantile(scene.seen, 0.99) > 10 * HEALTHY_P99_S


async def test_the_tail_of_a_fan_out() -> None:
    """With 1 % of the calls slow, p99 of a ranking of 21 calls is at least five times lower than without hedges."""
    plain = await simulated(0.01, 4.0, 30.0, calls=21, hedging=False)
    scene = await simulated(0.01, 4.0, 30.0, calls=21)
    assert quantile(plain.seen, 0.99) >= 5 * quantile(scene.seen, 0.99)
    assert scene.amplification() <= 1.10


@pytest.mark.parametrize("slow", [0.1, 1.0])
async def test_no_fault_costs_more_than_its_tenth(slow: float) -> None:
    """However many calls are slow, no 10 s window that ends at an extra attempt sees more than 1.10 attempts a call."""
    scene = await simulated(slow, 40.0, 20.0)
    assert scene.amplification() <= 1.10


async def test_what_cannot_be_retried_does_not_wait_for_more() -> None:
    """A refusal of credentials while a hedge is out is not final: the hedge may still answer."""
    scene = race([(0.06, AccessDenied("no")), (0.1, None)], replicas=1)
    seen: Seen = await scene.ask()
    assert seen.whole
    assert at_rest(scene)
    ticket = await scene.gate.enter(Leave(), math.inf, ())
    scene.gate.left(ticket)


async def test_a_silent_arn_gets_no_hedges() -> None:
    """When nothing is answered any more, the calls that are late are no tail: the budget of better times is kept."""
    logits = catalogue(10_000)
    silent = False
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.03, fails=lambda _, __: "hang" if silent else None)
    service = service_of(ranker)
    for number in range(3):
        assert agrees(await rerank(service, list(logits), user_id=f"well-{number}"), logits)
    silent = True
    del ranker.calls[:]
    with pytest.raises(DeadlineExceeded):
        await rerank(service, list(logits), user_id="ill", duration_s=0.5)
    assert len(ranker.calls) == 21

"""The log of attempts: what was sent, when, and what ended it; as many of them as are billed."""

import asyncio

import pytest

from gateway.core.attempt import Attempt
from gateway.core.errors import (
    AccessDenied,
    Busy,
    DeadlineExceeded,
    InvalidInput,
    Resting,
    Throttled,
    Unavailable,
)
from gateway.core.routing import Campaign
from gateway.ports import Call
from tests.service.scenes import catalogue, rerank, service_of, stars
from tests.service.simulation import ARNS, HANGS, TYPICAL_S, Outcome, Scene, race
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

FIRST, RETRY, HEDGE = "first", "retry", "hedge"

RACES: dict[str, tuple[list[Outcome], list[tuple[object, ...]]]] = {
    "the hedge wins": (
        [(1.0, None), (0.02, None)],
        [(FIRST, "overtaken", None), (HEDGE, "answered", None)],
    ),
    "the first wins": (
        [(0.07, None), (0.5, None)],
        [(FIRST, "answered", None), (HEDGE, "overtaken", None)],
    ),
    "the hedge saves a failure": (
        [(0.08, Unavailable("x")), (0.1, None)],
        [(FIRST, "failed", Unavailable), (HEDGE, "answered", None)],
    ),
    "the hedge fails": (
        [(0.3, None), (0.01, Unavailable("x"))],
        [(FIRST, "answered", None), (HEDGE, "failed", Unavailable)],
    ),
    "a retry": (
        [(0.01, Unavailable("x")), (0.01, None)],
        [(FIRST, "failed", Unavailable), (RETRY, "answered", None)],
    ),
    "a throttle": (
        [(0.01, Throttled("x")), (0.01, None)],
        [(FIRST, "throttled", Throttled), (RETRY, "answered", None)],
    ),
    "no second try": (
        [(0.01, AccessDenied("no"))],
        [(FIRST, "failed", AccessDenied)],
    ),
    "both hang": (
        [HANGS, HANGS],
        [(FIRST, "late", None), (HEDGE, "late", None)],
    ),
}


def told(log: list[Attempt]) -> list[tuple[object, ...]]:
    """How each attempt came to be, and ended."""
    return [(one.kind, one.outcome, one.error) for one in log]


def in_order(log: list[Attempt]) -> bool:
    """Whether every attempt was wanted, began and ended in this order, and attempts stand as they began."""
    began = [one.began_s for one in log]
    return began == sorted(began) and all(one.wanted_s <= one.began_s <= one.ended_s for one in log)


@pytest.mark.parametrize(("outcomes", "expected"), RACES.values(), ids=RACES)
async def test_every_attempt_is_told(outcomes: list[Outcome], expected: list[tuple[object, ...]]) -> None:
    """The log has every attempt of a call, with what ended it and why."""
    scene = race(outcomes, replicas=1)
    fan = (await scene.ask(duration_s=0.5)).fan
    assert told(fan.log) == expected
    assert in_order(fan.log)
    assert fan.attempts == len(fan.log) == len(scene.upstream.began)
    assert [one.arn for one in fan.log] == [arn for _, arn in scene.upstream.began]
    assert {(one.call.number, one.call.items, one.call.purpose) for one in fan.log} == {(0, 1, "plan")}


async def test_times_are_those_of_the_call() -> None:
    """Began when it was sent, ended when it was answered; the hedge when it was due."""
    scene = race([(1.0, None), (0.02, None)])
    zero_s = scene.fans.clock.stopwatch_s()
    first, hedge = (await scene.ask()).fan.log
    assert (first.began_s - zero_s, first.waited_s) == pytest.approx((0.0, 0.0))
    assert hedge.began_s - zero_s == pytest.approx(TYPICAL_S, rel=0.02)
    assert (hedge.took_s, first.ended_s - hedge.ended_s) == pytest.approx((0.02, 0.0), abs=1e-3)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    """Every attempt that ended, also those whose fan-out never returned."""
    attempts: list[Attempt] = []
    end = Attempt.end

    def noted(self: Attempt, *more: object) -> None:
        end(self, *more)  # type: ignore[arg-type]
        attempts.append(self)

    monkeypatch.setattr(Attempt, "end", noted)
    return attempts


async def test_a_caller_that_leaves(ended: list[Attempt]) -> None:
    """Attempts of a caller that left were cancelled, not late."""
    ranking = asyncio.get_running_loop().create_task(race([HANGS]).ask())
    await asyncio.sleep(0.01)
    ranking.cancel()
    await asyncio.wait([ranking])
    assert told(ended) == [(FIRST, "cancelled", None)]


async def test_the_callers_fault_is_told(ended: list[Attempt]) -> None:
    """A call that says the request is wrong failed, and what it cut off was cancelled."""
    scene = Scene.of(lambda number, *_: HANGS if number else (0.01, InvalidInput("bad")))
    with pytest.raises(InvalidInput):
        await scene.ask(calls=2)
    assert told(ended) == [(FIRST, "failed", InvalidInput), (FIRST, "cancelled", None)]


async def test_what_waits_for_a_permit() -> None:
    """One call at a time: each tells how long it waited; one that never had its turn was refused, and not billed."""
    scene = Scene.of(lambda *_: (0.2, None), Campaign("narrow", ARN, concurrency_min=1, concurrency_max=1))
    fan = (await scene.ask(calls=5, duration_s=0.75)).fan
    assert [one.waited_s for one in fan.log[:4]] == pytest.approx([0.0, 0.2, 0.4, 0.6], abs=1e-3)
    last = fan.log[-1]
    assert (last.outcome, last.error, last.arn) == ("refused", DeadlineExceeded, None)
    assert fan.attempts == len(scene.upstream.began) < len(fan.log) == 5
    assert fan.queue_s == pytest.approx(max(one.waited_s for one in fan.log if one.sent))


@pytest.mark.parametrize("refusal", [Busy, Resting])
async def test_calls_that_are_not_made(refusal: type[Busy] | type[Resting]) -> None:
    """Calls that the campaign has no room for, or that its breaker holds back, are told as refused, each of them."""
    scene = race([])

    def refuse(*_: object) -> None:
        raise refusal("no")

    scene.gate.admit = refuse if refusal is Busy else scene.gate.admit  # type: ignore[method-assign]
    scene.gate._grant = refuse if refusal is Resting else scene.gate._grant  # type: ignore[assignment, method-assign]
    fan = (await scene.ask(calls=3)).fan
    assert told(fan.log) == [(FIRST, "refused", refusal)] * 3
    assert [one.call.number for one in fan.log] == [0, 1, 2]
    assert (fan.attempts, fan.retries, fan.queue_s, scene.upstream.began) == (0, 0, 0.0, [])


def flaky(number: int, _: Call) -> Exception | str | None:
    """Of every eleven calls one fails and one hangs."""
    return {3: Unavailable("blip"), 7: "hang"}.get(number % 11)


@pytest.mark.parametrize("count", [1, 700, 1_900, 10_000])
async def test_usage_counts_what_the_log_tells(count: int) -> None:
    """However calls end, a ranking is billed for exactly the attempts that its plans tell."""
    logits = catalogue(count)
    campaign = Campaign("demo", ARN, (ARNS[1],))
    service = service_of(SoftmaxRanker(lambda _: logits, delay_s=0.05, fails=flaky))
    for user in range(12):
        ranker: SoftmaxRanker = service.reranker.fills._rounds.fans.ranker  # type: ignore[assignment]
        before = len(ranker.calls)
        try:
            result = await rerank(service, list(logits), user_id=f"u-{user}", campaign=campaign)
        except (Unavailable, DeadlineExceeded):
            continue
        log = [one for made in result.rounds for one in made.log]
        sent = [one for one in log if one.sent]
        assert len(sent) == result.usage.upstream_calls == len(ranker.calls) - before
        assert sum(one.kind == RETRY for one in sent) == result.usage.retries
        assert sum(one.kind == HEDGE for one in sent) == result.usage.hedges
        assert all(one.outcome is not None for one in log)


async def test_bridges_are_numbered_after_the_calls_of_the_plan() -> None:
    """A bridge is told as one, with a number of its own."""
    logits = stars()
    result = await rerank(service_of(SoftmaxRanker(lambda _: logits)), list(logits))
    (made,) = result.rounds
    calls = [(one.call.number, one.call.purpose) for one in made.log]
    planned = len(made.fan.outcomes)
    assert result.usage.bridges > 0
    assert sorted(calls) == [
        *((number, "plan") for number in range(planned)),
        *((planned + number, "bridge") for number in range(result.usage.bridges)),
    ]


async def test_the_meetings_of_a_tournament() -> None:
    """Calls of an ordinal campaign are numbered through all rounds; those after the first are play-offs."""
    logits = catalogue(1_900)
    campaign = Campaign("demo", ARN, merge="ordinal")
    result = await rerank(service_of(SoftmaxRanker(lambda _: logits)), list(logits), campaign=campaign, page_end=48)
    (made,) = result.rounds
    assert sorted(one.call.number for one in made.log) == list(range(len(made.fan.outcomes)))
    assert {one.call.purpose for one in made.log if one.call.number < 4} == {"plan"}
    assert {one.call.purpose for one in made.log if one.call.number >= 4} == {"playoff"}


async def test_who_rides_on_the_calls_of_another_sees_them() -> None:
    """Callers that join the fill of another are told its attempts; the bill is that of the one that began it."""
    logits = catalogue(1_900)
    service = service_of(SoftmaxRanker(lambda _: logits, delay_s=0.05))
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(rerank(service, list(logits))) for _ in range(2)]
    logs = [[one for made in ranked.result().rounds for one in made.log] for ranked in both]
    assert logs[0] == logs[1]
    assert sorted(ranked.result().usage.upstream_calls for ranked in both) == [0, 4]

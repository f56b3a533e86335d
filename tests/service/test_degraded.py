"""When it cannot be whole: every failure of the upstream ends in time, flagged, and never kept as if it were whole."""

import asyncio
from itertools import combinations

import pytest

from gateway.core.errors import (
    AccessDenied,
    DeadlineExceeded,
    InvalidInput,
    Malformed,
    Throttled,
    Unavailable,
    UpstreamError,
)
from gateway.core.routing import Campaign
from gateway.service.result import Degraded
from tests.service.scenes import agrees, catalogue, falls, order, rerank, service_of, stars
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

FORGIVING = Campaign("demo", ARN, fallback="input-order")
FAILED_SUBSETS = [set(subset) for size in range(1, 4) for subset in combinations(range(4), size)]


@pytest.mark.parametrize("failed", FAILED_SUBSETS, ids=str)
async def test_some_failed_calls_leave_the_rest_ranked(failed: set[int]) -> None:
    """For every subset of failed calls: what answered is in the ideal order, the rest follows in the caller's order."""
    logits = catalogue(1_900)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: AccessDenied("no") if n in failed else None)
    service = service_of(ranker)
    result = await rerank(service, items)
    lost = set.intersection(*(set(items) - set(call.items) for n, call in enumerate(ranker.calls) if n not in failed))
    assert result.degraded is Degraded.UPSTREAM
    assert order(result)[-len(lost) :] == [item for item in items if item in lost]
    assert result.usage.unranked == result.ranking.unranked == len(lost)
    assert falls(order(result)[: -len(lost)], logits)
    assert set(order(result)) == set(items)
    assert result.source_of(result.candidates.index(next(iter(lost)))) == "unranked"


async def test_what_failed_is_asked_again_and_nothing_else() -> None:
    """A degraded ranking is not kept as whole: the next request asks for the unranked candidates alone."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: AccessDenied("no") if n == 2 else None)
    service = service_of(ranker)
    first = await rerank(service, list(logits))
    del ranker.calls[:]
    ranker.fails = None
    second = await rerank(service, list(logits))
    assert len(ranker.calls) == 1
    assert second.usage.cached == 1_900 - first.usage.unranked
    assert agrees(second, logits)
    assert second.degraded is None


@pytest.mark.parametrize("hanging", [{0}, {0, 3}])
async def test_a_hanging_call_costs_its_stripe_and_no_more_time_than_there_is(hanging: set[int]) -> None:
    """Calls that never answer end with the deadline; the answer comes before it, flagged."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: "hang" if n in hanging else None)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    result = await rerank(service, list(logits), duration_s=0.3)
    assert service.clock.now_s() - began_s <= 0.3
    assert result.degraded is Degraded.DEADLINE
    assert result.usage.unranked > 0
    assert ranker.cancelled == len(hanging)
    assert ranker.in_flight == 0


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (Unavailable("x"), Unavailable),
        (Throttled("x"), Throttled),
        (Malformed("x"), Malformed),
        (AccessDenied("x"), AccessDenied),
        ("hang", DeadlineExceeded),
    ],
    ids=str,
)
async def test_nothing_at_all_is_an_error_or_the_fallback(
    failure: Exception | str, raised: type[UpstreamError]
) -> None:
    """When no call answers, the error says which way it failed; with the fallback the caller's order comes, flagged."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda _, __: failure)
    service = service_of(ranker)
    with pytest.raises(raised):
        await rerank(service, list(logits))
    result = await rerank(service, list(logits), campaign=FORGIVING)
    assert result.degraded is Degraded.FALLBACK
    assert order(result) == list(logits)
    assert len(result.ranking.scores) == 0
    assert result.usage.unranked == 1_900
    ranker.fails = None
    assert agrees(await rerank(service, list(logits)), logits)


async def test_a_stale_frame_beats_an_error() -> None:
    """Past its fresh time a frame is asked anew; if upstream fails then, the stale one answers, flagged."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, fresh_s=60.0, stale_s=300.0)
    await rerank(service, list(logits))
    await asyncio.sleep(40.0)
    assert (await rerank(service, list(logits))).usage.upstream_calls == 0
    await asyncio.sleep(21.0)
    ranker.fails = lambda _, __: Unavailable("down")
    stale = await rerank(service, [*logits, "unheard-of"])
    assert stale.degraded is Degraded.STALE
    assert falls(order(stale)[:-1], logits)
    assert order(stale)[-1] == "unheard-of"
    assert stale.source_of(0) == "stale"
    assert stale.usage.unranked == 1
    await asyncio.sleep(300.0)
    with pytest.raises(Unavailable):
        await rerank(service, list(logits))


async def test_adding_items_does_not_prolong_a_frame() -> None:
    """The time to live counts from the oldest score of the frame."""
    logits = catalogue(800)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, fresh_s=60.0)
    await rerank(service, items[:700])
    await asyncio.sleep(50.0)
    assert (await rerank(service, items)).usage.cached == 700
    await asyncio.sleep(11.0)
    assert (await rerank(service, items)).degraded is Degraded.STALE


async def test_an_uncertain_scale_is_flagged_and_not_kept() -> None:
    """If the anchors were too weak and the bridge failed, the answer says so, and the next request pays anew."""
    logits = stars()
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: AccessDenied("no") if n >= 11 else None)
    service = service_of(ranker)
    result = await rerank(service, sorted(logits))
    assert result.degraded is Degraded.CALIBRATION
    assert result.usage.unranked == 0
    ranker.fails = None
    again = await rerank(service, sorted(logits))
    assert again.usage.cached == 0
    assert again.degraded is None


async def test_no_bridge_is_begun_without_time_for_it() -> None:
    """A scale that is found weak at the deadline is used as it is, flagged, in time."""
    logits = stars()
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.29)
    service = service_of(ranker)
    result = await rerank(service, sorted(logits), duration_s=0.3)
    assert result.degraded is Degraded.CALIBRATION
    assert result.usage.bridges == 0


async def test_the_callers_own_fault_ends_everything_at_once() -> None:
    """One call that says the request is wrong ends the others, is not retried, and nothing is kept."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.2, fails=lambda n, _: InvalidInput("bad") if n == 1 else None)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    with pytest.raises(InvalidInput, match="bad"):
        await rerank(service, list(logits), campaign=FORGIVING)
    assert service.clock.now_s() == began_s
    assert len(ranker.calls) <= 4
    assert ranker.in_flight == 0


async def test_a_caller_that_leaves_takes_its_calls_along() -> None:
    """Cancelling a ranking cancels every call of it and leaves no task behind."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=5.0)
    service = service_of(ranker)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await rerank(service, list(logits), duration_s=10.0)
    await asyncio.sleep(0.01)
    assert ranker.cancelled == 21
    assert ranker.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}

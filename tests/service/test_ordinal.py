"""Campaigns whose scores may not be believed: the page in order, no scores, and the rules of every other ranking."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from gateway.core.answer import Answer
from gateway.core.errors import AccessDenied
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.result import Degraded, Result
from gateway.service.service import Service
from tests.service.scenes import catalogue, ideal, order, rerank, service_of
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

ORDINAL = Campaign("demo", ARN, merge="ordinal")
FILTER = "arn:aws:personalize:us-east-1:000000000000:filter/f"


async def ranked(service: Service, items: Sequence[str], **options: Any) -> Result:
    """One ordinal ranking."""
    return await rerank(service, items, campaign=ORDINAL, **options)


@pytest.mark.parametrize(("count", "calls"), [(501, 4), (5_000, 12), (10_000, 22)])
async def test_the_head_is_that_of_one_call(count: int, calls: int) -> None:
    """Of a whole list 500 are settled, without a flag, by orders alone; every candidate comes, none has a score."""
    logits = catalogue(count)
    ranker = SoftmaxRanker(lambda _: logits)
    result = await ranked(service_of(ranker), list(logits))
    through = result.ranking.resolved_through
    assert through >= 500
    assert order(result)[:through] == ideal(logits, list(logits))[:through]
    assert sorted(order(result)) == sorted(logits)
    assert (result.merge, result.has_scores, result.degraded) == ("ordinal", False, None)
    assert calls == result.usage.upstream_calls == len(ranker.calls)
    assert all(len(call.items) <= 500 for call in ranker.calls)


class Misleading(SoftmaxRanker):
    """A campaign that orders every list rightly and scores it so that every ratio is another one in every call."""

    async def rank(self, call: Call) -> Answer:
        power = 1 + len(self.calls) % 7
        true = await super().rank(call)
        weights = np.linspace(2.0, 1.0, len(call.items)) ** power
        return Answer(true.positions, np.sort(weights / weights.sum())[::-1], true.unknown, true.recommendation_id)


async def test_scores_do_not_count() -> None:
    """Where scores say nothing and orders do, the ordinal merge finds the true head; the calibrated one does not."""
    logits = catalogue(3_000)
    best = set(ideal(logits, list(logits))[:100])
    by_order = await ranked(service_of(Misleading(lambda _: logits)), list(logits))
    by_score = await rerank(service_of(Misleading(lambda _: logits)), list(logits))
    assert set(order(by_order)[:100]) == best
    assert len(set(order(by_score)[:100]) & best) < 90


async def test_a_single_call_is_its_own_ranking() -> None:
    """What fits one call comes as that call said it, scores included, and is not mixed with what other lists taught."""
    logits = catalogue(500)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    result = await ranked(service, list(logits))
    part = await ranked(service, list(logits)[:100])
    assert (result.has_scores, part.has_scores, len(ranker.calls)) == (True, True, 2)
    assert result.ranking.scores.sum() == pytest.approx(1.0)
    assert part.ranking.scores.sum() == pytest.approx(1.0)


async def test_a_ranking_is_kept_for_its_list_and_its_depth() -> None:
    """The next page of the list costs nothing; a page further down, another list or another order are ranked anew."""
    logits = catalogue(2_000)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    items = list(logits)
    first = await ranked(service, items, page_end=48)
    again = await ranked(service, items, page_end=96)
    assert (first.usage.upstream_calls, again.usage.upstream_calls, again.usage.cached) == (5, 0, 2_000)
    assert order(again) == order(first)
    assert (again.has_scores, again.ranking.resolved_through) == (False, first.ranking.resolved_through)
    for other, end in ((items, 300), (items[:-1], 48), (items[::-1], 48)):
        assert (await ranked(service, other, page_end=end)).usage.upstream_calls > 0


async def test_equal_requests_share_one_tournament() -> None:
    """Fifty callers that want the same at once share its calls."""
    logits = catalogue(2_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ranked(service, list(logits), page_end=48)) for _ in range(50)]
    assert len(ranker.calls) == sum(task.result().usage.upstream_calls for task in tasks) == 5
    assert len({tuple(order(task.result())) for task in tasks}) == 1


async def test_an_event_kills_what_is_kept() -> None:
    """After an event of the user the list is ranked anew, also if the event came while it was being ranked."""
    logits = catalogue(2_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)
    items = list(logits)
    async with asyncio.TaskGroup() as group:
        under_way = group.create_task(ranked(service, items))
        await asyncio.sleep(0.07)
        assert await service.reranker.forget_user("", USER)
    assert under_way.result().degraded is None
    assert (await ranked(service, items)).usage.upstream_calls > 0
    assert (await ranked(service, items)).usage.upstream_calls == 0
    assert await service.reranker.forget_user("", USER)
    assert (await ranked(service, items)).usage.upstream_calls > 0


async def test_an_old_ranking_answers_flagged_and_is_renewed_behind() -> None:
    """In its stale time a kept ranking answers at once, flagged; the next caller has the new one."""
    logits = catalogue(1_200, seed=1)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    items = sorted(logits)
    first = await ranked(service, items)
    logits = dict(zip(items, catalogue(1_200, seed=2).values(), strict=True))
    await asyncio.sleep(100.0)
    stale = await ranked(service, items)
    assert (stale.degraded, stale.usage.upstream_calls, order(stale)) == (Degraded.STALE, 0, order(first))
    fresh = await ranked(service, items)
    assert (fresh.degraded, fresh.usage.upstream_calls) == (None, 0)
    assert order(fresh)[:500] == ideal(logits, items)[:500]


Fails = Callable[[int, Call], Exception | str | None]

LOST: dict[str, tuple[Fails, Degraded, int]] = {
    "a chunk": (lambda n, _: AccessDenied("no") if n == 1 else None, Degraded.UPSTREAM, 500),
    "a chunk hangs": (lambda n, _: "hang" if n == 1 else None, Degraded.DEADLINE, 500),
    "the meeting": (lambda n, _: AccessDenied("no") if n >= 4 else None, Degraded.UNSETTLED, 0),
    "the meeting hangs": (lambda n, _: "hang" if n >= 4 else None, Degraded.UNSETTLED, 0),
}


@pytest.mark.parametrize("what", LOST)
async def test_what_is_lost_is_flagged_and_not_kept(what: str) -> None:
    """Whatever call is lost: all candidates come, the lost ones last, flagged by the deadline; nothing is kept."""
    fails, flag, unranked = LOST[what]
    logits = catalogue(2_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.01, fails=fails)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    result = await ranked(service, list(logits))
    assert service.clock.now_s() - began_s <= 1.0
    assert (result.degraded, result.ranking.unranked) == (flag, unranked)
    assert sorted(order(result)) == sorted(logits)
    assert result.usage.upstream_calls == len(ranker.calls)
    ranker.fails = None
    await asyncio.sleep(20.0)  # breakers have forgotten it
    whole = await ranked(service, list(logits))
    assert (whole.degraded, whole.usage.cached) == (None, 0)


async def test_what_the_page_does_not_need_is_not_flagged() -> None:
    """If the second meeting fails a caller of the whole list is told; one whose page the first one settled is not."""
    logits = catalogue(5_000)
    flags = {}
    for end in (None, 120):
        ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: AccessDenied("no") if n >= 11 else None)
        result = await ranked(service_of(ranker), list(logits), page_end=end)
        assert 120 <= result.ranking.resolved_through < 500
        flags[end] = result.degraded
    assert flags == {None: Degraded.UNSETTLED, 120: None}


async def test_unknown_and_excluded_items() -> None:
    """Unknown items come last in the caller's order, excluded ones not at all, as everywhere."""
    logits = catalogue(1_500)
    excluded = frozenset(list(logits)[::7])
    strange = [f"new-{number}" for number in range(300)]
    items = [*strange[:150], *logits, *strange[150:]]
    service = service_of(SoftmaxRanker(lambda _: logits, excluded=excluded))
    result = await ranked(service, items, filter_arn=FILTER)
    kept = [item for item in items if item in logits and item not in excluded]
    assert order(result)[:500] == ideal(logits, kept)[:500]
    assert order(result)[-300:] == strange
    assert (result.usage.unknown, result.usage.excluded) == (300, len(excluded))
    assert result.source_of(0) == "unknown"


async def test_nothing_at_all_is_an_error_or_the_callers_order() -> None:
    """If no call is answered the campaign's fallback decides, as everywhere."""
    logits = catalogue(1_200)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda *_: AccessDenied("no"))
    with pytest.raises(AccessDenied):
        await ranked(service_of(ranker), list(logits))
    kind = Campaign("demo", ARN, merge="ordinal", fallback="input-order")
    result = await rerank(service_of(ranker), list(logits), campaign=kind)
    assert (result.degraded, order(result)) == (Degraded.FALLBACK, list(logits))

"""Listings: kept as long as they may be, asked for once, and there when the service is not."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.adapters.memory_store import MemoryStore
from gateway.core.budget import Budget
from gateway.core.errors import AccessDenied, DeadlineExceeded, InvalidInput, Unavailable
from gateway.core.model import Subject
from gateway.core.question import Operation, Question
from gateway.core.routing import Campaign
from gateway.ports import KeptListing
from gateway.service.flights import ListingRequest
from gateway.service.recommend import ListingResult
from gateway.service.result import Degraded
from gateway.service.service import Service
from tests.service.scenes import service_of
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import ARN
from tests.support.listing_ranker import ListingRanker
from tests.support.virtual_clock import VirtualClock

QUESTION = Question(Operation.RECOMMENDATIONS, Subject("demo", USER), 3)
FRESH_S, STALE_S, SETTLE_S = 60.0, 300.0, 2.0


async def recommend(
    service: Service, question: Question = QUESTION, *, duration_s: float = 1.0, **campaign: Any
) -> ListingResult:
    """One question by a deadline."""
    budget = Budget.of(service.clock.now_s(), duration_s, 0)
    return await service.recommender.recommend(ListingRequest(Campaign("demo", ARN, **campaign), question, budget))


async def settled(service: Service) -> None:
    """Let what was left to the background end."""
    await service.reranker.frames.background.drain(30.0)


def number(result: ListingResult) -> int:
    """The number of the call that the listing is of."""
    return int(orjson.loads(result.listing.body)["recommendationId"].removeprefix("RID-"))


async def test_the_same_question_is_asked_once() -> None:
    """The second time the listing comes out of the cache, whole, at no call, and not flagged."""
    ranker = ListingRanker()
    service = service_of(ranker)
    first = await recommend(service)
    await settled(service)
    second = await recommend(service)
    assert first.listing.body == second.listing.body
    assert (first.cached, second.cached) == (False, True)
    assert (first.usage.upstream_calls, second.usage.upstream_calls) == (1, 0)
    assert (first.degraded, second.degraded) == (None, None)
    assert len(ranker.asked) == 1


async def test_another_question_is_asked() -> None:
    """A question that differs in anything is none that was asked before."""
    ranker = ListingRanker()
    service = service_of(ranker)
    for question in (QUESTION, replace(QUESTION, results=4), replace(QUESTION, item_id="i")):
        await recommend(service, question)
        await settled(service)
    assert len(ranker.asked) == 3


async def test_an_event_makes_the_next_one_fresh() -> None:
    """After an event the kept listing is dead at once; for another user it goes on."""
    ranker = ListingRanker()
    service = service_of(ranker)
    other = replace(QUESTION, subject=Subject("demo", OTHER_USER))
    for question in (QUESTION, other):
        await recommend(service, question)
        await settled(service)
    await service.reranker.forget_user("", USER)
    assert number(await recommend(service)) == 2
    assert number(await recommend(service, other)) == 1


async def test_an_event_ends_boarding() -> None:
    """A caller that comes after an event does not get what was asked before it, also while that is under way."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        before = group.create_task(recommend(service))
        await asyncio.sleep(0.05)
        await service.reranker.forget_user("", USER)
        after = group.create_task(recommend(service))
    await settled(service)
    assert (number(before.result()), number(after.result())) == (0, 1)
    assert number(await recommend(service)) == 1


async def test_what_was_asked_soon_after_an_event_settles() -> None:
    """A listing of just after an event lives for `settle_s` alone: upstream may not know of the event yet."""
    ranker = ListingRanker()
    service = service_of(ranker)
    await service.reranker.forget_user("", USER)
    await recommend(service)
    await settled(service)
    await asyncio.sleep(SETTLE_S / 2)
    assert number(await recommend(service)) == 0
    await asyncio.sleep(SETTLE_S)
    assert number(await recommend(service)) == 1


async def test_it_is_renewed_before_anybody_waits() -> None:
    """Late in its fresh time a listing answers without a flag, and a new one is fetched in the background, once."""
    ranker = ListingRanker()
    service = service_of(ranker)
    await recommend(service)
    await asyncio.sleep(0.99 * FRESH_S)
    results = [await recommend(service) for _ in range(20)]
    assert {(number(result), result.degraded, result.usage.upstream_calls) for result in results} == {(0, None, 0)}
    await settled(service)
    assert number(await recommend(service)) == 1
    assert len(ranker.asked) == 2


async def test_a_stale_one_answers_at_once_flagged() -> None:
    """Past its fresh time a listing answers without waiting, says so, and is renewed."""
    ranker = ListingRanker(delay_s=0.2)
    service = service_of(ranker)
    await recommend(service)
    await asyncio.sleep(FRESH_S + 1)
    began_s = service.clock.now_s()
    stale = await recommend(service)
    assert service.clock.now_s() == began_s
    assert (number(stale), stale.degraded) == (0, Degraded.STALE)
    await settled(service)
    renewed = await recommend(service)
    assert (number(renewed), renewed.degraded) == (1, None)


async def test_stale_if_error() -> None:
    """If the call fails, a listing past its time stands in, flagged; when that is over too, the error is told."""
    ranker = ListingRanker(fails=lambda call: Unavailable("down") if call else None)
    service = service_of(ranker)
    await service.reranker.forget_user("", USER)
    await recommend(service)
    await asyncio.sleep(2 * SETTLE_S)
    instead = await recommend(service)
    assert (number(instead), instead.degraded, instead.cached) == (0, Degraded.STALE, True)
    assert instead.usage.upstream_calls >= 1
    await asyncio.sleep(FRESH_S + STALE_S)
    with pytest.raises(Unavailable):
        await recommend(service)


async def test_equal_questions_share_a_call() -> None:
    """Fifty callers at once cost one call, which is charged to the first."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(recommend(service)) for _ in range(50)]
    results = [task.result() for task in tasks]
    assert {number(result) for result in results} == {0}
    assert sorted(result.usage.upstream_calls for result in results) == [0] * 49 + [1]
    assert len(ranker.asked) == 1


async def test_control_without_sharing() -> None:
    """The same fifty callers cost fifty calls where each asks for itself: the test above can fail."""
    ranker = ListingRanker(delay_s=0.1)
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(ranker.ask(ARN, QUESTION))
    assert len(ranker.asked) == 50


async def test_a_caller_that_leaves_takes_nobody_along() -> None:
    """The first caller goes; those that ride on its call get the answer."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(recommend(service))
        await asyncio.sleep(0.01)
        second = group.create_task(recommend(service))
        await asyncio.sleep(0.01)
        first.cancel()
    assert number(second.result()) == 0
    assert (len(ranker.asked), ranker.cancelled) == (1, 0)


async def test_when_all_have_left_the_call_ends() -> None:
    """Nobody pays for an answer that nobody waits for; a newcomer of that very moment asks anew."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        gone = [group.create_task(recommend(service)) for _ in range(3)]
        await asyncio.sleep(0.01)
        for task in gone:
            task.cancel()
        newcomer = group.create_task(recommend(service))
    assert number(newcomer.result()) == 1
    assert ranker.cancelled == 1


async def test_another_callers_deadline_is_not_mine() -> None:
    """A caller with more time than the one whose call it rides on makes its own when that one's time is over."""
    ranker = ListingRanker(fails=lambda call: "hang" if call == 0 else None)
    service = service_of(ranker)

    async def hurried() -> None:
        with pytest.raises(DeadlineExceeded):
            await recommend(service, duration_s=0.1)

    async with asyncio.TaskGroup() as group:
        group.create_task(hurried())
        await asyncio.sleep(0.01)
        patient = group.create_task(recommend(service, duration_s=1.0))
    assert number(patient.result()) == 1


async def test_the_deadline_holds() -> None:
    """A campaign that never answers is an error at the deadline, and the call is ended."""
    ranker = ListingRanker(fails=lambda _: "hang")
    service = service_of(ranker)
    began_s = service.clock.now_s()
    with pytest.raises(DeadlineExceeded):
        await recommend(service, duration_s=0.5)
    assert service.clock.now_s() - began_s <= 0.5
    assert ranker.cancelled == len(ranker.asked) >= 1


async def test_a_blip_is_retried() -> None:
    """A call that fails once is tried again within the campaign's budget; both tries are counted."""
    ranker = ListingRanker(fails=lambda call: None if call else Unavailable("blip"))
    result = await recommend(service_of(ranker))
    assert (number(result), result.usage.upstream_calls, result.usage.retries) == (1, 2, 1)


@pytest.mark.parametrize("failure", [AccessDenied("no"), InvalidInput("bad filter")])
async def test_what_cannot_get_better_is_not_retried(failure: Exception) -> None:
    """Refused credentials and the caller's own faults are asked once and told, and never kept."""
    ranker = ListingRanker(fails=lambda call: None if call else failure)
    service = service_of(ranker)
    with pytest.raises(type(failure)):
        await recommend(service)
    assert len(ranker.asked) == 1
    assert number(await recommend(service)) == 1


async def test_a_slow_call_is_hedged() -> None:
    """When calls usually take 50 ms, one that hangs is made a second time, and the answer of that one counts."""
    ranker = ListingRanker()
    service = service_of(ranker)
    for place in range(100):
        ranker.delay_s = 0.06 - 0.0001 * place
        await recommend(service, replace(QUESTION, item_id=f"i-{place}"))
    asked = len(ranker.asked)
    ranker.refuses = lambda call: "hang" if call == asked else None
    result = await recommend(service)
    assert (number(result), result.usage.hedges) == (asked + 1, 1)


async def test_calls_under_way_are_bounded() -> None:
    """Questions wait for the campaign's permits as rankings do."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    async with asyncio.TaskGroup() as group:
        for place in range(8):
            question = replace(QUESTION, item_id=f"i-{place}")
            group.create_task(recommend(service, question, concurrency_max=4))
    assert service.clock.now_s() - began_s == pytest.approx(0.2)


async def test_a_store_that_is_away_costs_calls_and_nothing_else() -> None:
    """Without a store every question is asked, none is kept, and nobody sees an error."""

    class Away(MemoryStore):
        async def load_listing(self, key: object) -> KeptListing:
            return KeptListing(None, None)

    ranker = ListingRanker()
    service = service_of(ranker, store=Away(VirtualClock().now_s))
    for place in range(3):
        assert number(await recommend(service)) == place
        await settled(service)
        await asyncio.sleep(1.0)
    assert service.recommender.health()["stored"] == 0


async def test_a_cache_of_no_time_keeps_nothing() -> None:
    """With `fresh_s` and `stale_s` 0 every question is a call."""
    ranker = ListingRanker()
    service = service_of(ranker, fresh_s=0.0, stale_s=0.0)
    for place in range(3):
        assert number(await recommend(service)) == place


async def test_a_slow_store_does_not_cause_a_second_call() -> None:
    """The next caller rides on the call that has just landed while its listing is still on its way to the store."""

    class Slow(MemoryStore):
        async def save_listing(self, *parts: Any) -> None:
            await asyncio.sleep(0.02)
            await super().save_listing(*parts)

    ranker = ListingRanker()
    service = service_of(ranker, store=Slow(VirtualClock().now_s))
    assert [number(await recommend(service)) for _ in range(5)] == [0] * 5
    await settled(service)
    assert len(ranker.asked) == 1


async def test_numbers_are_counted() -> None:
    """Hits, misses, stale answers, refreshes and shared calls are told apart."""
    ranker = ListingRanker(delay_s=0.1)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(recommend(service))
    await settled(service)
    await recommend(service)
    await asyncio.sleep(FRESH_S + 1)
    await recommend(service)
    await settled(service)
    assert service.recommender.health() == {
        "hits": 1,
        "misses": 2,
        "stale": 1,
        "refreshes": 1,
        "joined": 1,
        "stored": 2,
    }

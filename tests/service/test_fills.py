"""One fill for many callers: nothing is asked twice, nobody is taken along, the last to leave turns out the light."""

import asyncio
import sys
from collections.abc import Sequence

import pytest

from gateway.core.errors import AccessDenied, InvalidInput
from gateway.core.keys import FrameKey
from gateway.ports import Kept
from gateway.service import background as background_module
from gateway.service.fills import LINGER_S
from gateway.service.result import Degraded, Result
from gateway.service.service import Service
from tests.service.scenes import agrees, catalogue, order, rerank, service_of
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker


async def together(service: Service, lists: Sequence[Sequence[str]], **options: float) -> list[Result]:
    """Rank all lists for one user at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(rerank(service, items, **options)) for items in lists]  # type: ignore[arg-type]
    return [task.result() for task in tasks]


async def test_fifty_equal_requests_cost_one() -> None:
    """Fifty callers that want the same at once share its 21 calls, and get equal answers."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    results = await together(service_of(ranker), [list(logits)] * 50)
    assert len(ranker.calls) == 21
    assert sum(result.usage.upstream_calls for result in results) == 21
    assert agrees(results[0], logits)
    assert all(order(result) == order(results[0]) for result in results)
    assert all((result.ranking.scores == results[0].ranking.scores).all() for result in results)


async def test_shelves_that_arrive_at_once_cost_what_their_union_costs() -> None:
    """Six overlapping lists in six requests are asked as one list."""
    logits = catalogue(1_900)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    shelves = [items[start : start + 400] for start in range(0, 1_800, 300)]
    results = await together(service_of(ranker), shelves)
    assert len(ranker.calls) == 4  # as one request of their union: ceil((1,900 - 3) / (500 - 3))
    assert all(agrees(result, logits) for result in results)


async def test_a_later_request_asks_only_for_its_own_rest() -> None:
    """A request that comes while others' items are under way waits for those and asks for no item a second time."""
    logits = catalogue(3_000)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)

    async def later() -> Result:
        await asyncio.sleep(0.02)
        return await rerank(service, items[1_000:])

    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(rerank(service, items[:2_000])), group.create_task(later())
    anchors = {item for call in ranker.calls for item in call.items if sum(item in c.items for c in ranker.calls) > 1}
    asked = [item for call in ranker.calls for item in call.items if item not in anchors]
    assert len(asked) == len(set(asked))
    assert len(ranker.calls) == 5 + 3
    assert agrees(first.result(), logits)
    assert agrees(second.result(), logits)
    assert (first.result().usage.upstream_calls, second.result().usage.upstream_calls) == (5, 3)


async def test_what_was_just_learnt_is_not_asked_again_while_it_is_being_stored() -> None:
    """Between the end of a fill and its arrival in a slow store, newcomers take it from the fill."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    arrived = asyncio.Event()
    save = service.reranker.frames.store.save

    async def slow_save(*arguments: object) -> None:
        await arrived.wait()
        await save(*arguments)  # type: ignore[arg-type]

    service.reranker.frames.store.save = slow_save  # type: ignore[method-assign]
    async with asyncio.timeout(0.5):
        first = asyncio.create_task(rerank(service, list(logits)))
        await asyncio.sleep(LINGER_S / 2)
        second = asyncio.create_task(rerank(service, list(logits)))
        await asyncio.sleep(0)
        arrived.set()
        results = [await first, await second]
    assert len(ranker.calls) == 2
    assert order(results[0]) == order(results[1])


async def test_what_outlives_its_callers_holds_nothing_of_their_lists() -> None:
    """While a store is slow and a fill still takes newcomers, the ids of the list that both learnt from are free."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    arrived, saving = asyncio.Event(), asyncio.Event()
    given = list(logits)
    held = sys.getrefcount(given[0])

    async def slow_save(*_: object) -> None:
        saving.set()
        await arrived.wait()

    service.reranker.frames.store.save = slow_save  # type: ignore[method-assign]
    await rerank(service, given, drains=False)
    ranker.calls.clear()
    await saving.wait()
    await asyncio.sleep(0)
    assert repr(service.reranker.fills) == "<Fills 1 batches=0 refreshing=0>"
    still = sys.getrefcount(given[0])
    arrived.set()
    assert still == held


async def test_leavers_take_nobody_along() -> None:
    """Forty-nine callers hang up, the payer among them; the one left gets its answer, without one more call."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.2)
    service = service_of(ranker)
    tasks = [asyncio.create_task(rerank(service, list(logits))) for _ in range(50)]
    await asyncio.sleep(0.1)
    for task in tasks[:-1]:
        task.cancel()
    assert agrees(await tasks[-1], logits)
    assert len(ranker.calls) == 21
    assert ranker.cancelled == 0
    assert all(task.cancelled() for task in tasks[:-1])


async def test_the_last_leaver_cancels_the_calls() -> None:
    """When all callers have hung up, the calls end with them, and no task is left."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=5.0)
    service = service_of(ranker)
    tasks = [asyncio.create_task(rerank(service, list(logits), duration_s=10.0)) for _ in range(5)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0.1)
    assert ranker.cancelled == 21
    assert ranker.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await asyncio.sleep(LINGER_S)
    assert repr(service.reranker.fills) == "<Fills 0 batches=0 refreshing=0>"


async def test_a_rider_is_bound_by_its_own_deadline() -> None:
    """A caller with less time than the one whose calls it rides on leaves in time, flagged; the other is whole."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.5)
    service = service_of(ranker)
    patient = asyncio.create_task(rerank(service, list(logits), duration_s=1.0))
    await asyncio.sleep(0.01)
    began_s = service.clock.now_s()
    with pytest.raises(Exception, match="deadline"):
        await rerank(service, list(logits), duration_s=0.1)
    assert service.clock.now_s() - began_s <= 0.1
    assert agrees(await patient, logits)


async def test_a_hanging_fill_does_not_hold_up_others() -> None:
    """If somebody's first batch hangs, a newcomer with other items loses patience and begins its own."""
    logits = catalogue(1_600)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: "hang" if n < 2 else None)
    service = service_of(ranker)
    stuck = asyncio.create_task(rerank(service, items[:800], duration_s=20.0))
    await asyncio.sleep(0.01)
    result = await rerank(service, items[800:], duration_s=1.0)
    assert agrees(result, logits)
    assert result.degraded is None
    stuck.cancel()


async def test_a_rider_tries_again_what_failed_for_the_one_who_asked_first() -> None:
    """The failures of a batch are those of its riders alike: flagged for all, asked again by the next request."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05, fails=lambda n, _: AccessDenied("no") if n == 1 else None)
    service = service_of(ranker)
    results = await together(service, [list(logits)] * 3)
    assert {result.degraded for result in results} == {Degraded.UPSTREAM}
    assert len(ranker.calls) == 4
    assert agrees(await rerank(service, list(logits)), logits)
    assert len(ranker.calls) == 5


async def test_a_wrong_request_is_told_to_all_who_ride() -> None:
    """When a call says that the request is wrong, every rider hears it, and nothing is left under way."""
    ranker = SoftmaxRanker(lambda _: {}, fails=lambda _, __: InvalidInput("bad"))
    service = service_of(ranker)
    tasks = [asyncio.create_task(rerank(service, ["a", "b"])) for _ in range(3)]
    for task in tasks:
        with pytest.raises(InvalidInput, match="bad"):
            await task
    assert len(ranker.calls) == 1


async def test_a_drift_is_found_once_for_all_who_ride() -> None:
    """Callers of a drifted frame at the same time end with equal new rankings, at the price of one."""
    before, after = catalogue(2_000, seed=1), catalogue(2_000, seed=2)
    logits = before
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.02)
    service = service_of(ranker)
    items = sorted(before)
    await rerank(service, items[:1_500])
    logits = after
    await asyncio.sleep(LINGER_S)
    del ranker.calls[:]
    results = await together(service, [items] * 4)
    assert all(agrees(result, after) for result in results)
    assert sum(result.usage.upstream_calls for result in results) == len(ranker.calls) <= 6
    assert sum(result.usage.drifts for result in results) == 1


async def test_a_store_that_stutters_does_not_split_a_fill() -> None:
    """Callers that cannot learn the epoch share one fill with those who can, and what it learnt is kept."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)
    load, loads = service.reranker.frames.store.load, 0

    async def stutter(key: FrameKey) -> Kept:
        nonlocal loads
        loads += 1
        return Kept(None, None) if loads in (1, 3) else await load(key)

    service.reranker.frames.store.load = stutter  # type: ignore[method-assign]
    results = await together(service, [list(logits)] * 4)
    assert len(ranker.calls) == 2
    assert all(agrees(result, logits) for result in results)
    await asyncio.sleep(LINGER_S)
    assert (await rerank(service, list(logits))).usage.upstream_calls == 0


async def test_a_fill_that_began_before_an_event_is_not_joined_after_it() -> None:
    """A fill that does not know its epoch is none of an epoch that began later."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)
    load = service.reranker.frames.store.load

    async def unknown(_: FrameKey) -> Kept:
        return Kept(None, None)

    service.reranker.frames.store.load = unknown  # type: ignore[method-assign]
    first = asyncio.create_task(rerank(service, list(logits)))
    await asyncio.sleep(0.01)
    service.reranker.frames.store.load = load  # type: ignore[method-assign]
    await service.reranker.frames.bump("", USER)
    second = asyncio.create_task(rerank(service, list(logits)))
    assert agrees(await first, logits)
    assert agrees(await second, logits)
    assert len(ranker.calls) == 4


async def test_a_newcomer_right_behind_the_last_leaver_is_answered() -> None:
    """Whoever comes in the very turn in which the calls are cancelled begins a batch of its own."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.05)
    service = service_of(ranker)
    leaver = asyncio.create_task(rerank(service, list(logits)))
    await asyncio.sleep(0.01)
    leaver.cancel()
    newcomer = asyncio.create_task(rerank(service, list(logits)))
    await asyncio.wait((leaver, newcomer))
    assert leaver.cancelled()
    assert not newcomer.cancelled()
    assert agrees(newcomer.result(), logits)
    assert len(ranker.calls) == 4


async def test_a_refresh_that_found_no_room_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the background is full a refresh is dropped, and the next caller of the stale frame may start it."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    await rerank(service, list(logits))
    await asyncio.sleep(100.0)
    monkeypatch.setattr(background_module, "TASKS_MAX", 0)
    assert (await rerank(service, list(logits))).degraded is Degraded.STALE
    monkeypatch.undo()
    assert (await rerank(service, list(logits))).degraded is Degraded.STALE
    assert (await rerank(service, list(logits))).degraded is None

"""Frames in time: busy ones are renewed before anybody waits, old ones answer flagged, an event kills them at once."""

import asyncio

import pytest

from gateway.core.errors import Unavailable
from gateway.service.fills import LINGER_S
from gateway.service.result import Degraded
from tests.service.scenes import agrees, catalogue, order, rerank, service_of
from tests.support.canaries import OTHER_USER, USER
from tests.support.softmax_ranker import SoftmaxRanker


async def test_a_stale_frame_answers_at_once_and_is_renewed_behind() -> None:
    """In its stale time a frame answers flagged without a call of the caller's; the next caller has the new one."""
    before, after = catalogue(800, seed=1), catalogue(800, seed=2)
    logits = before
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    items = sorted(before)
    await rerank(service, items)
    logits = after
    await asyncio.sleep(100.0)
    stale = await rerank(service, items)
    assert stale.degraded is Degraded.STALE
    assert stale.source_of(0) == "stale"
    assert agrees(stale, before)
    assert stale.usage.upstream_calls == 0
    fresh = await rerank(service, items)
    assert fresh.degraded is None
    assert agrees(fresh, after)
    assert fresh.usage.upstream_calls == 0


async def test_a_frame_is_refreshed_once_however_many_ask() -> None:
    """A hundred callers of a stale frame start one refresh."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.1)
    service = service_of(ranker)
    await rerank(service, list(logits))
    await asyncio.sleep(100.0)
    del ranker.calls[:]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(rerank(service, list(logits))) for _ in range(100)]
    assert {task.result().degraded for task in tasks} == {Degraded.STALE}
    assert len(ranker.calls) == 2


async def test_a_busy_users_frame_never_grows_stale() -> None:
    """Asked every second, a frame is renewed in the last part of its fresh time: no answer is flagged, none waits."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.3)
    service = service_of(ranker, fresh_s=60.0)
    await rerank(service, list(logits))
    for _ in range(300):
        await asyncio.sleep(1.0)
        result = await rerank(service, list(logits))
        assert result.degraded is None
        assert result.usage.upstream_calls == 0
    assert 2 * (1 + 300 // 60) <= len(ranker.calls) <= 2 * (1 + 300 // 45)


async def test_a_refresh_that_is_not_whole_replaces_nothing() -> None:
    """If some calls of a refresh fail, the old frame goes on answering."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    await rerank(service, list(logits))
    await asyncio.sleep(100.0)
    ranker.fails = lambda n, _: Unavailable("down") if n % 4 == 0 else None
    assert (await rerank(service, list(logits))).degraded is Degraded.STALE
    again = await rerank(service, list(logits))
    assert again.degraded is Degraded.STALE
    assert again.usage.unranked == 0


async def test_an_event_kills_a_frame_at_once() -> None:
    """After a bump the user's frames are dead; those of others live."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    for user in (USER, OTHER_USER):
        await rerank(service, list(logits), user_id=user)
    assert await service.reranker.forget_user("", USER)
    del ranker.calls[:]
    assert (await rerank(service, list(logits), user_id=USER)).usage.cached == 0
    assert (await rerank(service, list(logits), user_id=OTHER_USER)).usage.cached == 800
    assert len(ranker.calls) == 2


async def test_what_is_learnt_while_an_event_comes_is_not_kept() -> None:
    """A ranking under way when the user acts is answered, but its frame is dead on arrival; nobody joins its fill."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.1)
    service = service_of(ranker)
    under_way = asyncio.create_task(rerank(service, list(logits)))
    await asyncio.sleep(0.05)
    assert await service.reranker.forget_user("", USER)
    after = asyncio.create_task(rerank(service, list(logits)))
    assert agrees(await under_way, logits)
    assert (await after).usage.upstream_calls == 2
    assert len(ranker.calls) == 4


async def test_frames_filled_right_after_an_event_live_shortly() -> None:
    """Upstream takes a moment to learn of an event, so a frame that was filled within it is asked anew after it."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, settle_s=2.0)
    assert await service.reranker.forget_user("", USER)
    await asyncio.sleep(0.5)
    await rerank(service, list(logits))
    await asyncio.sleep(1.0)
    assert (await rerank(service, list(logits))).usage.cached == 800
    await asyncio.sleep(1.5)
    assert (await rerank(service, list(logits))).usage.cached == 0
    await asyncio.sleep(30.0)
    assert (await rerank(service, list(logits))).usage.cached == 800


async def test_a_settling_frame_still_beats_an_error() -> None:
    """Past its short life it answers only if upstream fails, flagged."""
    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, settle_s=2.0)
    assert await service.reranker.forget_user("", USER)
    first = await rerank(service, list(logits))
    await asyncio.sleep(3.0)
    ranker.fails = lambda _, __: Unavailable("down")
    reserve = await rerank(service, list(logits))
    assert reserve.degraded is Degraded.STALE
    assert order(reserve) == order(first)


async def test_without_a_store_nothing_is_kept_and_everything_is_answered() -> None:
    """If the store cannot be asked, rankings are learnt anew, whole and unflagged; bumps say that they were lost."""
    from gateway.ports import Kept

    class Gone:
        async def load(self, key: object) -> Kept:
            return Kept(None, None)

        async def save(self, key: object, frame: object, keep_s: float) -> None:
            pytest.fail("nothing may be kept under an unknown epoch")

        async def bump(self, user: str, epoch: int, keep_s: float) -> bool:
            return False

    logits = catalogue(800)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, store=Gone())
    for _ in range(2):
        result = await rerank(service, list(logits))
        assert agrees(result, logits)
        assert result.degraded is None
        await asyncio.sleep(2 * LINGER_S)
    assert len(ranker.calls) == 4
    assert not await service.reranker.forget_user("", USER)

"""The main job on a healthy upstream: right order, fewest calls, and what is known is not asked again."""

import asyncio
from random import Random

import pytest

from gateway.core import frame as frame_module
from gateway.service import frames as frames_module
from gateway.service.fills import LINGER_S
from tests.service.scenes import agrees, catalogue, ideal, order, rerank, service_of, stars
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker

FILTER = "arn:aws:personalize:us-east-1:000000000000:filter/f"


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (500, 1), (501, 2), (992, 2), (10_000, 21)])
async def test_a_cold_ranking_is_the_ideal_one_at_the_fewest_calls(count: int, calls: int) -> None:
    """Any number of candidates comes back in the order of one unlimited call, at the planned number of calls."""
    logits = catalogue(count)
    ranker = SoftmaxRanker(lambda _: logits)
    result = await rerank(service_of(ranker), list(logits))
    assert agrees(result, logits)
    assert result.degraded is None
    assert len(ranker.calls) == result.usage.upstream_calls == calls
    assert all(len(call.items) <= 500 for call in ranker.calls)


@pytest.mark.parametrize("left", [20, 98])
async def test_a_filter_that_leaves_few_costs_one_bridge_once(left: int) -> None:
    """What a filter leaves of 10,000 is ranked as one call would, by one bridge; nothing is flagged, and it is kept."""
    logits = catalogue(10_000, sigma=3.5)
    items = list(logits)
    kept = set(Random(1).sample(items, left))
    ranker = SoftmaxRanker(lambda _: logits, excluded=frozenset(items) - kept)
    service = service_of(ranker)
    first = await rerank(service, items, filter_arn=FILTER)
    again = await rerank(service, items, filter_arn=FILTER)
    assert first.degraded is again.degraded is None
    assert (first.usage.upstream_calls, first.usage.bridges, again.usage.upstream_calls) == (22, 1, 0)
    top = first.ranking.resolved_through
    assert order(first)[:top] == ideal(logits, [item for item in items if item in kept])[:top]
    assert order(again) == order(first)


async def test_the_calls_of_a_ranking_go_out_at_once() -> None:
    """A fan-out takes as long as its slowest call, not as their sum."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.1)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    await rerank(service, list(logits))
    assert ranker.in_flight_max == 21
    assert service.clock.now_s() - began_s == pytest.approx(0.1)


async def test_nothing_is_asked_for_an_empty_list() -> None:
    """No candidates, no call, no look-up, an empty ranking."""
    ranker = SoftmaxRanker(lambda _: {})
    result = await rerank(service_of(ranker), [])
    assert order(result) == []
    assert result.degraded is None
    assert ranker.calls == []


async def test_the_same_list_again_costs_nothing() -> None:
    """A second ranking of the same candidates makes no call and gives the same order."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    first = await rerank(service, list(logits))
    again = await rerank(service, list(reversed(logits)))
    assert len(ranker.calls) == 21
    assert again.usage.upstream_calls == 0
    assert again.usage.cached == 10_000
    assert order(again)[:9_000] == order(first)[:9_000]
    assert again.source_of(0) == "cached"
    assert first.source_of(0) == "fresh"


async def test_an_overlapping_list_pays_only_for_what_is_new() -> None:
    """9,000 known candidates and 1,000 new ones cost three calls with anchors, and come in the ideal order."""
    logits = catalogue(11_000)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    await rerank(service, items[:10_000])
    del ranker.calls[:]
    second = await rerank(service, items[1_000:])
    assert len(ranker.calls) == 3
    assert second.usage.cached == 9_000
    asked = {item for call in ranker.calls for item in call.items}
    assert set(items[10_000:]) <= asked
    assert len(asked - set(items[10_000:])) <= 32  # anchors
    assert agrees(second, logits)
    assert second.degraded is None


async def test_what_a_strong_list_pressed_is_ranked_by_itself_later() -> None:
    """A hundred items that came out faint among favourites are asked once more when they are ranked alone: each once in
    a call, in one call, and then they are known."""
    logits = {f"strong{n}": 9.0 + 0.01 * n for n in range(300)} | {f"faint{n}": 0.01 * n for n in range(100)}
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    await rerank(service, list(logits))
    weak = [item for item in logits if item.startswith("faint")]
    alone, again = await rerank(service, weak), await rerank(service, weak)
    assert all(len(set(call.items)) == len(call.items) for call in ranker.calls)
    assert alone.degraded is again.degraded is None
    assert order(alone) == order(again) == ideal(logits, weak)
    assert alone.ranking.resolved_through == len(weak)
    assert (alone.usage.upstream_calls, alone.usage.retries, again.usage.upstream_calls) == (1, 0, 0)


async def test_many_lists_of_one_user_stay_on_one_scale() -> None:
    """Ten overlapping pages one after the other end in the ideal order of their union, without any call."""
    logits = catalogue(6_000)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    for start in range(0, 6_000, 600):
        assert (await rerank(service, items[max(0, start - 200) : start + 600])).degraded is None
    del ranker.calls[:]
    assert agrees(await rerank(service, items), logits)
    assert ranker.calls == []


async def test_users_contexts_and_filters_do_not_share_frames() -> None:
    """What was learnt for one subject never answers for another."""
    ranker = SoftmaxRanker(lambda user: catalogue(10, seed=len(user)))
    service = service_of(ranker)
    items, other = list(catalogue(10)), f"{USER}-and-another"
    await rerank(service, items, user_id=USER)
    await rerank(service, items, user_id=other)
    await rerank(service, items, user_id=USER, context={"DEVICE": "mobile"})
    await rerank(service, items, user_id=USER, filter_arn=FILTER)
    assert len(ranker.calls) == 4
    assert order(await rerank(service, items, user_id=other)) == ideal(catalogue(10, seed=len(other)), items)
    assert len(ranker.calls) == 4


async def test_unknown_and_excluded_items_are_learnt_too() -> None:
    """Unknown items come last in the caller's order with score 0, excluded ones never; neither is asked again."""
    logits = catalogue(1_000)
    excluded = frozenset(list(logits)[::7])
    strange = [f"new-{number}" for number in range(300)]
    items = [item for pair in zip(logits, [*strange, *strange[:0]], strict=False) for item in pair]
    ranker = SoftmaxRanker(lambda _: logits, excluded=excluded)
    service = service_of(ranker)
    result = await rerank(service, items, filter_arn=FILTER)
    again = await rerank(service, items, filter_arn=FILTER)
    kept = [item for item in items if item in logits and item not in excluded]
    assert order(result) == order(again) == ideal(logits, kept) + strange
    assert result.ranking.scores[-300:].tolist() == [0.0] * 300
    assert (result.usage.unknown, result.usage.excluded) == (300, len(items) - 300 - len(kept))
    assert again.usage.upstream_calls == 0


async def test_repetitions_are_merged() -> None:
    """An item that is given many times is asked once and comes back once."""
    ranker = SoftmaxRanker(lambda _: {"a": 1.0, "b": 2.0})
    result = await rerank(service_of(ranker), ["a"] * 3_000 + ["b", "a"])
    assert order(result) == ["b", "a"]
    assert [call.items for call in ranker.calls] == [["a", "b"]]


async def test_a_drifted_frame_is_thrown_away() -> None:
    """When the user has moved, the old differences are found out, and everything requested is ranked anew."""
    before, after = catalogue(3_000, seed=1), catalogue(3_000, seed=2)
    logits = before
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    items = sorted(before)
    await rerank(service, items[:2_500])
    logits = after
    moved = await rerank(service, items)
    assert moved.usage.drifts == 1
    assert moved.usage.cached == 0
    assert moved.degraded is None
    assert agrees(moved, after)
    assert agrees(await rerank(service, items), after)


async def test_a_frame_beyond_its_limit_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that would hold too many items keeps those of the current request, which was answered whole."""
    monkeypatch.setattr(frames_module, "ITEMS_MAX", 3_000)
    logits = catalogue(4_000)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    await rerank(service, items[:2_500])
    second = await rerank(service, items[1_500:])
    assert agrees(second, logits)
    del ranker.calls[:]
    await asyncio.sleep(LINGER_S)
    assert (await rerank(service, items[1_500:])).usage.upstream_calls == 0
    assert (await rerank(service, items[:1_500])).usage.upstream_calls > 0
    assert frame_module.ITEMS_MAX == 100_000


async def test_weak_anchors_cost_one_bridge() -> None:
    """A very peaked user, whose anchors are pressed to nothing, is ranked right with one more call."""
    logits = stars()
    items = sorted(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    result = await rerank(service_of(ranker), items)
    assert result.usage.bridges == 1
    assert result.usage.upstream_calls == len(ranker.calls) == 12
    assert order(result)[:40] == ideal(logits, items)[:40]
    assert result.degraded is None

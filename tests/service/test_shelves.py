"""Many lists of one user in one request: the price of their union, and each ranked as it would be alone."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gateway.core.budget import Budget
from gateway.core.errors import InvalidInput, Unavailable
from gateway.core.model import Subject
from gateway.core.routing import Campaign, Merge
from gateway.service.result import Degraded, Request, Result
from gateway.service.service import Service
from gateway.service.shelves import Shelved, rank_shelves
from tests.service.scenes import catalogue, ideal, order, rerank, service_of
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker

ROUNDING = 0.5e-7


async def shelve(
    service: Service,
    shelves: Mapping[str, Sequence[str]],
    filter_arn: str | None = None,
    merge: Merge = "calibrated",
) -> Shelved:
    """One request for all shelves, and the end of what it left to the background."""
    items = [item for shelf in shelves.values() for item in shelf]
    budget = Budget.of(asyncio.get_running_loop().time(), 1.0, len(items))
    request = Request(Campaign("demo", ARN, merge=merge), Subject("demo", USER, {}, filter_arn), items, budget)
    shelved = await rank_shelves(service.reranker, request, {name: list(shelf) for name, shelf in shelves.items()})
    await service.reranker.frames.background.drain(1.0)
    return shelved


def scores(result: Result) -> list[float]:
    """The scores along the ranking."""
    return [float(score) for score in result.ranking.scores]


def same_scores(part: Result, alone: Result) -> bool:
    """Whether scores agree to 1e-6, but for what the rounding of both calls may have done to them."""
    pairs = zip(scores(part), scores(alone), strict=True)
    # A score of x in its call is uncertain by ROUNDING / x; the shelf's items scored at least 1/8 as much in the union.
    return all(abs(one - other) <= 1e-6 * other + 20 * ROUNDING for one, other in pairs)


async def test_six_overlapping_shelves_cost_one_call() -> None:
    """Six shelves of 80 with overlaps are one call, and each is ranked and scored as a call of its own would."""
    logits = catalogue(380, sigma=1.0)
    items = list(logits)
    shelves = {f"shelf-{n}": items[60 * n : 60 * n + 80] for n in range(6)}
    ranker = SoftmaxRanker(lambda _: logits)
    shelved = await shelve(service_of(ranker), shelves)
    assert len(ranker.calls) == shelved.whole.usage.upstream_calls == 1
    for name, shelf in shelves.items():
        alone = await rerank(service_of(SoftmaxRanker(lambda _: logits)), shelf)
        part = shelved.shelves[name]
        assert order(part) == order(alone) == ideal(logits, shelf)
        assert same_scores(part, alone)
        assert part.ranking.scores.sum() == pytest.approx(1.0, abs=1e-9)


async def test_unknown_and_excluded_items_stand_as_in_a_ranking_of_their_own() -> None:
    """Unknown items end each shelf in that shelf's own order, and what the filter drops is in none."""
    logits = catalogue(20)
    known = list(logits)
    ranker = SoftmaxRanker(lambda _: logits, excluded=frozenset(known[:2]))
    shelves = {"a": ["new-2", *known[:5], "new-1"], "b": ["new-1", *known[3:9], "new-2"], "none": []}
    shelved = await shelve(service_of(ranker), shelves, "arn:aws:personalize:us-east-1:000000000000:filter/f")
    assert order(shelved.shelves["a"]) == [*ideal(logits, known[2:5]), "new-2", "new-1"]
    assert order(shelved.shelves["b"]) == [*ideal(logits, known[3:9]), "new-1", "new-2"]
    assert order(shelved.shelves["none"]) == []
    assert (shelved.shelves["a"].ranking.unknown, shelved.shelves["a"].ranking.excluded) == (2, 2)


async def test_shelves_of_no_items_cost_nothing() -> None:
    """No candidates at all: no call, and every shelf is there and empty."""
    ranker = SoftmaxRanker(lambda _: {})
    shelved = await shelve(service_of(ranker), {"a": [], "b": []})
    assert [order(part) for part in shelved.shelves.values()] == [[], []]
    assert ranker.calls == []


async def test_a_shelf_that_another_one_drowned_is_ranked_by_itself() -> None:
    """Where favourites press a shelf of likes below the rounding, it costs one more call and is in its own order."""
    strong = {f"favourite-{n}": 20.0 + 0.1 * n for n in range(80)}
    weak = {f"like-{n}": 0.05 * (n * 37 % 80) for n in range(80)}
    ranker = SoftmaxRanker(lambda _: strong | weak)
    shelved = await shelve(service_of(ranker), {"strong": list(strong), "weak": list(weak)})
    assert len(ranker.calls) == shelved.whole.usage.upstream_calls == 2
    alone = await rerank(service_of(SoftmaxRanker(lambda _: weak)), list(weak))
    assert order(shelved.shelves["weak"]) == order(alone) == ideal(weak, list(weak))
    assert same_scores(shelved.shelves["weak"], alone)
    assert shelved.whole.ranking.scores[-80:].max() == 0.0  # the control: all that a plain split could tell


async def test_a_drowned_shelf_is_split_off_if_its_own_call_fails() -> None:
    """Without the call of its own the shelf stands as the union ranked it, whole and without an error."""
    strong = {f"favourite-{n}": 20.0 for n in range(20)}
    weak = {f"like-{n}": 0.1 * n for n in range(20)}
    ranker = SoftmaxRanker(lambda _: strong | weak, fails=lambda number, _: Unavailable("gone") if number else None)
    shelved = await shelve(service_of(ranker), {"strong": list(strong), "weak": list(weak)})
    assert sorted(order(shelved.shelves["weak"])) == sorted(weak)
    assert shelved.whole.usage.upstream_calls > 1


async def test_a_lost_call_flags_all() -> None:
    """When a call of the union is lost, its items stand unranked at the end of their shelves, and the flag is there."""
    logits = catalogue(900)
    items = list(logits)
    ranker = SoftmaxRanker(
        lambda _: logits, fails=lambda _, call: Unavailable("no") if items[-1] in call.items else None
    )
    shelved = await shelve(service_of(ranker), {"a": items[:500], "b": items[400:]})
    assert shelved.whole.degraded is Degraded.UPSTREAM
    assert all(part.ranking.unranked for part in shelved.shelves.values())
    assert sorted(order(shelved.shelves["b"])) == sorted(items[400:])


async def test_an_ordinal_shelf_that_cannot_be_ranked_stands_as_it_came() -> None:
    """Where shelves are ranked one by one, a failure is that shelf's own, and flagged; if all fail, it is the error."""
    logits = catalogue(900)
    items = list(logits)
    lost = set(items[:300])
    ranker = SoftmaxRanker(
        lambda _: logits, fails=lambda _, call: Unavailable("no") if lost & set(call.items) else None
    )
    service = service_of(ranker)
    shelved = await shelve(service, {"lost": items[:300], "well": items[300:700]}, merge="ordinal")
    lost_part, well = shelved.shelves["lost"], shelved.shelves["well"]
    assert (order(lost_part), lost_part.degraded, lost_part.ranking.ranked) == (items[:300], Degraded.UPSTREAM, 0)
    assert (order(well), well.degraded) == (ideal(logits, items[300:700]), None)
    assert (shelved.whole.degraded, shelved.whole.usage.unranked) == (Degraded.UPSTREAM, 300)
    assert shelved.whole.usage.candidates == 700
    with pytest.raises(Unavailable):
        await shelve(service_of(ranker), {"lost": items[:300], "none": []}, merge="ordinal")


async def test_a_callers_fault_in_an_ordinal_shelf_is_told_as_it_is() -> None:
    """The request is refused in the service's words, not by a group of errors."""
    logits = catalogue(20)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda *_: InvalidInput("no such filter"))
    with pytest.raises(InvalidInput):
        await shelve(service_of(ranker), {"a": list(logits), "b": list(logits)[:5]}, merge="ordinal")

"""One user, many lists: the union is ranked once, and split.

A softmax over a part of a list keeps the order of the whole, so each shelf is ordered and normalised by itself, exactly
as a call of its own would have done it. There is one exception, which rounding makes: where the strong items of one
shelf have pressed another one below the 7th decimal, that shelf is ranked again by itself, as a request for it alone
would be.

Where only orders of calls may be believed, a part of a ranking is not the ranking of the part: what meets in a call is
chosen for the head of the union. So each shelf of an ordinal campaign is ranked by itself, all at once.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.errors import CallerError, UpstreamError
from gateway.core.model import Ints, distinct
from gateway.core.ordering import order_candidates
from gateway.core.resolution import resolvable
from gateway.service.rerank import Reranker, unranked
from gateway.service.result import Cost, Degraded, Request, Result, incomplete, worst


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """`whole` is the ranking of the union, whose usage and timing are those of all; `shelves` are its parts. Where they
    were ranked one by one, `whole` has no items, and usage counts every shelf."""

    whole: Result
    shelves: dict[str, Result]


async def rank_shelves(reranker: Reranker, request: Request, shelves: Mapping[str, list[str]]) -> Shelved:
    """Rank the shelves; the request's items are those of all of them. Errors are those of `Reranker.rerank`."""
    if request.ordinal:
        return await _one_by_one(reranker, request, shelves)
    whole = await reranker.rerank(request)
    place = dict(zip(whole.candidates, range(len(whole.candidates)), strict=True))
    parts: dict[str, Result] = {}
    for name, items in shelves.items():
        await reranker.turns.mine()
        candidates = distinct(items)
        with whole.timing.stage("cpu_s"):
            places = np.fromiter(map(place.__getitem__, candidates), dtype=np.intp, count=len(candidates))
            part = part_of(whole, candidates, places)
        if whole.degraded is None and resolvable(part.log, part.grade).any():
            part = await _by_itself(reranker, replace(request, items=candidates), whole) or part
        parts[name] = part
    return Shelved(whole, parts)


def part_of(whole: Result, candidates: list[str], places: Ints) -> Result:
    """The ranking of some candidates of another one, which stand at these places there."""
    log, grade = whole.log[places], whole.grade[places]
    return replace(
        whole,
        candidates=candidates,
        ranking=order_candidates(log, grade),
        log=log,
        grade=grade,
        origin=whole.origin[places],
        source=whole.source[places],
        own=None,
    )


async def _by_itself(reranker: Reranker, request: Request, whole: Result) -> Result | None:
    """The ranking of one shelf alone, its price put on the bill of the whole; None if it is no better than the part."""
    try:
        alone = await reranker.rerank(request)
    except UpstreamError:
        return None
    whole.usage.add(alone.usage)
    whole.timing.add(alone.timing)
    whole.rounds.extend(alone.rounds)
    return alone if alone.degraded is None else None


async def _one_by_one(reranker: Reranker, request: Request, shelves: Mapping[str, list[str]]) -> Shelved:
    """Rank every shelf alone. One that could not be ranked stands as it came, flagged, if another one could."""
    ends: dict[str, Result | UpstreamError] = {}

    async def rank(name: str, items: list[str]) -> None:
        try:
            ends[name] = await reranker.rerank(replace(request, items=items))
        except UpstreamError as failure:
            ends[name] = failure

    try:
        async with asyncio.TaskGroup() as group:
            for name, items in shelves.items():
                group.create_task(rank(name, items))
    except BaseExceptionGroup as raised:
        faults = raised.subgroup(CallerError)
        if faults is not None:
            raise faults.exceptions[0] from None
        raise
    failures = [end for end in ends.values() if isinstance(end, UpstreamError)]
    if failures and all(not isinstance(end, Result) or not end.candidates for end in ends.values()):
        raise worst(failures)
    parts = {
        name: unranked(request, distinct(items), incomplete([end]), Cost.new(reranker.clock))
        if isinstance(end := ends[name], UpstreamError)
        else end
        for name, items in shelves.items()
    }
    return Shelved(_together(await reranker.rerank(replace(request, items=[])), parts.values()), parts)


def _together(nothing: Result, parts: Collection[Result]) -> Result:
    """What shelves that were ranked at the same time cost and suffered in all, told of a ranking of nothing."""
    for part in parts:
        nothing.usage.add(part.usage)
        nothing.usage.add_items(part.usage)
        nothing.timing.add_beside(part.timing)
    flags = [part.degraded for part in parts if part.degraded is not None]
    rounds = [made for part in parts for made in part.rounds]
    return replace(nothing, degraded=max(flags, key=list(Degraded).index, default=None), rounds=rounds)

"""One user, many lists: the union is ranked once, and split.

A softmax over a part of a list keeps the order of the whole, so each shelf is ordered and normalised by itself, exactly
as a call of its own would have done it. There is one exception, which rounding makes: where the strong items of one
shelf have pressed another one below the 7th decimal, that shelf is ranked again by itself, as a request for it alone
would be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.errors import UpstreamError
from gateway.core.model import Ints, distinct
from gateway.core.ordering import order_candidates
from gateway.core.resolution import resolvable
from gateway.service.rerank import Reranker
from gateway.service.result import Request, Result


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """`whole` is the ranking of the union, whose usage and timing are those of all; `shelves` are its parts."""

    whole: Result
    shelves: dict[str, Result]


async def rank_shelves(reranker: Reranker, request: Request, shelves: Mapping[str, list[str]]) -> Shelved:
    """Rank the shelves; the request's items are those of all of them. Errors are those of `Reranker.rerank`."""
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
    )


async def _by_itself(reranker: Reranker, request: Request, whole: Result) -> Result | None:
    """The ranking of one shelf alone, its price put on the bill of the whole; None if it is no better than the part."""
    try:
        alone = await reranker.rerank(request)
    except UpstreamError:
        return None
    whole.usage.add(alone.usage)
    whole.timing.add(alone.timing)
    return alone if alone.degraded is None else None

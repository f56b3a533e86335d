"""A ranking whose page comes with metadata, at the fewest calls: what is shown is asked for, what is cached is not.

Usually the ranking comes first, in calls of 500, and then the metadata of the page, in calls of 50. A short list may be
cheaper the other way: one call of 50 ranks and describes at once. Whether it is depends on what is cached, so short
lists are looked up before they are ranked.
"""

from dataclasses import field, replace

from gateway.core.model import Ints, distinct, taken
from gateway.core.plan import TOGETHER_MAX
from gateway.core.values import dataclass
from gateway.service.metadata import Known, Metadata
from gateway.service.outcomes import Asked
from gateway.service.rerank import Reranker
from gateway.service.result import Columns, Cost, Degraded, Request, Result
from gateway.service.turns import STEP, slices


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A ranking, and the metadata of a page of it; the flag says if some is missing. `asked` are the calls that
    were made for nothing else."""

    result: Result
    metadata: Known
    asked: Asked = field(default_factory=Asked)


async def rank_described(
    reranker: Reranker, metadata: Metadata, request: Request, offset: int, limit: int | None
) -> Described:
    """Rank the request's items, and describe those of the page by its columns, if it names any.

    Errors are those of `Reranker.rerank`.
    """
    names = request.columns.names
    if not names:
        return Described(await reranker.rerank(request), {})
    known: Known | None = None
    if len(request.items) <= TOGETHER_MAX:
        items = distinct(request.items)
        cost = Cost.new(reranker.clock)
        known = await metadata.look_up(request.subject, names, items, cost)
        shown = max(0, len(items) - offset)
        lacking = min(shown if limit is None else min(limit, shown), len(items) - len(known))
        result = await reranker.rerank(replace(request, columns=Columns(names, lacking)))
        result.timing.add(cost.timing)
    else:
        result = await reranker.rerank(request)
    items = await reranker.turns.taken(result.candidates, places_of(result, offset, limit))
    return await describe(metadata, request, result, items, known)


async def describe(
    metadata: Metadata, request: Request, result: Result, items: list[str], known: Known | None = None
) -> Described:
    """Describe some items of a ranking; `known` is what is cached of them, None if nobody has looked yet.

    Raises `CallerError` if a call says that the columns are wrong.
    """
    names = request.columns.names
    cost = Cost.new(result.timing.clock)
    brought = await metadata.of_rounds(request.subject, names, result.rounds)
    if known is None:
        known = await metadata.look_up(request.subject, names, items, cost)
    known |= brought
    lacking: list[str] = []
    for some in slices(items, STEP):
        await metadata.turns.next_step(len(items))
        lacking += [item for item in some if item not in known]
    told, asked = await metadata.ask(request.campaign, request.subject, names, lacking, request.budget, cost)
    result.usage.add(cost.usage)
    result.timing.add(cost.timing)
    if result.degraded is None and len(told) < len(lacking):
        result = replace(result, degraded=Degraded.METADATA)
    if known and told:
        await metadata.turns.next_step(len(told))
        known |= told
    return Described(result, known or told, asked)


def page_of(result: Result, offset: int, limit: int | None) -> list[str]:
    """The items of a page of the ranking, best first."""
    return taken(result.candidates, places_of(result, offset, limit))


def places_of(result: Result, offset: int, limit: int | None) -> Ints:
    """Where the items of a page stand among the candidates."""
    count = len(result.ranking.order)
    return result.ranking.order[offset : count if limit is None else min(count, offset + limit)]

"""The entries of an answer: a page of a ranking, told as much of as was asked for, or must be."""

import asyncio
from collections.abc import Mapping
from functools import partial

from gateway.service.result import Degraded, Result
from gateway.web import render
from gateway.web.pieces import Parts
from gateway.web.render import DescribedEntry, Entry, ToldEntry


async def plain_entries(result: Result, offset: int, limit: int | None, metadata: Mapping[str, bytes]) -> Parts:
    """The page as a JSON list, in pieces: ids, scores, and metadata where there is some. The whole ranking of a frame's
    own list is made twice, and then kept."""
    if metadata:

        def made(offset: int, limit: int) -> list[DescribedEntry]:
            return render.described(render.page(result, offset, limit, DescribedEntry), metadata)

        return await render.encoded(result, offset, limit, made)
    own = result.own if offset == 0 and (limit is None or limit >= len(result.ranking.order)) else None
    if own is not None and own.told:
        return list(own.told)
    told = await render.encoded(result, offset, limit, partial(render.page, result, kind=Entry))
    if own is not None:
        own.tell(told)
    return told


async def told_entries(
    result: Result, offset: int, limit: int | None, metadata: Mapping[str, bytes], given: list[str] | None
) -> Parts:
    """The same; all that is known of every place if `given`, the caller's list as it came, is there to explain it. An
    answer whose ranking is degraded tells every source."""
    if given is None and result.degraded in (None, Degraded.METADATA):
        return await plain_entries(result, offset, limit, metadata)
    explain = None
    if given is not None:
        await asyncio.sleep(0)  # others' turn, before and after a long list is indexed
        explain = render.explainer(result, given)
        await asyncio.sleep(0)

    def told(offset: int, limit: int) -> list[ToldEntry]:
        entries = render.page(result, offset, limit, ToldEntry)
        render.sources(result, offset, entries)
        render.described(entries, metadata)
        if explain is not None:
            explain(offset, entries)
        return entries

    return await render.encoded(result, offset, limit, told, render.TOLD_SLICE)

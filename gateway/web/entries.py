"""The entries of a native answer: a page of a ranking, told as much of as was asked for, or must be."""

from functools import partial

import msgspec

from gateway.service.result import Result
from gateway.web import render
from gateway.web.render import Entry, ToldEntry


async def told_entries(
    result: Result, offset: int, limit: int | None, given: list[str], *, explain: bool
) -> msgspec.Raw:
    """The page as a JSON list; `given` is the caller's list as it came. A degraded answer tells every source."""
    if not explain and result.degraded is None:
        return await render.encoded(result, offset, limit, partial(render.page, result, kind=Entry))
    tell = render.explainer(result, given) if explain else None

    def told(offset: int, limit: int) -> list[ToldEntry]:
        entries = render.page(result, offset, limit, ToldEntry)
        render.sources(result, offset, entries)
        if tell is not None:
            tell(offset, entries)
        return entries

    return await render.encoded(result, offset, limit, told)

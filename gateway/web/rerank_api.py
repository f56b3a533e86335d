"""The native API: `POST /v1/rerank`, the members of the AWS operation and what it cannot say."""

import secrets
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from gateway.service.result import Result
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import BEGAN_S, SERVER, SERVICE, rank
from gateway.web.faults import BadMembers, Fault, decode
from gateway.web.members import RerankRequest
from gateway.web.problems import JSON
from gateway.web.render import Entry, ToldEntry

RERANK = "/v1/rerank"


async def rerank(http: web.Request) -> web.Response:
    """Rank candidates; answer a page of the ranking."""
    service = http.app[SERVICE]
    body = await read_body(http, http.app[SERVER].body_timeout_s, json_only=True)
    await service.reranker.turns.mine()
    members = decode(body, RerankRequest)
    if members.filter_values and not members.filter_arn:
        raise BadMembers([Fault("/filterValues", "needs filterArn, the filter that the values are for")])
    page_end = None if members.limit is None else members.offset + members.limit
    result = await rank(http, members.campaign, members, members.deadline_ms, page_end=page_end)
    entries = await _entries(result, members)
    total_s = service.clock.stopwatch_s() - http[BEGAN_S]
    told: dict[str, Any] = {
        "rankingId": f"rk_{secrets.token_urlsafe(12)}",
        "campaign": members.campaign,
        "variant": result.variant or None,
        "personalizedRanking": entries,
        "total": len(result.ranking.order),
        "offset": members.offset,
        "limit": members.limit,
        "resolvedThrough": result.ranking.resolved_through,
        "merge": result.merge,
        "degraded": result.degraded,
        "recommendationIds": list(render.recommendation_ids(result).values()),
        "usage": render.usage(result),
        "timing": render.timing(result, total_s),
    }
    if members.explain:
        told["plan"] = [render.plan(made) for made in result.rounds]
    headers = {"Content-Type": JSON, **render.headers(result, total_s)}
    return web.Response(body=msgspec.json.encode(told), headers=headers)


async def _entries(result: Result, members: RerankRequest) -> msgspec.Raw:
    """The page that was asked for, told as much of as was asked for, or must be."""
    if not members.explain and result.degraded is None:
        return await render.encoded(result, members.offset, members.limit, partial(render.page, result, kind=Entry))
    explain = render.explainer(result, members.input_list) if members.explain else None

    def told(offset: int, limit: int) -> list[ToldEntry]:
        entries = render.page(result, offset, limit, ToldEntry)
        render.sources(result, offset, entries)
        if explain is not None:
            explain(offset, entries)
        return entries

    return await render.encoded(result, members.offset, members.limit, told)

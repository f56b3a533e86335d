"""The native API: `POST /v1/rerank`, the members of the AWS operation and what it cannot say."""

import secrets
from typing import Any

import orjson
from aiohttp import web

from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import BEGAN_S, SERVER, SERVICE, rank
from gateway.web.faults import BadMembers, Fault, decode
from gateway.web.members import RerankRequest
from gateway.web.problems import JSON

RERANK = "/v1/rerank"


async def rerank(http: web.Request) -> web.Response:
    """Rank candidates; answer a page of the ranking."""
    service = http.app[SERVICE]
    members = decode(await read_body(http, http.app[SERVER].body_timeout_s, json_only=True), RerankRequest)
    if members.filter_values and not members.filter_arn:
        raise BadMembers([Fault("/filterValues", "needs filterArn, the filter that the values are for")])
    result = await rank(http, members.campaign, members, members.deadline_ms)
    entries = render.page(result, members.offset, members.limit)
    if members.explain or result.degraded is not None:
        render.sources(result, members.offset, entries)
    if members.explain:
        render.explanations(result, members.offset, entries, members.input_list)
    total_s = service.clock.stopwatch_s() - http[BEGAN_S]
    body: dict[str, Any] = {
        "rankingId": f"rk_{secrets.token_urlsafe(12)}",
        "campaign": members.campaign,
        "variant": result.variant or None,
        "personalizedRanking": entries,
        "total": len(result.ranking.order),
        "offset": members.offset,
        "limit": members.limit,
        "resolvedThrough": result.ranking.resolved_through,
        "degraded": result.degraded,
        "recommendationIds": list(render.recommendation_ids(result).values()),
        "usage": render.usage(result),
        "timing": render.timing(result, total_s),
    }
    if members.explain:
        body["plan"] = [render.plan(made) for made in result.rounds]
    return web.Response(body=orjson.dumps(body), headers={"Content-Type": JSON, **render.headers(result, total_s)})

"""The native API: `POST /v1/rerank`, the members of the AWS operation and what it cannot say."""

import secrets
from typing import Any

import msgspec
from aiohttp import web

from gateway.service.described import rank_described
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import BEGAN_S, SERVER, SERVICE, note, request_for
from gateway.web.entries import told_entries
from gateway.web.faults import BadMembers, Fault, decode
from gateway.web.members import NativeMembers, RerankRequest
from gateway.web.problems import JSON

RERANK = "/v1/rerank"


async def rerank(http: web.Request) -> web.Response:
    """Rank candidates; answer a page of the ranking."""
    service = http.app[SERVICE]
    body = await read_body(http, http.app[SERVER].body_timeout_s, json_only=True)
    await service.reranker.turns.mine()
    members = decode(body, RerankRequest)
    check_filter(members)
    request = request_for(http, members.campaign, members, members.input_list, members.deadline_ms)
    ranked = await rank_described(service.reranker, service.metadata, request, members.offset, members.limit)
    result = ranked.result
    note(http, result)
    given = members.input_list if members.explain else None
    entries = await told_entries(result, members.offset, members.limit, ranked.metadata, given)
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
        "degraded": result.degraded,
        "recommendationIds": list(render.recommendation_ids(result).values()),
        "usage": render.usage(result),
        "timing": render.timing(result, total_s),
    }
    if members.explain:
        told["plan"] = [render.plan(made) for made in result.rounds]
    headers = {"Content-Type": JSON, **render.headers(result, total_s)}
    return web.Response(body=msgspec.json.encode(told), headers=headers)


def check_filter(members: NativeMembers) -> None:
    """Refuse values without the filter that they are for."""
    if members.filter_values and not members.filter_arn:
        raise BadMembers([Fault("/filterValues", "needs filterArn, the filter that the values are for")])

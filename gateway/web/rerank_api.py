"""The native API: `POST /v1/rerank`, the members of the AWS operation and what it cannot say."""

import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.core.ranking_id import PREFIX
from gateway.core.tournament import DEPTH_WHOLE
from gateway.core.values import dataclass
from gateway.service.described import rank_described
from gateway.service.result import Result
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import count, request_for, tenant_of
from gateway.web.entries import told_entries
from gateway.web.long_bodies import members_of
from gateway.web.members import RerankRequest
from gateway.web.pieces import Parts, PassingResponse
from gateway.web.problems import JSON
from gateway.web.visit import VISIT, Visit

RERANK = "/v1/rerank"


async def rerank(http: web.Request) -> web.Response:
    """Rank candidates; answer a page of the ranking."""
    visit = http[VISIT]
    service = visit.service
    members = await members_of(
        service.reranker.turns, await read_body(http, visit.server.body_timeout_s, json_only=True), RerankRequest
    )
    request = request_for(
        visit, "campaign", members.campaign, members, members.input_list, members.deadline_ms,
        page_end=_page_end(members),
    )  # fmt: skip
    ranked = await rank_described(service.reranker, service.metadata, request, members.page_begin, members.limit)
    result = ranked.result
    count(visit, request.campaign.name, result)
    given = members.input_list if members.explain else None
    entries = await told_entries(result, members.page_begin, members.limit, ranked.metadata, given)
    ids = list(render.recommendation_ids(result).values())
    more: dict[str, Any] = {}
    pinned = None
    if members.pin:
        pinned = await service.pins.pin(tenant_of(visit), members.campaign, members.columns, result, ids)
        more["pinned"] = pinned is not None
    if members.explain:
        more["plan"] = render.plans(result.rounds, ranked.asked, visit.began_s)
    page = Page(
        pinned or f"{PREFIX}{secrets.token_urlsafe(12)}", members.campaign, members.page_begin, members.limit, ids
    )
    return answer(visit, result, page, entries, more)


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of which ranking an answer tells."""

    ranking_id: str
    campaign: str
    offset: int
    limit: int | None
    recommendation_ids: list[str]


def answer(visit: Visit, result: Result, page: Page, entries: Parts, more: Mapping[str, Any]) -> web.Response:
    """The answer that tells a page of a ranking, and `more` members."""
    total_s = visit.service.clock.stopwatch_s() - visit.began_s
    told: dict[str, Any] = {
        "rankingId": page.ranking_id,
        "campaign": page.campaign,
        "variant": result.variant or None,
        "total": len(result.ranking.order),
        "offset": page.offset,
        "limit": page.limit,
        "resolvedThrough": result.ranking.resolved_through,
        "merge": result.merge,
        "degraded": result.degraded,
        "recommendationIds": page.recommendation_ids,
        "usage": render.usage(result),
        "timing": render.timing(result, total_s),
        **more,
    }
    headers = {"Content-Type": JSON, **render.headers(result, total_s)}
    return PassingResponse(body=render.with_ranking(entries, told), headers=headers)


def _page_end(members: RerankRequest) -> int | None:
    """How many of the ranking its readers will see: for one whose later pages will be asked for, as many at least as of
    one that is taken whole."""
    end = members.page_end
    return max(end, DEPTH_WHOLE) if members.pin and end is not None else end

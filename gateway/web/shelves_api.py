"""`POST /v1/rerank/shelves`: one user, many lists, at the price of their union."""

import secrets
from dataclasses import replace
from itertools import chain
from typing import Any

import msgspec
from aiohttp import web

from gateway.core.model import distinct
from gateway.core.ranking_id import PREFIX
from gateway.service.described import describe, page_of
from gateway.service.metadata import Known
from gateway.service.outcomes import Asked
from gateway.service.result import Result
from gateway.service.shelves import Shelved, rank_shelves
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import count, request_for
from gateway.web.entries import told_entries
from gateway.web.long_bodies import members_of
from gateway.web.members import ShelvesRequest
from gateway.web.pieces import PassingResponse
from gateway.web.problems import JSON
from gateway.web.visit import VISIT

SHELVES = "/v1/rerank/shelves"


async def shelves(http: web.Request) -> web.Response:
    """Rank all shelves; answer a page of each."""
    visit = http[VISIT]
    service = visit.service
    members = await members_of(
        service.reranker.turns, await read_body(http, visit.server.body_timeout_s, json_only=True), ShelvesRequest
    )
    items = [item for shelf in members.shelves.values() for item in shelf]
    request = request_for(
        visit, "campaign", members.campaign, members, items, members.deadline_ms, page_end=members.page_end
    )
    shelved = await rank_shelves(service.reranker, request, members.shelves)
    whole = shelved.whole
    metadata: Known = {}
    asked = Asked()
    if members.columns:
        pages = [page_of(part, members.page_begin, members.limit) for part in shelved.shelves.values()]
        described = await describe(service.metadata, request, whole, distinct(list(chain.from_iterable(pages))))
        whole, metadata, asked = described.result, described.metadata, described.asked
    count(visit, request.campaign.name, whole)
    told = {
        name: await _shelf(replace(part, degraded=whole.degraded), members, metadata, name)
        for name, part in shelved.shelves.items()
    }  # an answer has one flag, and every entry of a flagged one tells its source
    total_s = service.clock.stopwatch_s() - visit.began_s
    answer: dict[str, Any] = {
        "rankingId": f"{PREFIX}{secrets.token_urlsafe(12)}",
        "campaign": members.campaign,
        "variant": whole.variant or None,
        "shelves": told,
        "total": _total(shelved),
        "offset": members.page_begin,
        "limit": members.limit,
        "resolvedThrough": whole.ranking.resolved_through,
        "merge": whole.merge,
        "degraded": whole.degraded,
        "recommendationIds": list(
            dict.fromkeys(chain.from_iterable(one["recommendationIds"] for one in told.values()))
        ),
        "usage": render.usage(whole),
        "timing": render.timing(whole, total_s),
    }
    if members.explain:
        answer["plan"] = render.plans(whole.rounds, asked, visit.began_s)
    headers = {"Content-Type": JSON, **render.headers(whole, total_s)}
    return PassingResponse(body=msgspec.json.encode(answer), headers=headers)


def _total(shelved: Shelved) -> int:
    """Ranked items of all shelves together; each shelf counts by itself where it was ranked by itself."""
    parts = [shelved.whole] if shelved.whole.candidates else shelved.shelves.values()
    return sum(len(one.ranking.order) for one in parts)


async def _shelf(part: Result, members: ShelvesRequest, metadata: Known, name: str) -> dict[str, Any]:
    """What is said of one shelf: all that depends on its list."""
    given = members.shelves[name] if members.explain else None
    entries = await told_entries(part, members.page_begin, members.limit, metadata, given)
    return {
        "personalizedRanking": msgspec.Raw(b"".join(entries)),
        "total": len(part.ranking.order),
        "resolvedThrough": part.ranking.resolved_through,
        "recommendationIds": list(render.recommendation_ids(part).values()),
    }

"""The AWS wire: `POST /personalize-ranking` in the service's exact shapes, for any SDK, without the 500-item limit.

What only the native API can say stands in headers. With several calls `recommendationId` is that of the call which
ranked the first item; an id is never made up, so an empty list has none. Metadata is given for all items, as the
operation does, which is why it costs what it costs.
"""

from aiohttp import web

from gateway.service.described import rank_described
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import count, request_for
from gateway.web.entries import plain_entries
from gateway.web.long_bodies import members_of
from gateway.web.members import PersonalizedRankingRequest
from gateway.web.pieces import PassingResponse
from gateway.web.problems import JSON
from gateway.web.visit import VISIT

PERSONALIZE_RANKING = "/personalize-ranking"


async def personalize_ranking(http: web.Request) -> web.Response:
    """GetPersonalizedRanking."""
    visit = http[VISIT]
    service = visit.service
    members = await members_of(
        service.reranker.turns,
        await read_body(http, visit.server.body_timeout_s, json_only=False),
        PersonalizedRankingRequest,
    )
    request = request_for(visit, "campaignArn", members.campaign_arn, members, members.input_list, None)
    ranked = await rank_described(service.reranker, service.metadata, request, 0, None)
    result = ranked.result
    count(visit, request.campaign.name, result)
    entries = await plain_entries(result, 0, None, ranked.metadata)
    ids = list(render.recommendation_ids(result).values())
    return PassingResponse(
        body=render.with_ranking(entries, {"recommendationId": ids[0]} if ids else {}),
        headers={"Content-Type": JSON, **render.headers(result, service.clock.stopwatch_s() - visit.began_s)},
    )

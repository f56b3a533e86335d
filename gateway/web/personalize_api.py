"""The AWS wire: `POST /personalize-ranking` in the service's exact shapes, for any SDK, without the 500-item limit.

What only the native API can say stands in headers. With several calls `recommendationId` is that of the call which
ranked the first item; an id is never made up, so an empty list has none.
"""

from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from gateway.core.errors import InvalidInput
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import BEGAN_S, SERVER, SERVICE, note, request_for
from gateway.web.faults import decode
from gateway.web.members import PersonalizedRankingRequest
from gateway.web.problems import JSON

PERSONALIZE_RANKING = "/personalize-ranking"


async def personalize_ranking(http: web.Request) -> web.Response:
    """GetPersonalizedRanking."""
    service = http.app[SERVICE]
    given = await read_body(http, http.app[SERVER].body_timeout_s, json_only=False)
    await service.reranker.turns.mine()
    members = decode(given, PersonalizedRankingRequest)
    if members.metadata_columns:
        raise InvalidInput("metadataColumns is not supported by this version of the gateway")
    request = request_for(http, members.campaign_arn, members, members.input_list, None)
    result = await service.reranker.rerank(request)
    note(http, result)
    entries = await render.encoded(result, 0, None, partial(render.page, result, kind=render.Entry))
    body: dict[str, Any] = {"personalizedRanking": entries}
    ids = list(render.recommendation_ids(result).values())
    if ids:
        body["recommendationId"] = ids[0]
    return web.Response(
        body=msgspec.json.encode(body),
        headers={"Content-Type": JSON, **render.headers(result, service.clock.stopwatch_s() - http[BEGAN_S])},
    )

"""Round every request: its id, its access line, its place among the others, and its errors rendered.

From outside in: `observe` (id, headers, access line), `render_errors`, `auth.identify`, `bound_inflight` (before the
body is read), `auth.prove`.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.core.episode import Episode
from gateway.core.errors import Overloaded
from gateway.core.tenants import FULL, Places
from gateway.service.service import Service
from gateway.web.crowd import Crowd
from gateway.web.door import ARRIVED_S, BEGAN_S, CALLER, FACTS, RANKED_S, REQUEST_ID, SERVICE
from gateway.web.events_api import EVENTS, NATIVE_EVENTS
from gateway.web.personalize_api import PERSONALIZE_RANKING
from gateway.web.problems import BUG, TooLarge, TooMany, TooSlow, UnsupportedBody, problem, row_of, wire_error
from gateway.web.rankings_api import RANKING
from gateway.web.recommend_api import ACTION_RECOMMENDATIONS, RECOMMENDATIONS
from gateway.web.rerank_api import RERANK
from gateway.web.shelves_api import SHELVES
from gateway.web.tracing import CLIENT_CLOSED, NO_ROUTE, follow, tell

FORWARDED_ID: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What is taken over of a caller's `X-Request-Id`; anything else gets a new one, so that it cannot forge log lines."""

WIRE_ROUTES: Final = frozenset({PERSONALIZE_RANKING, RECOMMENDATIONS, ACTION_RECOMMENDATIONS, EVENTS})
BOUNDED_ROUTES: Final = WIRE_ROUTES | {RERANK, SHELVES, RANKING, NATIVE_EVENTS}

BODY_UNREAD: Final = (TooLarge, TooSlow, UnsupportedBody, web.RequestPayloadError)
"""After these the rest of a body may still be to come, so the connection is not used again."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger("gateway.access")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id and time of arrival, and write its access line however it ends."""
    service = request.app[SERVICE]
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if FORWARDED_ID.fullmatch(given) else str(uuid.uuid4())
    request[ARRIVED_S] = service.clock.now_s()
    span = follow(service.tracer, request, _route(request))
    request[FACTS] = {"trace_id": span.trace_id}
    request[BEGAN_S] = service.clock.stopwatch_s()
    status = CLIENT_CLOSED  # stays if the caller leaves and the handler is cancelled
    try:
        response = await handler(request)
        status = response.status
        response.headers["X-Request-Id"] = request[REQUEST_ID]
        if _route(request) in WIRE_ROUTES:
            response.headers["x-amzn-RequestId"] = request[REQUEST_ID]
        if service.draining:
            response.force_close()
        return response
    finally:
        tell(span, status, _tell(request, service, status))


def _tell(request: web.Request, service: Service, status: int) -> dict[str, Any]:
    """Count a request that is over, and write its access line; the facts that stand in it."""
    facts: dict[str, Any] = {name: fact for name, fact in request[FACTS].items() if fact is not None}
    route, now_s = _route(request), service.clock.stopwatch_s()
    took_s = now_s - request[BEGAN_S]
    service.traffic.answered(route, status, facts.get("degraded", ""), facts.get("error"), took_s)
    if RANKED_S in request:
        service.traffic.stages["encode"].add(now_s - request[RANKED_S])
    _log.info(
        "request",
        request_id=request[REQUEST_ID],
        method=request.method,
        route=route,
        status=status,
        duration_ms=round(1e3 * took_s, 2),
        **facts,
    )
    return facts


@web.middleware
async def render_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell every error in the shape of the API that was called; log those that are ours, with their traceback."""
    try:
        return await handler(request)
    except Exception as error:
        row = row_of(error)
        if row is BUG:
            _log.exception("unexpected error", request_id=request[REQUEST_ID], route=_route(request))
        request[FACTS]["error"] = row.slug
        render = wire_error if _route(request) in WIRE_ROUTES else problem
        response = render(error, request[REQUEST_ID])
        if row is BUG or isinstance(error, BODY_UNREAD):
            response.force_close()
        return response


def bound_inflight(places: Places, crowd: Crowd) -> Middleware:
    """As many rankings at once as the core can do, shared fairly; the one too many is refused at once, before its body
    is read."""
    overload = Episode()

    @web.middleware
    async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _route(request) not in BOUNDED_ROUTES:
            return await handler(request)
        tenant = request[CALLER]
        places.total = crowd.limit
        refusal = places.enter(tenant, request[ARRIVED_S])
        if refusal == FULL:
            crowd.refused += 1
            if overload.bad(request[ARRIVED_S]):
                _log.warning("overloaded: requests are refused", under_way=crowd.under_way, limit=crowd.limit)
            raise Overloaded("as many requests are under way as can be answered in time")
        if refusal is not None:
            raise TooMany("as many requests are under way in this name as may be at once")
        if ended := overload.good(request[ARRIVED_S]):
            _log.warning("no longer overloaded", **ended.told())
        crowd.begin()
        try:
            return await handler(request)
        finally:
            crowd.end()
            places.leave(tenant)

    return bounded


def _route(request: web.Request) -> str:
    """The route as it was registered, never the path as it was sent (which may hold anything)."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else NO_ROUTE

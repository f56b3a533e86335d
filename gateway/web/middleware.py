"""Round every request: its id, its access line, its place among the others, and its errors rendered.

From outside in: `observe` (id, headers, access line), `render_errors`, `auth.identify`, `bound_inflight` (before the
body is read), `auth.prove`; those of `auth` only where callers are asked who they are.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from multidict import istr

from gateway.core.episode import Episode
from gateway.core.errors import Overloaded
from gateway.core.tenants import FULL, Places, Refusal
from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.crowd import Crowd
from gateway.web.events_api import EVENTS, NATIVE_EVENTS
from gateway.web.milliseconds import milliseconds
from gateway.web.personalize_api import PERSONALIZE_RANKING
from gateway.web.problems import BUG, TooLarge, TooMany, TooSlow, UnsupportedBody, problem, row_of, wire_error
from gateway.web.rankings_api import RANKING
from gateway.web.recommend_api import ACTION_RECOMMENDATIONS, RECOMMENDATIONS
from gateway.web.rerank_api import RERANK
from gateway.web.shelves_api import SHELVES
from gateway.web.tracing import CLIENT_CLOSED, tell
from gateway.web.unparsable import NOT_CACHED, SERVER
from gateway.web.visit import VISIT, Visit

WIRE_ROUTES: Final = frozenset({PERSONALIZE_RANKING, RECOMMENDATIONS, ACTION_RECOMMENDATIONS, EVENTS})
BOUNDED_ROUTES: Final = WIRE_ROUTES | {RERANK, SHELVES, RANKING, NATIVE_EVENTS}

BODY_UNREAD: Final = (TooLarge, TooSlow, UnsupportedBody, web.RequestPayloadError)
"""After these the rest of a body may still be to come, so the connection is not used again."""

REQUEST_ID: Final = istr("X-Request-Id")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger("gateway.access")


def observe(service: Service, server: ServerSettings) -> Middleware:
    """Begin the visit of every request, give its id to the answer, and write its access line however it ends."""

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = Visit.begun(service, server, request)
        status = CLIENT_CLOSED  # stays if the caller leaves and the handler is cancelled
        try:
            response = await handler(request)
            status = response.status
            _mark(response.headers, visit)
            if service.draining:
                response.force_close()
            return response
        finally:
            _tell(visit, request.method, status)
            tell(visit.span, status, visit.facts)
            visit.body = visit.signed = None  # aiohttp keeps a connection's last request, and so the visit

    return observed


def _mark(headers: MutableMapping[str, str], visit: Visit) -> None:
    """What every answer carries: its id, that it belongs to one user, and nothing of what serves it."""
    headers[REQUEST_ID] = visit.request_id
    if visit.route in WIRE_ROUTES:
        headers["x-amzn-RequestId"] = visit.request_id
    headers.setdefault(hdrs.CACHE_CONTROL, NOT_CACHED)
    headers[hdrs.SERVER] = SERVER


def _tell(visit: Visit, method: str, status: int) -> None:
    """Count a request that is over, and write its access line."""
    facts = visit.facts
    now_s, traffic = visit.service.clock.stopwatch_s(), visit.service.traffic
    took_s = now_s - visit.began_s
    traffic.answered(visit.route, status, facts.get("degraded", ""), facts.get("error"), took_s)
    if visit.ranked_s is not None:
        traffic.stages["encode"].add(now_s - visit.ranked_s)
    _log.bind().info(  # the proxy itself finds out that it has no `info` by an exception, every time
        "request",
        request_id=visit.request_id,
        method=method,
        route=visit.route,
        status=status,
        duration_ms=milliseconds(took_s),
        **facts,
    )


@web.middleware
async def render_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell every error in the shape of the API that was called; log those that are ours, with their traceback."""
    try:
        return await handler(request)
    except Exception as error:
        row, visit = row_of(error), request[VISIT]
        if row is BUG:
            _log.exception("unexpected error", request_id=visit.request_id, route=visit.route)
        visit.facts["error"] = row.slug
        render = wire_error if visit.route in WIRE_ROUTES else problem
        response = render(error, visit.request_id)
        if response.status == 401:
            response.headers["WWW-Authenticate"] = visit.challenge
        uninvited = visit.body is None and hdrs.EXPECT in request.headers  # it may send its body, or another request
        if row is BUG or uninvited or isinstance(error, BODY_UNREAD):
            response.force_close()
        error.__traceback__ = error.__context__ = None  # the frames hold what failed, and that holds the error
        return response


def bound_inflight(crowd: Crowd, places: Places | None) -> Middleware:
    """As many rankings at once as the core can do, shared fairly by `places`, if there are names to share them; the one
    too many is refused at once, before its body is read."""
    overload = Episode()

    @web.middleware
    async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT]
        if visit.route not in BOUNDED_ROUTES:
            return await handler(request)
        refusal = _entered(visit, crowd, places)
        if refusal == FULL:
            crowd.refused += 1
            if overload.bad(visit.arrived_s):
                _log.warning("overloaded: requests are refused", under_way=crowd.under_way, limit=crowd.limit)
            raise Overloaded("as many requests are under way as can be answered in time")
        if refusal is not None:
            raise TooMany("as many requests are under way in this name as may be at once")
        if ended := overload.good(visit.arrived_s):
            _log.warning("no longer overloaded", **ended.told())
        crowd.begin()
        try:
            return await handler(request)
        finally:
            crowd.end()
            if places is not None:
                places.leave(visit.caller)

    return bounded


def _entered(visit: Visit, crowd: Crowd, places: Places | None) -> Refusal | None:
    """Take a place; or say why there is none."""
    if places is None:  # they are all of one name
        return FULL if crowd.under_way >= crowd.limit else None
    places.total = crowd.limit
    return places.enter(visit.caller, visit.arrived_s)

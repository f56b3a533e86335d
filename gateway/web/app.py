"""`build_app`: routes, middleware and headers, around a service."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.campaigns import campaigns
from gateway.web.crowd import Crowd
from gateway.web.door import CROWD, SERVER, SERVICE
from gateway.web.events_api import EVENTS, NATIVE_EVENTS, USER_FRAMES, forget_user, native_events, put_events
from gateway.web.health import livez, readyz
from gateway.web.members import BODY_BYTES_MAX
from gateway.web.metrics import metrics_handler
from gateway.web.middleware import bound_inflight, observe, render_errors
from gateway.web.personalize_api import PERSONALIZE_RANKING, personalize_ranking
from gateway.web.rankings_api import RANKING, ranking_page
from gateway.web.rerank_api import RERANK, rerank
from gateway.web.shelves_api import SHELVES, shelves
from gateway.web.unparsable import expect, refuse_in_our_words

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POSTS: Final[dict[str, Handler]] = {
    PERSONALIZE_RANKING: personalize_ranking,
    EVENTS: put_events,
    RERANK: rerank,
    SHELVES: shelves,
    NATIVE_EVENTS: native_events,
}
GETS: Final[dict[str, Handler]] = {
    "/v1/campaigns": campaigns,
    RANKING: ranking_page,
    "/livez": livez,
    "/readyz": readyz,
}
METRICS: Final = "/metrics"


def build_app(service: Service, server: ServerSettings) -> web.Application:
    """The whole HTTP surface."""
    crowd = Crowd(server.max_inflight, server.deadline_ms / 1e3)
    app = web.Application(middlewares=[observe, render_errors, bound_inflight(crowd)], client_max_size=BODY_BYTES_MAX)
    app[CROWD] = crowd
    app[SERVICE] = service
    app[SERVER] = server
    for path, handler in POSTS.items():
        app.router.add_post(path, handler, expect_handler=expect)
    for path, handler in GETS.items():
        app.router.add_get(path, handler)
    app.router.add_get(METRICS, metrics_handler(service))
    app.router.add_delete(USER_FRAMES, forget_user)
    refuse_in_our_words()
    app.on_response_prepare.append(_headers)
    return app


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries: it belongs to one user, and says nothing of what serves it."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["Server"] = "rerank-gateway"

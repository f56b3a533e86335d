"""`build_app`: routes, middleware and headers, around a service."""

from aiohttp import web

from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.door import SERVER, SERVICE
from gateway.web.events_api import EVENTS, NATIVE_EVENTS, USER_FRAMES, forget_user, native_events, put_events
from gateway.web.health import campaigns, livez, readyz
from gateway.web.members import BODY_BYTES_MAX
from gateway.web.middleware import bound_inflight, observe, render_errors
from gateway.web.personalize_api import PERSONALIZE_RANKING, personalize_ranking
from gateway.web.rerank_api import RERANK, rerank


def build_app(service: Service, server: ServerSettings) -> web.Application:
    """The whole HTTP surface."""
    app = web.Application(
        middlewares=[observe, render_errors, bound_inflight(server.max_inflight)], client_max_size=BODY_BYTES_MAX
    )
    app[SERVICE] = service
    app[SERVER] = server
    app.router.add_post(PERSONALIZE_RANKING, personalize_ranking)
    app.router.add_post(RERANK, rerank)
    app.router.add_post(EVENTS, put_events)
    app.router.add_post(NATIVE_EVENTS, native_events)
    app.router.add_delete(USER_FRAMES, forget_user)
    app.router.add_get("/v1/campaigns", campaigns)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.on_response_prepare.append(_headers)
    return app


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries: it belongs to one user, and says nothing of what serves it."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["Server"] = "rerank-gateway"

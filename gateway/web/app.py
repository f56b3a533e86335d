"""`build_app` and `build_admin_app`: routes, middleware and headers, around a service."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.core.tenants import Places
from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.settings_auth import AuthSettings
from gateway.web.auth import authentication
from gateway.web.campaigns import campaigns
from gateway.web.compression import compress_answers
from gateway.web.console import console_gets
from gateway.web.crowd import Crowd
from gateway.web.docs import GETS as DESCRIPTION
from gateway.web.door import CROWD, SERVICE
from gateway.web.events_api import EVENTS, NATIVE_EVENTS, USER_FRAMES_PATTERN, forget_user, native_events, put_events
from gateway.web.health import livez, readyz
from gateway.web.log_level import LOG_LEVEL, log_level, set_log_level
from gateway.web.members import BODY_BYTES_MAX
from gateway.web.metrics import metrics_handler
from gateway.web.middleware import bound_inflight, observe, render_errors
from gateway.web.personalize_api import PERSONALIZE_RANKING, personalize_ranking
from gateway.web.rankings_api import RANKING, ranking_page
from gateway.web.recommend_api import (
    ACTION_RECOMMENDATIONS,
    RECOMMENDATIONS,
    action_recommendations,
    recommendations,
)
from gateway.web.rerank_api import RERANK, rerank
from gateway.web.shelves_api import SHELVES, shelves
from gateway.web.unparsable import expect, refuse_in_our_words

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POSTS: Final[dict[str, Handler]] = {
    PERSONALIZE_RANKING: personalize_ranking,
    RECOMMENDATIONS: recommendations,
    ACTION_RECOMMENDATIONS: action_recommendations,
    EVENTS: put_events,
    RERANK: rerank,
    SHELVES: shelves,
    NATIVE_EVENTS: native_events,
}
GETS: Final[dict[str, Handler]] = {"/v1/campaigns": campaigns, RANKING: ranking_page} | DESCRIPTION
METRICS: Final = "/metrics"
ADMIN_GETS: Final[dict[str, Handler]] = {"/livez": livez, "/readyz": readyz}
"""For those who run the gateway: on the admin port where there is one, and then nowhere else."""


def build_app(service: Service, server: ServerSettings, auth: AuthSettings | None = None) -> web.Application:
    """The whole HTTP surface of the data port. Raises `OSError` or `BadKeyFile` for key files that cannot be used."""
    auth = auth or AuthSettings()
    before, behind = authentication(auth, service.clock.stopwatch_s)
    crowd = Crowd(server.max_inflight, server.deadline_ms / 1e3)
    places = Places(server.max_inflight, max(1, len(auth.tenants))) if before else None
    app = _app(service, server, [*before, bound_inflight(crowd, places), *behind])
    app[CROWD] = service.traffic.inflight = crowd
    for path, handler in POSTS.items():
        app.router.add_post(path, handler, expect_handler=expect)
    for path, handler in GETS.items():
        app.router.add_get(path, handler)
    if server.admin_port is None:
        _add_admin_routes(app, service, auth)
    app.router.add_delete(USER_FRAMES_PATTERN, forget_user)
    return app


def build_admin_app(service: Service, server: ServerSettings) -> web.Application:
    """What stands on the admin port; nobody is asked there who they are."""
    app = _app(service, server, [])
    _add_admin_routes(app, service, None)
    return app


def _add_admin_routes(app: web.Application, service: Service, auth: AuthSettings | None) -> None:
    """`auth` as of `console_gets`."""
    for path, handler in (ADMIN_GETS | console_gets(auth)).items():
        app.router.add_get(path, handler)
    app.router.add_get(METRICS, metrics_handler(service))
    app.router.add_get(LOG_LEVEL, log_level)
    app.router.add_put(LOG_LEVEL, set_log_level, expect_handler=expect)


def _app(service: Service, server: ServerSettings, inner: list[Middleware]) -> web.Application:
    app = web.Application(
        middlewares=[observe(service, server), compress_answers(server.compress), render_errors, *inner],
        client_max_size=BODY_BYTES_MAX,
        handler_args={"auto_decompress": False},  # see `unpacking`
    )
    app[SERVICE] = service
    refuse_in_our_words()
    return app

"""One request at the door, from its head to its access line: what is known of it, in one place.

aiohttp keeps what is put on a request in a mapping, where a look takes two calls of Python, and one for what is not
there takes an exception. There were forty of them a request; now each piece of the way takes the visit once.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from gateway.core.tenants import ANYBODY, Tenant
from gateway.ports import Span
from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.sigv4 import Claim, Head
from gateway.web.tracing import NO_ROUTE, follow

FORWARDED_ID: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What is taken over of a caller's `X-Request-Id`; anything else gets a new one, so that it cannot forge log lines."""

Signed = tuple[Head, Claim, str]
"""What is yet to be verified of a signed request: its head, the claim, and the secret."""


@dataclass(slots=True, eq=False)
class Visit:
    """A request and what becomes of it.

    `route` is as it was registered, never the path as it was sent (which may hold anything). `arrived_s` is by the
    loop's clock, `began_s` the same moment by the stopwatch, which is finer: the loop's clock moves in milliseconds;
    `ranked_s`, by the stopwatch too, is when its ranking stood, None if it was not ranked. `facts` are what its access
    line will say beside status and time, none of them None. `challenge` says what is taken as credentials, `caller` in
    whose name it is made. `signed` is there until that is proved or the visit is over, `body` from its reading until it
    is handed over.
    """

    service: Service = field(repr=False)
    server: ServerSettings = field(repr=False)
    route: str
    request_id: str
    span: Span = field(repr=False)
    arrived_s: float
    began_s: float
    facts: dict[str, Any] = field(repr=False)
    challenge: str = ""
    caller: Tenant = ANYBODY
    signed: Signed | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    ranked_s: float | None = None

    @classmethod
    def begun(cls, service: Service, server: ServerSettings, http: web.Request) -> "Visit":
        """The visit of a request whose head has just come, and its span, to which all belongs that is done for it."""
        arrived_s = service.clock.now_s()
        resource = http.match_info.route.resource
        route = resource.canonical if resource is not None else NO_ROUTE
        span = follow(service.tracer, http, route)
        facts = {} if (trace_id := span.trace_id) is None else {"trace_id": trace_id}
        began_s = service.clock.stopwatch_s()
        visit = cls(service, server, route, _request_id(http.headers), span, arrived_s, began_s, facts)
        http[VISIT] = visit
        return visit


VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)


def _request_id(headers: Mapping[str, str]) -> str:
    given = headers.get("X-Request-Id", "")
    return given if FORWARDED_ID.fullmatch(given) else str(uuid.uuid4())

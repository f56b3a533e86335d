"""The caller's trace (W3C Trace Context): checked at the door, kept with the request, sent along with its calls.

What is not of the form of the recommendation is dropped, as it demands, and never reaches a log, a span or a header.
Baggage is not even looked at: nobody knows who filled it.

Of a request's path its span has the route, never what was sent, which may hold a user's id.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway.ports import TRACE, Headers, Span, Tracer, Unrecorded

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
CLIENT_CLOSED: Final = 499
"""Stands for a status where the caller left before there was one."""

SERVER_ERRORS: Final = 500
NO_ROUTE: Final = "none"
TRACESTATE: Final = re.compile(r"[\x20-\x7e]{1,512}")


METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY"})
"""Methods that are told by name; any other one is `_OTHER`, so that callers cannot make up names of spans."""

PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked all day long by machines: no traces of them."""

TOLD: Final = {
    name: f"rerank.{name}"
    for name in (
        "campaign", "variant", "candidates", "cached", "upstream_calls", "retries", "hedges", "bridges",
        "degraded", "error",
    )
}  # fmt: skip
"""The facts of an access line that its span has as well, and how they are called there."""


def follow(tracer: Tracer, http: web.Request, route: str) -> Span:
    """Let everything that is done from here on belong to the request's span, and that to the trace that its headers
    name, if they name one."""
    parent = _parent(http.headers)
    span = Unrecorded(parent) if route in PROBES else _begun(tracer, http, route, parent)
    TRACE.set(span)
    return span


def tell(span: Span, status: int, facts: Mapping[str, Any]) -> None:
    """End the span of a request with what came of it; only what is ours to answer for is an error."""
    if isinstance(span, Unrecorded):
        return
    for name, told in TOLD.items():
        if (fact := facts.get(name)) is not None:
            span.note(told, fact)
    if status == CLIENT_CLOSED:  # who got no answer has no status, nor is it our fault
        span.note("error.type", "client_closed")
    else:
        span.note("http.response.status_code", status)
    span.end(str(facts.get("error", status)) if status >= SERVER_ERRORS else None)


def _begun(tracer: Tracer, http: web.Request, route: str, parent: Headers) -> Span:
    method = http.method if http.method in METHODS else "_OTHER"
    name = method if method in METHODS else "HTTP"
    span = tracer.request(name if route == NO_ROUTE else f"{name} {route}", parent)
    if isinstance(span, Unrecorded):
        return span
    span.note("http.request.method", method)
    span.note("url.scheme", http.scheme)
    span.note("network.protocol.version", f"{http.version.major}.{http.version.minor}")
    if route != NO_ROUTE:
        span.note("http.route", route)
        if "{" not in route:
            span.note("url.path", route)
    return span


def _parent(headers: Mapping[str, str]) -> Headers:
    parent = headers.get("traceparent")
    if parent is None or TRACEPARENT.fullmatch(parent := parent.strip()) is None:
        return ()
    state = headers.get("tracestate", "").strip()
    both = (("traceparent", parent), ("tracestate", state))
    return both if TRACESTATE.fullmatch(state) else both[:1]

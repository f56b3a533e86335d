"""What aiobotocore does by default and must not do here: follow redirects, and read answers without a bound.

A redirect would carry the session token, and the user id in the body, to whatever host it names. An answer of a ranking
call is at most 500 items with metadata; nothing that large is worth the memory. Both are closed where the requests are
sent, by standing between aiobotocore and its aiohttp session. There too a request that met the server's idle close is
sent again, and a rehearsal ends: the request that would be sent is shown, whole and signed, and nothing is.
"""

import asyncio
import re
import ssl
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import structlog
from aiobotocore.httpsession import AIOHTTPSession
from yarl import URL

from gateway.ports import TRACE

RESPONSE_BYTES_MAX: Final = 32 * 1024 * 1024
"""50 items with 10 metadata columns of up to 20,000 characters are 10 MB, in UTF-8 up to 30 MB."""

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9=/+-]{1,128}")
"""Ids that AWS gives to requests, and nothing longer."""

STALE_TRIES_MAX: Final = 3
"""aiohttp cannot be told to take a new connection: as many that the server has closed unnoticed may come in a row."""

_log = structlog.get_logger("gateway.upstream")


class RedirectRefused(aiohttp.ClientError):
    """The upstream answered with a redirect; nothing was sent to where it points."""


class ResponseTooLarge(aiohttp.ClientError):
    """The upstream's answer is larger than any ranking can be."""


@dataclass(slots=True)
class TransportStats:
    """What a transport did since the start; `idle` and `in_use` are its connections now (lean transport only)."""

    opened: int = 0
    reused: int = 0
    closed: int = 0
    connect_failures: int = 0
    stale_retries: int = 0
    redirects_refused: int = 0
    stray_bytes: int = 0
    idle: int = 0
    in_use: int = 0

    def redirected(self, status: int) -> None:
        """Count a redirect that was not followed: a security event, as nothing of the service's ever redirects."""
        self.redirects_refused += 1
        _log.warning("redirect refused", status=status)


@dataclass(slots=True)
class Rehearsal:
    """What a call would have sent, how its server would have been verified, and whether through a proxy."""

    request: Any = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    proxied: bool = False


class Rehearsed(Exception):
    """Not sent, as it was a rehearsal."""


rehearsal: ContextVar[Rehearsal | None] = ContextVar("rehearsal", default=None)
"""Where to put what would be sent, while a task only rehearses."""


def told(status: int, request_id: str) -> None:
    """Note on the span of the call under way what its answer says of itself; its status, if that is not the usual."""
    span = TRACE.get()
    if status >= 300:
        span.note("http.response.status_code", status)
    if REQUEST_ID.fullmatch(request_id):
        span.note("aws.request_id", request_id)


class GuardedHttpSession(AIOHTTPSession):  # type: ignore[misc] # the library is untyped
    """aiobotocore's HTTP session without redirects and with bounded answers."""

    def __init__(self, *, stats: TransportStats, **options: Any) -> None:
        super().__init__(**options)
        self._stats = stats

    async def send(self, request: Any) -> Any:
        """Send a signed request, unless this is a rehearsal."""
        if (shown := rehearsal.get()) is None:
            for name, value in TRACE.get().headers:  # behind the signature, which does not cover them
                request.headers[name] = value
            response = await super().send(request)
            told(response.status_code, response.headers.get("x-amzn-requestid", ""))
            return response
        shown.request = request
        shown.proxied = bool(self._proxy_config.proxy_url_for(request.url))
        if request.url.startswith("https:"):
            shown.tls, _ = await asyncio.to_thread(self._build_ssl_contexts, None)
        raise Rehearsed

    def _build_ssl_contexts(self, proxy_url: str | None) -> tuple[ssl.SSLContext, ssl.SSLContext | None]:
        contexts: tuple[ssl.SSLContext, ssl.SSLContext | None] = super()._build_ssl_contexts(proxy_url)
        for context in contexts:
            if context is not None:
                context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        return contexts

    async def _get_session(self, proxy_url: str | None) -> "_Guard":
        session = await super()._get_session(proxy_url)
        if _TRACE not in session.trace_configs:
            session.trace_configs.append(_TRACE)
        return _Guard(session, self._stats)


async def _reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    context.trace_request_ctx["reused"] = True


_TRACE: Final = aiohttp.TraceConfig()
_TRACE.on_connection_reuseconn.append(_reused)
_TRACE.freeze()


class _Guard:
    """The one method of an aiohttp session that aiobotocore calls."""

    def __init__(self, session: aiohttp.ClientSession, stats: TransportStats) -> None:
        self._session = session
        self._stats = stats

    async def request(self, method: str, **options: Any) -> "_BoundedResponse":
        response = await self._answered(method, options)
        if 300 <= response.status < 400:
            response.close()
            self._stats.redirected(response.status)
            raise RedirectRefused
        return _BoundedResponse(response)

    async def _answered(self, method: str, options: dict[str, Any]) -> aiohttp.ClientResponse:
        """The head of the answer; asked again if a used connection ended before there was one."""
        for _ in range(STALE_TRIES_MAX):
            connection = {"reused": False}
            try:
                return await self._session.request(
                    method, allow_redirects=False, trace_request_ctx=connection, **options
                )
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not connection["reused"]:
                    raise
                self._stats.stale_retries += 1
        return await self._session.request(method, allow_redirects=False, **options)


class _BoundedResponse:
    """What aiobotocore reads of a response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.url: URL = response.url
        self.status: int = response.status
        self.raw_headers = response.raw_headers

    async def read(self) -> bytes:
        body = bytearray()
        try:
            async for piece in self._response.content.iter_any():
                body += piece
                if len(body) > RESPONSE_BYTES_MAX:
                    raise ResponseTooLarge
        except BaseException:  # a cancelled reader too: the rest of the body is still to come on this connection
            self._response.close()
            raise
        self._response.release()
        return bytes(body)

"""In whose name a request is made: found out before anything else of it is looked at.

A bearer key tells at once. A signature covers the body, so its owner is known by name only until the body was read:
until then the request holds a place of that name and no more; so the two halves stand around `bound_inflight`. Nothing
is looked for in the query: secrets there end up in logs.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.core.tenants import RateLimits, Tenant
from gateway.settings_auth import AuthSettings
from gateway.web.body import read_raw
from gateway.web.callers import Callers
from gateway.web.problems import NoCredentials, TooMany, UnknownCredentials
from gateway.web.sigv4 import SCHEME, Head, claim_of, verify
from gateway.web.tracing import NO_ROUTE
from gateway.web.visit import VISIT, Visit

OPEN_ROUTES: Final = frozenset(
    {"/livez", "/readyz", "/openapi.json", "/docs", "/docs/{file}", "/console", "/console/{build}/{file}"}
)
"""What anybody may ask: a kubelet has no keys, and the description and the console's page, the same for all, tell how
to send one. Every other route that there is asks who calls."""

UNASKED: Final = OPEN_ROUTES | {NO_ROUTE}

HASH_SLICE_BYTES: Final = 1024 * 1024
"""Hashed in one go: about a millisecond."""

REALM: Final = "rerank-gateway"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def authentication(auth: AuthSettings, now_s: Callable[[], float]) -> tuple[list[Middleware], list[Middleware]]:
    """`identify` and `prove`, the two halves; without those that would have nothing to do. Raises what `Callers`
    raises."""
    callers = Callers(auth, now_s)
    rates = RateLimits()
    challenge = _challenge(auth)

    @web.middleware
    async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT]
        if visit.route not in UNASKED:
            visit.challenge = challenge
            visit.caller = _claimed(request, visit, auth, callers)
            visit.facts["tenant"] = visit.caller.name
        if visit.signed is None:
            _count(rates, visit)
        return await handler(request)

    @web.middleware
    async def prove(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT]
        if visit.signed is not None:
            head, claim, secret = visit.signed
            verify(head, claim, await _sha256(await read_raw(request, visit.server.body_timeout_s)), secret)
            _count(rates, visit)
        return await handler(request)

    asks = auth.takes_keys or auth.takes_signatures
    return [identify] * asks, [prove] * auth.takes_signatures


def _claimed(request: web.Request, visit: Visit, auth: AuthSettings, callers: Callers) -> Tenant:
    """The tenant of the request's key, or the one that its signature names, which is left to be verified."""
    given = [(name, value) for name in ("Authorization", "X-Api-Key") for value in request.headers.getall(name, [])]
    if len(given) != 1:
        raise NoCredentials("exactly one Authorization or X-Api-Key header must be sent")
    name, value = given[0]
    if name == "Authorization" and value.startswith(SCHEME) and auth.takes_signatures:
        return _signer(request, visit, callers)
    scheme, _, key = value.partition(" ") if name == "Authorization" else ("bearer", "", value)
    if scheme.lower() != "bearer" or not auth.takes_keys:
        raise NoCredentials(f"the gateway asks for {' or '.join(_asked_for(auth))}")
    tenant = callers.by_key(key.strip())
    if tenant is None:
        raise UnknownCredentials("the key is not known")
    return tenant


def _signer(request: web.Request, visit: Visit, callers: Callers) -> Tenant:
    names = {name.lower() for name in request.headers}
    headers = {name: ",".join(request.headers.getall(name)) for name in names}
    head = Head(request.method, request.raw_path, headers)
    claim = claim_of(head, visit.service.clock.wall_s())
    found = callers.by_key_id(claim.key_id)
    if found is None:
        raise UnknownCredentials("the security token included in the request is invalid")
    tenant, secret = found
    visit.signed = (head, claim, secret)
    return tenant


def _asked_for(auth: AuthSettings) -> list[str]:
    return [*["a bearer key"] * auth.takes_keys, *["a signature (AWS Signature Version 4)"] * auth.takes_signatures]


def _challenge(auth: AuthSettings) -> str:
    """What RFC 9110 wants to stand beside a 401: the schemes that are taken, empty where nobody is asked."""
    schemes = [*["Bearer"] * auth.takes_keys, *[SCHEME] * auth.takes_signatures]
    return ", ".join(f'{scheme} realm="{REALM}"' for scheme in schemes)


def _count(rates: RateLimits, visit: Visit) -> None:
    """Count the request against its tenant's rate."""
    if (wait_s := rates.take(visit.caller, visit.arrived_s)) > 0.0:
        raise TooMany("the rate limit of this name is reached", wait_s)


async def _sha256(body: bytes) -> str:
    """The hash of a body, in hex; the loop turns between slices."""
    state = hashlib.sha256()
    for start in range(0, len(body), HASH_SLICE_BYTES):
        state.update(body[start : start + HASH_SLICE_BYTES])
        if start + HASH_SLICE_BYTES < len(body):
            await asyncio.sleep(0)
    return state.hexdigest()

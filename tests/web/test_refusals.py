"""Whoever may not: every way to show no credentials, false ones, or too small rights, on every operation that asks.

Rows make one bad request out of an honest one. Each is told in the shape of its API, costs nothing upstream, and
neither the answer nor the access line repeats what was shown. The same machinery lets the honest in (the control).
"""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from gateway.adapters.system_clock import SystemClock
from gateway.core.routing import Campaign
from gateway.web.middleware import BOUNDED_ROUTES
from gateway.web.openapi_operations import OPERATIONS
from tests.support.gateway_parts import ARN, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.changes import Change, Sent, by, shows, signs
from tests.web.conftest import Connect
from tests.web.keys import auth, bearer, tenant
from tests.web.operations import ASKING, NOT_FOUND, body_of, is_wire, target_of
from tests.web.parts import Client, Reply, exchange
from tests.web.refusal_rows import API_KEY, EVENTS, KEY, RANKING, ROWS, Row

OPEN = [one for one in OPERATIONS if one not in ASKING]
CAMPAIGNS = {name: Campaign(name, f"{ARN}-{name}") for name in ("demo", "other")}
BOUNDED = [one for one in ASKING if one[1] in BOUNDED_ROUTES]

TOLD: dict[str, tuple[int, int, str]] = {
    "no-credentials": (401, 403, "MissingAuthenticationTokenException"),
    "unknown-credentials": (401, 403, "UnrecognizedClientException"),
    "bad-signature": (401, 403, "InvalidSignatureException"),
    "not-allowed": (403, 403, "AccessDeniedException"),
    "too-many": (429, 429, "ThrottlingException"),
}
"""By the slug of the problem: the native status, the wire's, and the wire's code."""

KEYS_TAKEN, SIGNATURES_TAKEN = 'bearer realm="rerank-gateway"', 'aws4-hmac-sha256 realm="rerank-gateway"'
CHALLENGES = {
    "keys": KEYS_TAKEN,
    "sigv4": SIGNATURES_TAKEN,
    "keys-or-sigv4": f"{KEYS_TAKEN}, {SIGNATURES_TAKEN}",
}
"""By what is taken: what a 401 tells of it, as it is read here (in small letters)."""


class SkewedClock(SystemClock):
    """A clock that is ahead of the caller's."""

    def __init__(self, skew_s: float) -> None:
        super().__init__()
        self._skew_s = skew_s

    def wall_s(self) -> float:
        return super().wall_s() + self._skew_s


class Held(ListingRanker):
    """Answers no question until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()

    async def ask(self, arn: str, question: Any) -> Any:
        self.begun.set()
        await self.let_go.wait()
        return await super().ask(arn, question)


class Inside:
    """What stands behind the doors."""

    def __init__(self) -> None:
        self.ranker, self.sink = Held(), ListSink()
        self.ranker.let_go.set()

    @property
    def reached(self) -> int:
        """How often somebody came that far."""
        return len(self.ranker.calls) + len(self.ranker.asked) + len(self.sink.events)


def honest(client: Client, method: str, path: str) -> Sent:
    """A request of an operation that only lacks credentials."""
    body = body_of(path, method)
    host = f"127.0.0.1:{client.server.port}"
    return Sent(method.upper(), target_of(path), host, body=b"" if body is None else orjson.dumps(body))


async def opened(connect: Connect, row: Row) -> tuple[Client, Inside]:
    """A gateway under the settings of a row."""
    inside = Inside()
    parts = {"ranker": inside.ranker, "sink": inside.sink, "clock": SkewedClock(row.skew_s), "campaigns": CAMPAIGNS}
    return await connect(auth=row.auth, **parts), inside


async def answer(client: Client, change: Change, operation: tuple[str, str]) -> Reply:
    """The reply to a changed request."""
    return await exchange(client, change(honest(client, *operation)).raw())


def told(reply: Reply, operation: tuple[str, str], slug: str, mode: str | None = None) -> None:
    """Check that a refusal has the shape of its API, all of it, what would be taken, and nothing of what was shown."""
    native_status, wire_status, code = TOLD[slug]
    body = orjson.loads(reply.body)
    if is_wire(*operation):
        assert (reply.status, reply.headers["x-amzn-errortype"]) == (wire_status, code.lower()), operation
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-amzn-requestid"] == reply.headers["x-request-id"]
        assert body.keys() == {"message"}
    else:
        assert reply.status == native_status, operation
        assert reply.headers["content-type"] == "application/problem+json"
        assert body.keys() == {"type", "title", "status", "detail", "instance"}
        assert (body["type"], body["status"]) == (f"urn:rerank-gateway:problem:{slug}", native_status)
    challenge = CHALLENGES[mode or ""] if reply.status == 401 else None
    assert reply.headers.get("www-authenticate") == challenge
    assert ("retry-after" in reply.headers) == (slug == "too-many")
    assert b"canary" not in reply.whole.lower()


@pytest.mark.parametrize("name", ROWS)
async def test_a_refusal(connect: Connect, lines: list[Any], name: str) -> None:
    """A row is refused on every operation that asks who calls, before anything is asked or forwarded; the operations
    that ask nobody do not mind it."""
    row = ROWS[name]
    client, inside = await opened(connect, row)
    for operation in row.operations:
        told(await answer(client, row.change, operation), operation, row.slug, row.auth.mode)
    assert inside.reached == 0
    assert [line["error"] for line in lines] == [row.slug] * len(row.operations)
    assert "canary" not in str(lines).lower()
    for operation in OPEN:
        reply = await answer(client, row.change, operation)
        assert reply.status == (404 if operation in NOT_FOUND else 200), operation


@pytest.mark.parametrize("change", [by("shop"), signs(), signs(token="token"), shows((API_KEY, KEY))])
async def test_control_the_honest_are_let_in(connect: Connect, change: Change) -> None:
    """The same requests with a key or a signature are answered on every operation."""
    client, inside = await opened(connect, Row(change, ""))
    for operation in OPERATIONS:
        assert (await answer(client, change, operation)).status == (404 if operation in NOT_FOUND else 200), operation
    assert inside.reached == len(RANKING) + len(EVENTS) - 1  # shelves have what the ranking before them has left


@pytest.mark.parametrize("change", [by("shop"), signs()], ids=["key", "signature"])
async def test_a_rate_that_is_used_up(connect: Connect, change: Change) -> None:
    """A tenant beyond its rate is refused on every operation, and told when to come back."""
    client, inside = await opened(connect, Row(change, "", auth(shop=tenant("shop", rate_per_s=0.001))))
    assert (await answer(client, change, ("get", "/v1/campaigns"))).status == 200
    for operation in ASKING:
        reply = await answer(client, change, operation)
        told(reply, operation, "too-many")
        assert 900 < int(reply.headers["retry-after"]) <= 1_000
    assert inside.reached == 0


@asynccontextmanager
async def one_under_way(client: Client, ranker: Held, change: Change) -> Any:
    """A request that is not answered until the block ends; then it is, with 200."""
    ranker.let_go.clear()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        held = group.create_task(answer(client, change, ("post", "/recommendations")))
        await ranker.begun.wait()
        yield
        ranker.let_go.set()
    assert held.result().status == 200


@pytest.mark.parametrize("change", [by("shop"), signs()], ids=["key", "signature"])
async def test_a_share_that_is_used_up(connect: Connect, change: Change) -> None:
    """A tenant with as many requests under way as it may have is refused on every operation that has places, and is let
    in again when one of them has ended."""
    client, inside = await opened(connect, Row(change, "", auth(shop=tenant("shop", inflight_max=1))))
    async with one_under_way(client, inside.ranker, change):
        for operation in BOUNDED:
            told(await answer(client, change, operation), operation, "too-many")
        assert inside.reached == 0
    assert (await answer(client, change, ("post", "/v1/rerank"))).status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_an_admin_port_takes_its_routes_along(connect: Connect, path: str) -> None:
    """With an admin port those who may call find nothing of it on the data port, and those who may not no more."""
    client = await connect(auth=auth(), server={"admin_port": 0})
    for headers in ({}, bearer("shop")):
        assert (await client.get(path, headers=headers)).status == 404

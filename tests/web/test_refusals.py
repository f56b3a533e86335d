"""Whoever may not: every way to show no credentials, false ones, or too small rights, on every operation that asks.

Rows make one bad request out of an honest one. Each is told in the shape of its API, costs nothing upstream, and
neither the answer nor the access line repeats what was shown. The same machinery lets the honest in (the control).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
import pytest

from gateway.adapters.system_clock import SystemClock
from gateway.core.routing import Campaign
from gateway.settings_auth import AuthSettings
from gateway.web.middleware import BOUNDED_ROUTES
from gateway.web.openapi_operations import OPERATIONS
from tests.support.gateway_parts import ARN, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import Connect
from tests.web.keys import KEYS, PAIRS, auth, bearer, sha256, signed, tenant
from tests.web.operations import ASKING, BODIES, NOT_FOUND, body_of, is_wire, target_of
from tests.web.parts import Client, Reply, exchange

OPEN = [one for one in OPERATIONS if one not in ASKING]
CAMPAIGNS = {name: Campaign(name, f"{ARN}-{name}") for name in ("demo", "other")}
RANKING = [one for one in ASKING if {"campaign", "campaignArn"} & BODIES.get(one[1], {}).keys()]
EVENTS = [one for one in ASKING if "trackingId" in BODIES.get(one[1], {})]
BOUNDED = [one for one in ASKING if one[1] in BOUNDED_ROUTES]

KEY, CANARY = KEYS["shop"], "canary-of-nobody-0d11"

TOLD: dict[str, tuple[int, int, str]] = {
    "no-credentials": (401, 403, "MissingAuthenticationTokenException"),
    "unknown-credentials": (401, 403, "UnrecognizedClientException"),
    "bad-signature": (401, 403, "InvalidSignatureException"),
    "not-allowed": (403, 403, "AccessDeniedException"),
    "too-many": (429, 429, "ThrottlingException"),
}
"""By the slug of the problem: the native status, the wire's, and the wire's code."""


class Sent(NamedTuple):
    """A request as it goes out."""

    method: str
    target: str
    host: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def raw(self) -> bytes:
        """Its bytes; header values may hold any, by way of surrogates."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


Change = Callable[[Sent], Sent]


class Row(NamedTuple):
    """What is done to an honest request, what is told of it, and under which settings."""

    change: Change
    slug: str
    auth: AuthSettings = auth()
    skew_s: float = 0.0
    operations: Sequence[tuple[str, str]] = ASKING


def shows(*headers: tuple[str, str], query: str = "") -> Change:
    """With these headers."""
    return lambda sent: sent._replace(headers=[*sent.headers, *headers], target=sent.target + query)


def by(name: str) -> Change:
    """With the key of a tenant."""
    return shows(*bearer(name).items())


def signs(then: Change = lambda sent: sent, /, **how: Any) -> Change:
    """Signed, and changed after that. What is signed is the request itself, but for the `target`, `host`, `method` and
    `body` that are given; how it is signed is for `keys.signed`."""

    parts = {name: how.pop(name) for name in ("target", "host", "method", "body") if name in how}

    def change(sent: Sent) -> Sent:
        it = sent._replace(**parts)
        headers = signed("shop", f"http://{it.host}{it.target}", it.body, it.method, **how)
        headers.pop("Content-Length", None)
        return then(sent._replace(headers=[*headers.items()]))

    return change


def edits(name: str, edit: Callable[[str], str]) -> Change:
    """With one header's value edited."""
    return lambda sent: sent._replace(
        headers=[(one, edit(value) if one.lower() == name.lower() else value) for one, value in sent.headers]
    )


def adds(*more: tuple[str, str]) -> Change:
    """With headers added."""
    return lambda sent: sent._replace(headers=[*sent.headers, *more])


def a_second_later(stamp: str) -> str:
    """A time such as 20261122T101500Z, and a second."""
    form = "%Y%m%dT%H%M%SZ"
    return (datetime.strptime(stamp, form) + timedelta(seconds=1)).strftime(form)


AUTHORIZATION, API_KEY = "Authorization", "X-Api-Key"
SIGNATURE = f"AWS4-HMAC-SHA256 Credential={PAIRS['shop'][0]}/20261122/eu-west-1/personalize/aws4_request"
ROTATED = auth(shop=tenant("shop", keys_sha256=[sha256("new-canary-key"), sha256("newer-canary-key")]))

ROWS: Mapping[str, Row] = {
    # no credentials
    "nothing": Row(shows(), "no-credentials"),
    "an empty header": Row(shows((AUTHORIZATION, "")), "no-credentials"),
    "another scheme": Row(shows((AUTHORIZATION, f"Basic {KEY}")), "no-credentials"),
    "no scheme": Row(shows((AUTHORIZATION, KEY)), "no-credentials"),
    "a key in a cookie": Row(shows(("Cookie", f"key={KEY}; X-Api-Key={KEY}")), "no-credentials"),
    "a key in the query": Row(shows(query=f"?key={KEY}&api_key={KEY}&X-Api-Key={KEY}"), "no-credentials"),
    "a signature in the query": Row(shows(query=f"?X-Amz-Algorithm={SIGNATURE[:16]}&X-Amz-Signature=0"),
                                    "no-credentials"),
    "two kinds of header": Row(shows((AUTHORIZATION, f"Bearer {KEY}"), (API_KEY, KEY)), "no-credentials"),
    "a key twice": Row(shows((AUTHORIZATION, f"Bearer {KEY}"), (AUTHORIZATION, f"Bearer {KEY}")), "no-credentials"),
    "two keys": Row(shows((API_KEY, KEY), (API_KEY, CANARY)), "no-credentials"),
    "a key for signatures": Row(by("shop"), "no-credentials", auth("sigv4")),
    "a signature for keys": Row(signs(), "no-credentials", auth("keys")),
    # keys of nobody
    "no key": Row(shows((AUTHORIZATION, "Bearer")), "unknown-credentials"),
    "an empty key": Row(shows((API_KEY, "")), "unknown-credentials"),
    "another key": Row(shows((AUTHORIZATION, f"Bearer {CANARY}")), "unknown-credentials"),
    "a key and more": Row(shows((AUTHORIZATION, f"Bearer {KEY}x")), "unknown-credentials"),
    "less than a key": Row(shows((API_KEY, KEY[:-1])), "unknown-credentials"),
    "a key in other letters": Row(shows((API_KEY, KEY.upper())), "unknown-credentials"),
    "what is stored of a key": Row(shows((AUTHORIZATION, f"Bearer {sha256(KEY)}")), "unknown-credentials"),
    "two keys in one": Row(shows((API_KEY, f"{KEY},{KEY}")), "unknown-credentials"),
    "bytes that are no text": Row(shows((AUTHORIZATION, "Bearer \udcff\udcfe")), "unknown-credentials"),
    "a key of before the rotation": Row(by("shop"), "unknown-credentials", ROTATED),
    "the secret of a pair": Row(shows((API_KEY, PAIRS["shop"][1])), "unknown-credentials"),
    "a pair of nobody": Row(signs(key_id="GWAKNOBODY", secret=CANARY), "unknown-credentials"),
    # signatures
    "another secret": Row(signs(secret=CANARY), "bad-signature"),
    "another tenant's secret": Row(signs(secret=PAIRS["app"][1]), "bad-signature"),
    "for another service": Row(signs(service="s3"), "bad-signature"),
    "for the name of its endpoint": Row(signs(service="personalize-runtime"), "bad-signature"),
    "for another region": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("eu-west-1", "us-east-1"))),
                              "bad-signature"),
    "for another day": Row(signs(edits("X-Amz-Date", lambda it: f"20200101{it[8:]}")), "bad-signature"),
    "for another host": Row(signs(host="gateway.example"), "bad-signature"),
    "for another port": Row(signs(host="127.0.0.1:1"), "bad-signature"),
    "for another path": Row(signs(target="/v1/rerank/other"), "bad-signature"),
    "for another query": Row(signs(lambda sent: sent._replace(target=f"{sent.target}?a=b")), "bad-signature"),
    "for another method": Row(signs(method="PATCH"), "bad-signature"),
    "for another body": Row(signs(body=b'{"other":1}'), "bad-signature"),
    "for another time": Row(signs(edits("X-Amz-Date", a_second_later)), "bad-signature"),
    "for another content type": Row(signs(edits("Content-Type", lambda it: f"{it}; charset=utf-8")), "bad-signature"),
    "with another token": Row(signs(edits("X-Amz-Security-Token", lambda _: CANARY), token="token"), "bad-signature"),
    "with a digit changed": Row(signs(edits(AUTHORIZATION, lambda it: it[:-1] + "10"[it[-1] == "1"])),
                                "bad-signature"),
    "with a digit missing": Row(signs(edits(AUTHORIZATION, lambda it: it[:-1])), "bad-signature"),
    "in capitals": Row(signs(edits(AUTHORIZATION, lambda it: it[:-64] + it[-64:].upper())), "bad-signature"),
    "of an unsigned host": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("host;", ""))), "bad-signature"),
    "of a header that is not there": Row(signs(edits(AUTHORIZATION, lambda it: it.replace("host;", "host;x-a;"))),
                                         "bad-signature"),
    "of no payload": Row(signs(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), "bad-signature"),
    "of a streamed payload": Row(signs(headers={"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}),
                                 "bad-signature"),
    "of two dates": Row(signs(adds(("X-Amz-Date", "20261122T101500Z"))), "bad-signature"),
    "of no date": Row(signs(edits("X-Amz-Date", lambda _: "")), "bad-signature"),
    "of no form": Row(shows((AUTHORIZATION, f"{SIGNATURE}, Signature={CANARY}")), "bad-signature"),
    "of the scheme alone": Row(shows((AUTHORIZATION, "AWS4-HMAC-SHA256")), "bad-signature"),
    "of another algorithm": Row(shows((AUTHORIZATION, SIGNATURE.replace("HMAC-SHA256", "ECDSA-P256-SHA256"))),
                                "no-credentials"),
    "by a clock that is late": Row(signs(), "bad-signature", skew_s=310.0),
    "by a clock that is early": Row(signs(), "bad-signature", skew_s=-310.0),
    "replayed on the next day": Row(signs(), "bad-signature", skew_s=86_400.0),
    # rights
    "another's campaign": Row(by("shop"), "not-allowed", auth(shop=tenant("shop", campaigns=["other"])),
                              operations=RANKING),
    "another's campaign, signed": Row(signs(), "not-allowed", auth(shop=tenant("shop", campaigns=["other"])),
                                      operations=RANKING),
    "another's tracker": Row(by("shop"), "not-allowed", auth(shop=tenant("shop", trackers=["mine"])),
                             operations=EVENTS),
    "another's tracker, signed": Row(signs(), "not-allowed", auth(shop=tenant("shop", trackers=["mine"])),
                                     operations=EVENTS),
}  # fmt: skip


class SkewedClock(SystemClock):
    """A clock that is ahead of the caller's."""

    def __init__(self, skew_s: float) -> None:
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


def told(reply: Reply, operation: tuple[str, str], slug: str) -> None:
    """Check that a refusal has the shape of its API, all of it, and nothing of what was shown."""
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
    challenge = 'bearer realm="rerank-gateway"' if reply.status == 401 else None
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
        told(await answer(client, row.change, operation), operation, row.slug)
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

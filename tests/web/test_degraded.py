"""When it cannot be whole: every row of the table, on both APIs, with its header, its body and its status."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from gateway.core.errors import AccessDenied, InvalidInput, Malformed, Throttled, Unavailable, UnknownResource
from gateway.core.routing import Campaign
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, items, native, order, send, wire

FORGIVING = {"demo": Campaign("demo", ARN, fallback="input-order")}
HANGS = "hang"
APIS = pytest.mark.parametrize("path", [NATIVE, WIRE])
SHORT = {"deadline_ms": 60}
"""For calls that all hang."""
LONGER = {"deadline_ms": 600}
"""For some that hang: the others must have answered by then, on a busy machine too."""

Fails = Callable[[int, Any], Exception | str | None]


def always(failure: Exception | str) -> Fails:
    """Every call ends so."""
    return lambda *_: failure


def but_the_first(failure: Exception | str) -> Fails:
    """Every call ends so, but the first one of all."""
    return lambda number, _: failure if number else None


async def asked(client: Client, path: str, candidates: list[str], **members: Any) -> tuple[int, Any, dict[str, Any]]:
    """Status, headers and body of an answer of either API."""
    response = await send(client, path, (native if path == NATIVE else wire)(candidates, **members))
    return response.status, response.headers, orjson.loads(await response.read())


@dataclass
class Row:
    """A situation and the flag of its answer."""

    fails: Fails
    flag: str
    parts: dict[str, Any] = field(default_factory=dict)


PART: dict[str, Row] = {
    "some calls failed": Row(but_the_first(Unavailable("x")), "upstream"),
    "some calls throttled": Row(but_the_first(Throttled("x")), "upstream"),
    "some calls hang": Row(but_the_first(HANGS), "deadline", {"server": LONGER}),
}


@APIS
@pytest.mark.parametrize("row", PART.values(), ids=PART)
async def test_some_calls_are_missing(connect: Connect, path: str, row: Row) -> None:
    """200: the ranked part first, the rest in the caller's order without scores; flagged in header and body."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=row.fails), **row.parts)
    status, headers, body = await asked(client, path, items(700))
    assert (status, headers["Gateway-Degraded"]) == (200, row.flag)
    scored = [one["itemId"] for one in body["personalizedRanking"] if "score" in one]
    rest = order(body)[len(scored) :]
    assert 0 < len(scored) < 700
    assert scored == sorted(scored, key=lambda item: -LOGITS[item])
    assert rest == [item for item in items(700) if item in set(rest)]
    if path == NATIVE:
        assert body["degraded"] == row.flag
        sources = [one["source"] for one in body["personalizedRanking"]]
        assert sources == ["fresh"] * len(scored) + ["unranked"] * len(rest)
    else:
        assert {frozenset(one) for one in body["personalizedRanking"]} <= {
            frozenset({"itemId", "score"}),
            frozenset({"itemId"}),
        }


@APIS
async def test_a_stale_frame_stands_in(connect: Connect, path: str) -> None:
    """200 from the stale frame, flagged, each item's source told; what it does not know follows unranked."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    client = await connect(ranker=ranker, fresh_s=0.0, stale_s=300.0)
    await asked(client, path, items(3))
    ranker.fails = always(Unavailable("gone"))
    status, headers, body = await asked(client, path, [*items(3), "p9"])
    assert (status, headers["Gateway-Degraded"]) == (200, "stale")
    assert order(body)[-1] == "p9"
    if path == NATIVE:
        assert body["degraded"] == "stale"
        assert [one["source"] for one in body["personalizedRanking"]] == ["stale"] * 3 + ["unranked"]


NOTHING: dict[str, tuple[Exception | str, int, str, str]] = {
    "unavailable": (Unavailable("x"), 503, "upstream-unavailable", "ServiceUnavailable"),
    "malformed": (Malformed("x"), 503, "upstream-malformed", "ServiceUnavailable"),
    "access denied": (AccessDenied("x"), 503, "upstream-access-denied", "ServiceUnavailable"),
    "throttled": (Throttled("x"), 429, "throttled", "ThrottlingException"),
    "hangs": (HANGS, 504, "deadline", "GatewayTimeout"),
}


@APIS
@pytest.mark.parametrize(("failure", "status", "slug", "code"), NOTHING.values(), ids=NOTHING)
async def test_nothing_at_all_is_an_error(
    connect: Connect, path: str, failure: Exception | str, status: int, slug: str, code: str
) -> None:
    """Without a frame and without a fallback the body says which way it failed, and it is no degraded answer."""
    client = await connect(
        ranker=SoftmaxRanker(lambda _: LOGITS, fails=always(failure)), server=SHORT if failure == HANGS else {}
    )
    told, headers, body = await asked(client, path, items(700))
    assert told == status
    assert "Gateway-Degraded" not in headers
    if path == NATIVE:
        assert body["type"] == f"urn:rerank-gateway:problem:{slug}"
    else:
        assert headers["x-amzn-ErrorType"] == code
    assert headers.get("Retry-After") == (None if status == 504 else "1")


@APIS
@pytest.mark.parametrize("failure", [row[0] for row in NOTHING.values()], ids=NOTHING)
async def test_nothing_at_all_with_the_fallback(connect: Connect, path: str, failure: Exception | str) -> None:
    """With `fallback = "input-order"` every such failure is a 200 in the caller's order, flagged, without scores."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=always(failure))
    client = await connect(ranker=ranker, campaigns=FORGIVING, server=SHORT if failure == HANGS else {})
    status, headers, body = await asked(client, path, items(700))
    assert (status, headers["Gateway-Degraded"]) == (200, "fallback")
    assert order(body) == items(700)
    assert all("score" not in one for one in body["personalizedRanking"])
    if path == NATIVE:
        assert body["degraded"] == "fallback"
        assert {one["source"] for one in body["personalizedRanking"]} == {"unranked"}


@APIS
@pytest.mark.parametrize(
    ("fault", "native_status", "wire_status"),
    [(InvalidInput("bad"), 422, 400), (UnknownResource("gone"), 404, 404)],
    ids=["invalid", "unknown"],
)
async def test_the_callers_own_fault(
    connect: Connect, path: str, fault: Exception, native_status: int, wire_status: int
) -> None:
    """The caller's own fault is told, with a fallback too; it is asked once, not retried, and not remembered."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=always(fault))
    client = await connect(ranker=ranker, campaigns=FORGIVING)
    for times in (1, 2):
        status, headers, _ = await asked(client, path, items(3))
        assert status == (native_status if path == NATIVE else wire_status)
        assert "Gateway-Degraded" not in headers
        assert len(ranker.calls) == times
    ranker.fails = None
    assert (await asked(client, path, items(3)))[0] == 200


@APIS
async def test_what_is_degraded_is_not_remembered_as_whole(connect: Connect, path: str) -> None:
    """Once upstream is well, the next answer is whole and unflagged."""
    for row in PART.values():
        ranker = SoftmaxRanker(lambda _: LOGITS, fails=row.fails)
        client = await connect(ranker=ranker, **row.parts)
        assert (await asked(client, path, items(700)))[1]["Gateway-Degraded"] == row.flag
        ranker.fails = None
        status, headers, body = await asked(client, path, items(700))
        assert (status, "Gateway-Degraded" in headers) == (200, False)
        assert order(body) == sorted(items(700), key=lambda item: -LOGITS[item])

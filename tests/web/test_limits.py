"""Every limit of a member: what is just inside is answered, what is just outside is refused by name and costs no call.

The limits stand in `limits` as literals, and are all that the types that decode have; rows are tried on every operation
that has the member.
"""

from typing import Any

import msgspec
import orjson
import pytest

from gateway.core.routing import Campaign
from tests.support.gateway_parts import ARN, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import Connect
from tests.web.limit_bodies import row_of
from tests.web.limits import COUNTS, EXCEPTIONS, FOUND, NAMES, NUMBERS, PATTERNS, TEXTS
from tests.web.operations import is_wire
from tests.web.parts import LOGITS, send

ROWS = sorted({(path, kind, where) for path, kind, where, _ in FOUND})

CAMPAIGNS = {name: Campaign(name, f"{ARN}-{place}") for place, name in enumerate(["demo", "x", "x" * 256, "🛒" * 256])}


def test_every_limit_has_its_row() -> None:
    """The rows are the limits of the types, no more and no fewer, and the numbers in them are the same."""
    rows = {"text": TEXTS, "count": COUNTS, "number": NUMBERS, "name": NAMES, "pattern": PATTERNS}
    for kind, table in rows.items():
        assert {where for _, one, where, _ in FOUND if one == kind} == set(table), kind
    for path, kind, where, limits in FOUND:
        if kind in ("text", "count", "number"):
            assert limits == EXCEPTIONS.get((path, where), rows[kind][where]), (path, where)


@pytest.mark.parametrize(("path", "kind", "where"), ROWS)
async def test_a_limit(connect: Connect, path: str, kind: str, where: str) -> None:
    """Inside the limit all is answered; outside it is refused with a pointer to the place and never the value, and
    nothing is asked or forwarded."""
    ranker, sink = ListingRanker(), ListSink()
    client = await connect(ranker=ranker, sink=sink, campaigns=CAMPAIGNS)
    row = row_of(path, kind, where)
    for body in row.outside:
        response = await send(client, path, encoded(body))
        told = orjson.loads(await response.read())
        if is_wire("post", path):
            assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")
            assert told.keys() == {"message"}
            assert f"{row.pointer}: " in told["message"]
        else:
            assert (response.status, response.content_type) == (422, "application/problem+json")
            assert {fault["pointer"] for fault in told["errors"]} == {f"#{row.pointer}"}
        assert "xxx" not in str(told)
        assert "🛒" not in str(told)
    assert (ranker.calls, ranker.asked, sink.events) == ([], [], [])
    for body in row.inside:
        response = await send(client, path, encoded(body))
        assert response.status in ((200, 504) if where == "deadlineMs" else (200,)), await response.text()


def encoded(body: Any) -> bytes:
    """A body as JSON, with numbers of any size."""
    return msgspec.json.encode(body)


def test_the_ranker_knows_what_is_asked() -> None:
    """The control: the requests above name items that are known, so that an answer is one."""
    assert {"p1", "p2"} <= LOGITS.keys()

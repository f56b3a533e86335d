"""Every rule between members: what keeps it is answered, what breaks it is refused by the place of one member."""

from typing import Any

import orjson
import pytest

from tests.support.gateway_parts import ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import Connect
from tests.web.operations import BODIES, body_of, is_wire
from tests.web.parts import NATIVE, SHELVES, send

THOUSANDS = {f"s{place}": ["x"] * 1_000 for place in range(100)}
BETWEEN: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("candidates of all shelves", SHELVES, {"shelves": THOUSANDS}, {"shelves": {**THOUSANDS, "s1": ["x"] * 1_001}},
     "/shelves"),
    ("values of no filter", NATIVE, {"filterValues": {}}, {"filterValues": {"A": "x"}}, "/filterValues"),
    ("values of no filter", SHELVES, {"filterValues": None}, {"filterValues": {"A": "x"}}, "/filterValues"),
    ("two campaigns", "/recommendations", {"recommenderArn": None}, {"recommenderArn": "demo"}, "/campaignArn"),
    ("no campaign", "/recommendations", {}, {"campaignArn": None}, "/campaignArn"),
    ("many with metadata", "/recommendations", {"numResults": 50, "metadataColumns": {"ITEMS": ["T"]}},
     {"numResults": 51, "metadataColumns": {"ITEMS": ["T"]}}, "/numResults"),
    ("properties that are no JSON", "/events", {"eventList": [{"eventType": "c", "sentAt": 1, "properties": "{}"}]},
     {"eventList": [{"eventType": "c", "sentAt": 1, "properties": "[]"}]}, "/eventList/0/properties"),
    ("properties that are no JSON", "/v1/events", {"eventList": [{"eventType": "c", "sentAt": 1, "properties": "{}"}]},
     {"eventList": [{"eventType": "c", "sentAt": 1, "properties": "{"}]}, "/eventList/0/properties"),
    *((f"an unknown member of {path}", path, {}, {"other": 1}, "/other") for path in BODIES if path.startswith("/v1")),
    *((f"U+0000 in {path}", path, {"userId": "\\u0000"}, {"userId": "\0"}, "/userId") for path in BODIES),
    *((f"an object as user of {path}", path, {"userId": "{}"}, {"userId": {}}, "/userId") for path in BODIES),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "inside", "outside", "pointer"), [pytest.param(*row, id=name) for name, *row in BETWEEN]
)
async def test_a_rule(connect: Connect, path: str, inside: Any, outside: Any, pointer: str) -> None:
    """Rules between members are told by the place of one of them."""
    ranker, sink = ListingRanker(), ListSink()
    client = await connect(ranker=ranker, sink=sink)
    response = await send(client, path, {**body_of(path), **outside})
    told = orjson.loads(await response.read())
    assert response.status == (400 if is_wire("post", path) else 422)
    assert f"{pointer}: " in told["message"] if is_wire("post", path) else told["errors"][0]["pointer"] == f"#{pointer}"
    assert (ranker.calls, ranker.asked, sink.events) == ([], [], [])
    assert (await send(client, path, {**body_of(path), **inside})).status == 200

"""Every limit at the doors: what is just inside is answered, what is just outside is refused by name and costs no call.

The limits stand here as literals, by where they hold (`*`: any element). A walk through the types that decode finds
every limit that they have, so that none can be added, moved or dropped without its row. Rows are tried on every
operation that has the member.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import orjson
import pytest
from msgspec import inspect

from gateway.core.routing import Campaign
from gateway.web.events_api import EVENTS_BYTES_MAX
from gateway.web.members import BODY_BYTES_MAX
from gateway.web.openapi import OPERATIONS
from gateway.web.recommend_api import QUESTION_BYTES_MAX
from tests.support.gateway_parts import ARN, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import Connect
from tests.web.operations import BODIES, body_of, filled, is_wire
from tests.web.parts import LOGITS, NATIVE, Client, ask, exchange, head, native, send

FAR = 2**63 - 1

TEXTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["campaign", "campaignArn", "recommenderArn", "userId", "itemId", "filterArn"], (1, 256)),
    **dict.fromkeys(["inputList.*", "shelves.*.*", "trackingId", "sessionId", "promotions.*.filterArn"], (1, 256)),
    **dict.fromkeys([f"eventList.*.{name}" for name in ("eventType", "eventId", "itemId", "impression.*")], (1, 256)),
    **dict.fromkeys(["context.*", "filterValues.*", "promotions.*.filterValues.*"], (0, 1_000)),
    "metadataColumns.*.*": (1, 150),
    "eventList.*.properties": (1, 1_024),
    "eventList.*.recommendationId": (1, 40),
    "eventList.*.metricAttribution.eventAttributionSource": (1, 1_024),
}
"""Characters, not bytes."""

COUNTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["inputList", "shelves.*"], (0, 100_000)),
    "context": (0, 150),
    **dict.fromkeys(["filterValues", "promotions.*.filterValues"], (0, 25)),
    "metadataColumns": (0, 1),
    "metadataColumns.*": (0, 10),
    "shelves": (1, 100),
    "promotions": (0, 1),
    "eventList": (1, 10),
    "eventList.*.impression": (1, 25),
}
NUMBERS: dict[str, tuple[int, int]] = {
    "limit": (0, FAR),
    "offset": (0, FAR),
    "deadlineMs": (1, 30_000),
    "numResults": (0, 500),
    "promotions.*.percentPromotedItems": (1, 100),
    "eventList.*.sentAt": (-62_135_510_400, 253_402_214_400),
}
ACTIONS_MAX = 100

NAMES: dict[str, tuple[list[str], list[str]]] = {
    "context": (["A" * 150, "a_9"], ["", "A" * 151, "a-b", "a b", "a\n", "ä", "\u0663"]),
    **dict.fromkeys(
        ["filterValues", "promotions.*.filterValues"],
        (["A" * 50, "a_9"], ["", "A" * 51, "a-b", "a\n", "ä"]),
    ),
    "metadataColumns": (["ITEMS"], ["", "USERS", "items", "ITEMS\n"]),
    "shelves": (["A" * 64, "a_9.b-c"], ["", "A" * 65, "a b", "a\n", "ä"]),
}
"""Names in objects of any names."""

PATTERNS: dict[str, tuple[list[str], list[str]]] = {
    "promotions.*.name": (["A" * 63, "9_-"], ["", "A" * 64, "-a", "a b", "a\n", "ä"]),
}

EXCEPTIONS = {("/action-recommendations", "numResults"): (0, ACTIONS_MAX)}
"""Where an operation has a limit of its own."""


# --- that the rows are all there are --------------------------------------------------------------------------------


def limits_of(kind: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every limit of a type: its kind, where it holds, and what it is."""
    match kind:
        case inspect.StrType(pattern=None):
            yield "text", path, (kind.min_length or 0, kind.max_length)
        case inspect.StrType():
            yield "pattern", path, kind.pattern
        case inspect.IntType() | inspect.FloatType() if kind.ge is not None:
            yield "number", path, (kind.ge, kind.le)
        case inspect.ListType() | inspect.DictType():
            yield "count", path, (kind.min_length or 0, kind.max_length)
    if isinstance(kind, inspect.DictType):
        yield "name", path, kind.key_type.pattern
    for where, one in parts_of(kind, path):
        yield from limits_of(one, where)


def parts_of(kind: Any, path: str) -> list[tuple[str, Any]]:
    """The types that a type is made of, and where they hold."""
    match kind:
        case inspect.Metadata():
            return [(path, kind.type)]
        case inspect.UnionType():
            return [(path, one) for one in kind.types]
        case inspect.StructType():
            return [(f"{path}.{field.encode_name}".lstrip("."), field.type) for field in kind.fields]
        case inspect.ListType():
            return [(f"{path}.*", kind.item_type)]
        case inspect.DictType():
            return [(f"{path}.*", kind.value_type)]
    return []


FOUND = [
    (path, *limit)
    for (method, path), operation in OPERATIONS.items()
    if method == "post" and operation.body is not None  # the one PUT is for those who run the gateway
    for limit in limits_of(inspect.type_info(operation.body))
]


def test_every_limit_has_its_row() -> None:
    """The rows are the limits of the types, no more and no fewer, and the numbers in them are the same."""
    rows = {"text": TEXTS, "count": COUNTS, "number": NUMBERS, "name": NAMES, "pattern": PATTERNS}
    for kind, table in rows.items():
        assert {where for _, one, where, _ in FOUND if one == kind} == set(table), kind
    for path, kind, where, limits in FOUND:
        if kind in ("text", "count", "number"):
            assert limits == EXCEPTIONS.get((path, where), rows[kind][where]), (path, where)


# --- what they do ----------------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "context": {},
    "filterArn": "arn:aws:personalize:us-east-1:000000000000:filter/f",
    "filterValues": {},
    "metadataColumns": {"ITEMS": []},
    "promotions": [{"filterArn": "f", "filterValues": {}}],
}
"""What stands round a value that is tried."""

ONE: dict[str, Any] = {"eventList": {"eventType": "c", "sentAt": 1}, "promotions": {}, "shelves": ["p1"]}
"""An element of a container that is tried; of others it is a text, and in `metadataColumns` a list."""


def many(where: str, count: int) -> Any:
    """A container of so many elements."""
    name = where.rpartition("promotions.*.")[2]
    if name in ("context", "filterValues", "shelves"):
        return {f"A{place}": ONE.get(name, "x") for place in range(count)}
    if name == "metadataColumns":
        return {column: [] for column in ["ITEMS", "USERS"][:count]}
    return [ONE.get(name, f"p{place % 9}") for place in range(count)]


def with_value(path: str, where: str, value: Any) -> dict[str, Any]:
    """A good request with a value somewhere: elements of containers have it alone, but for their other members."""
    body: dict[str, Any] = {name: FULL[name] for name in FULL if name == where.partition(".")[0]}
    if where.startswith("filterValues"):
        body["filterArn"] = FULL["filterArn"]
    if where == "recommenderArn":
        del (given := body_of(path))["campaignArn"]
        return {**given, where: value}
    return put({**body_of(path), **body}, where.split("."), value)


def put(into: Any, steps: list[str], value: Any) -> Any:
    """The same with a value at the end of the steps."""
    step, *rest = steps
    if isinstance(into, list):
        return [put(into[0], rest, value) if rest and into else value]
    if step == "*":
        name = next(iter(into), "A")
        return {name: put(into.get(name), rest, value) if rest else value}
    return {**(into or {}), step: put((into or {}).get(step, {}), rest, value) if rest else value}


INNER = {"impression.*": "impression.0", "filterValues.*": "filterValues.A"}
"""Members of objects in lists that hold others."""


def pointer_to(where: str) -> str:
    """Where the fault is told to be: elements by their place or name."""
    root, _, inner = where.partition(".*.")
    if root in ("eventList", "promotions"):
        return "/".join(["", root, *["0"] * bool(inner), *INNER.get(inner, inner).split(".")]).rstrip("/")
    root = where.partition(".")[0]
    steps = {"inputList.*": "0", "shelves.*": "a", "shelves.*.*": "a/0", "metadataColumns.*": "ITEMS",
             "metadataColumns.*.*": "ITEMS/0", "context.*": "A", "filterValues.*": "A"}  # fmt: skip
    return f"/{root}/{steps[where]}" if where in steps else f"/{root}"


class Row(NamedTuple):
    """A limit on one operation: bodies just inside, bodies just outside, and where the fault of these is."""

    inside: list[Any]
    outside: list[Any]
    pointer: str


def tries(path: str, kind: str, where: str) -> tuple[list[Any], list[Any]]:
    """Values just inside and just outside a limit."""
    if kind == "text":
        low, high = TEXTS[where]
        if where.endswith("properties"):
            return ['{"a":"%s"}' % ("x" * (high - 8))], ["", '{"a":"%s"}' % ("x" * (high - 7))]
        return ["x" * low, "x" * high, "🛒" * high], [*[""] * low, "x" * (high + 1), "🛒" * (high + 1)]
    if kind == "number":
        low, high = EXCEPTIONS.get((path, where), NUMBERS[where])
        parts = [] if where.endswith("sentAt") else [low + 0.5]
        return [low, high], [low - 1, high + 1, str(low), *parts, True]
    if kind == "count":
        low, high = COUNTS[where]
        return [many(where, low), many(where, high)], [*[many(where, low - 1)] * (low > 0), many(where, high + 1)]
    if kind == "name":
        good, bad = NAMES[where]
        one = [] if where in ("metadataColumns", "shelves") else "x"
        return [{name: one} for name in good], [{name: one} for name in bad]
    return PATTERNS[where]


def row_of(path: str, kind: str, where: str) -> Row:
    """The row of a limit on an operation."""
    inside, outside = ([with_value(path, where, value) for value in values] for values in tries(path, kind, where))
    return Row(inside, outside, pointer_to(where))


ROWS = sorted({(path, kind, where) for path, kind, where, _ in FOUND})

CAMPAIGNS = {name: Campaign(name, f"{ARN}-{place}") for place, name in enumerate(["demo", "x", "x" * 256, "🛒" * 256])}


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


# --- rules between members, and what is no member --------------------------------------------------------------------

SHELVES = "/v1/rerank/shelves"
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


# --- what is not in a body -------------------------------------------------------------------------------------------

QUERIES: list[tuple[str, list[str], list[str]]] = [
    ("limit", ["limit=0", f"limit={FAR}"], ["limit=-1", f"limit={FAR + 1}", "limit=x", "limit=", "limit=1.5"]),
    ("offset", ["offset=0", f"offset={FAR}"], ["offset=-1", f"offset={FAR + 1}", "offset=1&offset=2"]),
    ("deadlineMs", ["deadlineMs=1", "deadlineMs=30000"], ["deadlineMs=0", "deadlineMs=30001"]),
    ("page", [""], ["page=2"]),
]


@pytest.mark.parametrize(("name", "inside", "outside"), QUERIES, ids=[name for name, *_ in QUERIES])
async def test_a_parameter_of_a_page(client: Client, name: str, inside: list[str], outside: list[str]) -> None:
    """The parameters of a query have their limits, and others are refused by their names."""
    path = f"/v1/rankings/{(await ask(client, NATIVE, native(pin=True)))['rankingId']}"
    for query in inside:
        assert (await client.get(f"{path}?{query}")).status == 200
    for query in outside:
        response = await client.get(f"{path}?{query}")
        told = await response.json(content_type=None)
        assert (response.status, [fault["pointer"] for fault in told["errors"]]) == (422, [f"#/{name}"]), query


USERS = [("x" * 256, 200), ("%F0%9F%9B%92" * 256, 200), ("x" * 257, 422), ("%F0%9F%9B%92" * 257, 422), ("a%00b", 422)]


@pytest.mark.parametrize(("user", "status"), USERS, ids=lambda value: str(value)[-8:])
async def test_the_user_of_a_path(client: Client, user: str, status: int) -> None:
    """A user in a path has the limit of users in bodies."""
    reply = await exchange(client, head(f"/v1/users/{user}/frames").replace(b"POST", b"DELETE", 1))
    assert reply.status == status
    assert status == 200 or orjson.loads(reply.body)["errors"][0]["pointer"] == "#/userId"


SIZES = {
    "/personalize-ranking": BODY_BYTES_MAX, NATIVE: BODY_BYTES_MAX, SHELVES: BODY_BYTES_MAX,
    "/recommendations": QUESTION_BYTES_MAX, "/action-recommendations": QUESTION_BYTES_MAX,
    "/events": EVENTS_BYTES_MAX, "/v1/events": EVENTS_BYTES_MAX,
}  # fmt: skip


def test_the_sizes_are_as_documented() -> None:
    """16 MiB where candidates are sent, less where they are not; every operation with a body has its size."""
    assert (BODY_BYTES_MAX, QUESTION_BYTES_MAX, EVENTS_BYTES_MAX) == (16 * 2**20, 4 * 2**20, 256 * 2**10)
    assert set(SIZES) == set(BODIES)


@pytest.mark.parametrize(("path", "size"), SIZES.items())
async def test_the_size_of_a_body(connect: Connect, path: str, size: int) -> None:
    """A body of just its size is read; one that is longer by its own word is refused before a byte of it has come."""
    ranker, sink = ListingRanker(), ListSink()
    client = await connect(ranker=ranker, sink=sink)
    reply = await exchange(client, head(path, "Content-Type: application/json", length=size + 1))
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert str(size).encode() in reply.body
    assert (reply.headers.get("x-amzn-errortype") == "requestentitytoolarge") == is_wire("post", path)
    assert (ranker.calls, ranker.asked, sink.events) == ([], [], [])
    body = filled(path, size)
    assert len(body) == size
    assert (await exchange(client, head(path, "Content-Type: application/json", length=size) + body)).status == 200


HEADS = {
    "target": (b"GET /livez?%b HTTP/1.1\r\nHost: g\r\n\r\n", b"x", 8_190 - len("/livez?")),
    "value of a header": (b"GET /livez HTTP/1.1\r\nHost: g\r\nX-A: %b\r\n\r\n", b"x", 8_190),
    "number of headers": (b"GET /livez HTTP/1.1\r\nHost: g\r\n%b\r\n", b"X-A: b\r\n", 127),
}


@pytest.mark.parametrize("name", HEADS)
async def test_the_size_of_a_head(client: Client, name: str) -> None:
    """Target, headers and their number have limits, beyond which a request is refused as one that cannot be parsed."""
    form, unit, most = HEADS[name]
    assert (await exchange(client, form % (unit * most))).status == 200
    reply = await exchange(client, form % (unit * (most + 1)))
    assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
    assert b"xxx" not in reply.whole


def test_the_ranker_knows_what_is_asked() -> None:
    """The control: the requests above name items that are known, so that an answer is one."""
    assert {"p1", "p2"} <= LOGITS.keys()

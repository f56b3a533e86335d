"""Limits of what is no member: parameters and users in the target, the size of a body, the size of a head.

As with members, what is just inside is answered, and what is just outside is refused and costs no call.
"""

import orjson
import pytest
from yarl import URL

from gateway.web.events_api import EVENTS_BYTES_MAX
from gateway.web.members import BODY_BYTES_MAX
from gateway.web.recommend_api import QUESTION_BYTES_MAX
from tests.support.gateway_parts import ListSink
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import Connect
from tests.web.limits import FAR
from tests.web.operations import BODIES, filled, is_wire
from tests.web.parts import NATIVE, SHELVES, Client, ask, exchange, head, native

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


NO_DIGITS = ["1.0", "1e1", "%2B5", "+5", "%205", "5%20", "05", "-0", "null", "true", "0x5", "1_0", "%D9%A3", ""]
"""What Python, the decoder or a browser may take for an integer, and the description does not."""


@pytest.mark.parametrize("name", ["limit", "offset", "deadlineMs"])
async def test_a_parameter_is_written_in_decimal_digits(client: Client, name: str) -> None:
    """Anything but decimal digits is refused, by the parameter's name and the rule; digits (the control) are taken."""
    path = f"/v1/rankings/{(await ask(client, NATIVE, native(pin=True)))['rankingId']}?{name}="
    for text in NO_DIGITS:
        response = await client.get(URL(path + text, encoded=True))
        told = await response.json(content_type=None)
        fault = {"pointer": f"#/{name}", "detail": "Expected `int` in decimal digits"}
        assert (response.status, told["errors"]) == (422, [fault]), text
    for text in ("1", "10"):
        assert (await client.get(path + text)).status == 200


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

"""Every operation with a request that it answers, for tests that go through all of them."""

from copy import deepcopy
from typing import Any

import orjson

from gateway.web.auth import OPEN_ROUTES
from gateway.web.openapi_operations import OPERATIONS, WIRE
from tests.support.canaries import USER
from tests.web.parts import items, native, wire

LISTING = {"campaignArn": "demo", "userId": USER}
EVENTS = {
    "trackingId": "t",
    "sessionId": "s",
    "userId": USER,
    "eventList": [{"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p1", "impression": ["p2"]}],
}
SHELVES = {"campaign": "demo", "userId": USER, "shelves": {"a": items(3)}}

BODIES: dict[str, dict[str, Any]] = {
    "/personalize-ranking": wire(),
    "/recommendations": LISTING,
    "/action-recommendations": LISTING,
    "/events": EVENTS,
    "/v1/rerank": native(),
    "/v1/rerank/shelves": SHELVES,
    "/v1/events": EVENTS,
}
"""Of every POST, the members of a body that is answered."""

LISTS_OF_IDS = {"/personalize-ranking", "/v1/rerank", "/v1/rerank/shelves"}
"""Operations whose bodies may be long, if they hold ids."""

PUTS: dict[str, dict[str, Any]] = {"/v1/log-level": {"level": "info"}}
"""The same of every PUT."""

IN_PATHS = {"{rankingId}": "rk_AAAAAAAAAAAAAAAA", "{userId}": USER, "{file}": "nothing", "{build}": "none"}

NOT_FOUND = {("get", "/v1/rankings/{rankingId}"), ("get", "/docs/{file}"), ("get", "/console/{build}/{file}")}
"""What is named above is not there."""

ASKING = [one for one in OPERATIONS if one[1] not in OPEN_ROUTES]
"""The operations that ask who calls, where `auth` is set."""


def body_of(path: str, method: str = "post") -> Any:
    """The members that an operation answers, to be changed at will; None if it takes none."""
    return deepcopy({"post": BODIES, "put": PUTS}.get(method, {}).get(path))


def filled(path: str, size: int) -> bytes:
    """A body of so many bytes that a POST answers: one id over and over where it takes ids, white space elsewhere."""
    whole = orjson.dumps(body_of(path))
    begin = whole.find(b"[") + 1
    if path not in LISTS_OF_IDS:
        return whole.ljust(size)
    room = size - len(whole)
    listed = b'"%b",' % (b"x" * 256)
    more = listed * ((room - 4) // len(listed))
    return whole[:begin] + more + b'"%b",' % (b"y" * (room - len(more) - 3)) + whole[begin:]


def is_wire(method: str, path: str) -> bool:
    """Whether an operation is one of the service's."""
    return OPERATIONS[method, path].tag == WIRE


def target_of(path: str) -> str:
    """The path with something in its places."""
    for place, value in IN_PATHS.items():
        path = path.replace(place, value)
    return path

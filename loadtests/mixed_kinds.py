"""What the callers of `mixed` ask for: kinds of requests, how often each comes, and the status that it deserves."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import orjson

ITEMS: Final = [f"p{number:05}" for number in range(1, 10_001)]
"""Those of the emulator's built-in store."""

WARM_USERS: Final = 200
PAGE: Final = 48
DEADLINE_MS: Final = 30_000

LARGEST: Final = "cold 10,000"
"""The kind of which one takes the most memory while it is under way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as bytes, and what it deserves."""

    kind: str
    status: int
    bytes: bytes


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _post(path: str, **members: Any) -> bytes:
    return _request("POST", path, orjson.dumps(members))


def _rank(user: str, items: list[str], **members: Any) -> bytes:
    return _post("/v1/rerank", campaign="demo", userId=user, inputList=items, deadlineMs=DEADLINE_MS, **members)


class Shopper:
    """Makes one caller's requests, out of a seed."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.pinned = ""
        self._seed = seed
        self._strangers = 0

    def next(self) -> Asked:
        """The next one."""
        return self.made(self.random.choices(NAMES, WEIGHTS)[0])

    def made(self, kind: str) -> Asked:
        """One of a kind."""
        _, status, made = KINDS[kind]
        return Asked(kind, status, made(self))

    def answered(self, asked: Asked, body: bytes) -> None:
        """The answer came: of a pinned ranking the name is kept."""
        if asked.kind == "pin":
            self.pinned = orjson.loads(body)["rankingId"]

    def user(self) -> str:
        """Somebody who comes often."""
        return f"user-{self.random.randrange(WARM_USERS)}"

    def stranger(self) -> str:
        """Somebody who was never here."""
        self._strangers += 1
        return f"stranger-{self._seed}-{self._strangers}"

    def some(self, count: int) -> list[str]:
        """Items in a row."""
        first = self.random.randrange(len(ITEMS) - count + 1)
        return ITEMS[first : first + count]


def _shelves(of: Shopper) -> bytes:
    shelves = {f"shelf-{number}": ITEMS[20 * number : 20 * number + 40] for number in range(4)}
    return _post("/v1/rerank/shelves", campaign="demo", userId=of.user(), shelves=shelves, limit=12)


def _wire(of: Shopper) -> bytes:
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
    return _post("/personalize-ranking", campaignArn=arn, userId=of.user(), inputList=ITEMS[:100])


def _event(of: Shopper) -> bytes:
    event = {"eventType": "click", "itemId": ITEMS[0], "sentAt": 1_800_000_000}
    return _post("/v1/events", trackingId="demo", userId=of.user(), sessionId="session", eventList=[event])


def _pinned_page(of: Shopper) -> bytes:
    offset = PAGE * of.random.randrange(10)
    if not of.pinned:
        return _rank(of.user(), ITEMS[:100])
    return _request("GET", f"/v1/rankings/{of.pinned}?limit={PAGE}&offset={offset}")


KINDS: Final[dict[str, tuple[float, int, Callable[[Shopper], bytes]]]] = {
    "warm": (640, 200, lambda of: _rank(of.user(), ITEMS[:100])),
    "wire": (50, 200, _wire),
    "page": (60, 200, lambda of: _rank("reader", ITEMS[:1_000], limit=PAGE, offset=PAGE * of.random.randrange(10))),
    "shelves": (40, 200, _shelves),
    "cold 100": (60, 200, lambda of: _rank(of.stranger(), of.some(100))),
    "cold 1,000": (5, 200, lambda of: _rank(of.stranger(), of.some(1_000))),
    LARGEST: (0.3, 200, lambda of: _rank(of.stranger(), ITEMS)),
    "pin": (6, 200, lambda of: _rank(of.user(), ITEMS[:500], limit=PAGE, pin=True)),
    "pinned page": (20, 200, _pinned_page),
    "recommendations": (20, 200, lambda of: _post("/recommendations", campaignArn="recommendations", userId=of.user())),
    "related": (5, 200, lambda of: _post("/recommendations", campaignArn="related", itemId=of.some(1)[0])),
    "actions": (5, 200, lambda of: _post("/action-recommendations", campaignArn="actions", userId=of.stranger())),
    "event": (10, 200, _event),
    "forget": (5, 200, lambda of: _request("DELETE", f"/v1/users/{of.user()}/frames")),
    "console": (2, 200, lambda _: _request("GET", "/console/live")),
    "metrics": (1, 200, lambda _: _request("GET", "/metrics")),
    "campaigns": (3, 200, lambda _: _request("GET", "/v1/campaigns")),
    "no JSON": (10, 400, lambda _: _request("POST", "/v1/rerank", b'{"campaign": ')),
    "a wrong member": (10, 422, lambda of: _rank(of.user(), ITEMS[:10], limit=-1)),
    "an unknown campaign": (10, 404, lambda of: _post("/v1/rerank", campaign="x", userId=of.user(), inputList=["a"])),
    "an unknown ranking": (5, 404, lambda _: _request("GET", "/v1/rankings/no-such-ranking")),
    "an unknown path": (5, 404, lambda _: _request("GET", "/v1/nothing")),
    "a wrong method": (5, 405, lambda _: _request("GET", "/v1/rerank")),
}
"""By name: how often it comes, among 1,000; the status; how it is made."""

NAMES: Final = tuple(KINDS)
WEIGHTS: Final = tuple(weight for weight, _, _ in KINDS.values())

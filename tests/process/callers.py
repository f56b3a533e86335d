"""Callers that keep a gateway busy, over real sockets, and know what became of every request.

Each has one connection at a time and one request under way. A well-behaved caller reads `Connection: close` and makes a
new connection for its next request; a careless one sends on. What can become of a request:

    answered   200, and the ranking is one of what was asked, whole
    refused    nobody listened: it was never sent, and the caller knows
    lost       it was sent, and no whole answer came: the caller cannot know what became of it
    wrong      any other answer
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import orjson

CANDIDATES = 100
USERS = 8
"""Few, so that most rankings come from the cache, and load means many requests."""


def ask(user: str) -> bytes:
    """A request for a ranking."""
    items = [f"p{number:05}" for number in range(1, CANDIDATES + 1)]
    body = orjson.dumps({"campaign": "demo", "userId": user, "inputList": items, "deadlineMs": 20_000})
    head = "POST /v1/rerank HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


REQUESTS = [ask(f"user-{number}") for number in range(USERS)]


@dataclass
class Told:
    """What became of all requests."""

    outcomes: Counter[str] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    closes: int = 0
    """Answers that said `Connection: close`."""

    def __repr__(self) -> str:
        return f"<Told {dict(self.outcomes)} closes={self.closes}>"


class Caller:
    """One caller; `careful` says whether it honours `Connection: close`."""

    def __init__(self, port: int, told: Told, *, careful: bool = True) -> None:
        self._port = port
        self._told = told
        self._careful = careful
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(self, request: bytes) -> str:
        """Send one request; what became of it."""
        began_s = time.perf_counter()
        outcome = await self._outcome(request)
        self._told.outcomes[outcome] += 1
        if outcome == "answered":
            self._told.took_s.append(time.perf_counter() - began_s)
        return outcome

    def leave(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _outcome(self, request: bytes) -> str:
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            return "refused" if isinstance(error, ConnectionRefusedError) else "lost"
        try:
            self._writer.write(request)
            head, body = await self._answer()
        except (OSError, asyncio.IncompleteReadError):
            self.leave()
            return "lost"
        if b"\r\nconnection: close" in head.lower():
            self._told.closes += 1
            if self._careful:
                self.leave()
        return "answered" if head.startswith(b"HTTP/1.1 200 ") and _whole(body) else "wrong"

    async def _answer(self) -> tuple[bytes, bytes]:
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await self._reader.readexactly(int(length.partition(b":")[2]))


def _whole(body: bytes) -> bool:
    answer = orjson.loads(body)
    return len({one["itemId"] for one in answer["personalizedRanking"]}) == CANDIDATES and answer["degraded"] is None


async def busy(caller: Caller, ends: asyncio.Event) -> None:
    """Ask again and again until `ends`, or until nobody listens any more."""
    for number in count():
        if ends.is_set() or await caller.call(REQUESTS[number % USERS]) == "refused":
            break
    caller.leave()

"""HTTP/1.1 on a bare `asyncio.Protocol`, parsed by httptools: as little work for a request as Python can do.

One request of a connection is answered at a time; what is pipelined waits. Headers of requests are not looked at.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import httptools

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closing drops what is unsent and sends RST."""

PIPELINED_MAX: Final = 100
"""Requests that wait on one connection; nobody we test pipelines."""


class Handler(Protocol):
    """Who answers."""

    def opened(self, connection: "Connection") -> None:
        """A connection was made."""

    def requested(self, connection: "Connection", target: str, body: bytes) -> None:
        """A request has come; `connection.done` or `connection.close` ends it."""

    def lost(self, connection: "Connection") -> None:
        """A connection is gone; `connection.busy` tells whether in the middle of a request."""


class Connection(asyncio.Protocol):
    """One connection; also the `plays.Line` of the request under way."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body: list[bytes] = []
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._pouring: Iterator[bytes] | None = None
        self.transport: asyncio.Transport | None = None
        self.busy = False
        self.requests = 0
        self.ends: Callable[[], None] | None = None
        """What to do when the request under way is over, well or not."""

    def __repr__(self) -> str:
        return f"<Connection busy={self.busy} requests={self.requests}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._handler.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._quiet()
        self._handler.lost(self)
        self.transport = None

    # What the parser says.

    def on_message_begin(self) -> None:
        self._target, self._body = b"", []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if len(self._waiting) >= PIPELINED_MAX:
            self.reset()
        self._waiting.append((self._target.decode("latin-1"), b"".join(self._body)))
        self._next()

    def _next(self) -> None:
        if self._waiting and not self.busy and self.transport is not None:
            self.busy = True
            self.requests += 1
            self._handler.requested(self, *self._waiting.popleft())

    # What a play may do.

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def done(self) -> None:
        self._over()
        self._next()

    def close(self) -> None:
        self._over()
        self._waiting.clear()
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        self._over()
        self._waiting.clear()
        if self.transport is not None:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = self._loop.call_later(seconds, then)

    def pour(self, pieces: Iterator[bytes]) -> None:
        self._pouring = pieces
        self._pour()

    def pause_writing(self) -> None:
        if self._pouring is not None and self._timer is not None:
            self._timer.cancel()

    def resume_writing(self) -> None:
        if self._pouring is not None:
            self._pour()

    def _pour(self) -> None:
        """One piece a turn, so that the transport can ask for a pause."""
        assert self._pouring is not None
        if (piece := next(self._pouring, None)) is None:
            self.done()
            return
        self._timer = self._loop.call_soon(self._pour)
        self.write(piece)

    def _over(self) -> None:
        self._quiet()
        self.busy = False
        if self.ends is not None:
            ends, self.ends = self.ends, None
            ends()

    def _quiet(self) -> None:
        """Nothing more is to happen by itself."""
        self._pouring = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

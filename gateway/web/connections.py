"""What a connection may take of the gateway: how many there are, and how long a head and an unread answer may last.

aiohttp's only limit on a request head is the one on idle connections, it has none on a caller that does not read its
answer, and none on the number of connections. All three are a matter of the protocol, so its class is extended here;
the first head of a connection is `first_heads`', times of the body are `body`'s.

Thousands of connections may be due in one moment. They are ended a few at a time, with a pause for others: a request
that comes meanwhile meets a tenth of a millisecond of that work now and then, not all of it at once.
"""

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gateway.web.unparsable import last_words

SLICE_BYTES: Final = 32 * 1024
"""Parsed in one turn of the loop; one-byte chunks, the worst there is, cost a microsecond each."""

CULLED_AT_ONCE: Final = 4
"""Connections that are ended in one go, at 0.04 ms each."""

CULLED_AT_MOST: Final = 32
"""The same when many wait: a millisecond of work."""

CULL_EVERY_S: Final = 0.001
"""The pause between two goes."""

CULLED_WITHIN_S: Final = 0.25
"""Of those that wait, so many are ended that all would be gone after this time: half a second for thousands."""

BUSY: Final = last_words(503, "connections", "Too many connections", "Retry-After: 1")
SLOW_HEAD: Final = last_words(408, "slow-head", "The request's head did not arrive in time")


class Late(Protocol):
    """A connection whose head did not come in its time."""

    def end_if_late(self) -> bool:
        """End it, unless the head has come since; tells which."""


@dataclass(slots=True)
class Guard:
    """The limits of one listener, and what came of them: connections open now, refused, and culled for slowness.

    `head_timeout_s` counts from the first byte of a head (of the connection, for its first), `write_timeout_s` from the
    moment in which the caller stopped taking what was sent.
    """

    connections_max: int
    head_timeout_s: float
    write_timeout_s: float
    keep_alive_s: float
    open: int = 0
    refused: int = 0
    culled: int = 0
    _late: "deque[Late]" = field(default_factory=deque, repr=False)

    def admits(self) -> bool:
        """Count one more connection, as open or, if it would be one too many, as refused."""
        if self.open >= self.connections_max:
            self.refused += 1
            return False
        self.open += 1
        return True

    def cull(self, late: Late) -> None:
        """End a connection when its turn comes."""
        self._late.append(late)
        if len(self._late) == 1:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._cull_some, loop.time())

    def _cull_some(self, before_s: float) -> None:
        """End those whose turn it is, after a pause that may have been longer than it should."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        due = math.ceil(len(self._late) * (now_s - before_s) / CULLED_WITHIN_S)
        for _ in range(min(len(self._late), CULLED_AT_MOST, max(CULLED_AT_ONCE, due))):
            self.culled += self._late.popleft().end_if_late()
        if self._late:
            loop.call_later(CULL_EVERY_S, self._cull_some, now_s)


class GuardedHandler(RequestHandler):
    """aiohttp's protocol of one connection, under the limits of a guard, which counts it already."""

    __slots__ = ("_backlog", "_begun", "_guard", "_head_timer", "_late", "_taken", "_wire", "_write_timer")

    def __init__(self, guard: Guard, server: web.Server) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            server, loop=loop, keepalive_timeout=guard.keep_alive_s, access_log=cast("Any", None), auto_decompress=False
        )
        self._guard = guard
        self._begun = self._late = False
        self._backlog = b""
        self._taken = 0
        self._wire: asyncio.Transport | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    @property
    def receiving(self) -> bool:
        """Whether a request is still on its way: its body or its head."""
        if self._begun or self._messages:
            return True
        request = self._current_request
        return request is not None and not request.content.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._wire = cast("asyncio.Transport", transport)
        self._wire.set_write_buffer_limits(high=0)  # so that `pause_writing` tells of every byte that is not taken
        super().connection_made(transport)

    def begin(self, data: bytes, due_s: float) -> None:
        """Take the first bytes; if their head is not whole, the rest of it is due at a time of the loop."""
        self._begun = True
        self.data_received(data)
        if self._request_count == 0:
            self._head_timer = self._loop.call_at(due_s, self._cull)

    def data_received(self, data: bytes) -> None:
        """Take bytes, a slice in each turn of the loop: 250,000 of them can be 40,000 chunks to work through."""
        if not data or (not self._backlog and len(data) <= SLICE_BYTES):  # nothing: aiohttp wants what it held back
            self._take(data)
            return
        waits = bool(self._backlog)
        self._backlog = self._backlog + data if waits else data
        self._pause_transport_reading()
        if not waits:
            self._taken = 0
            self._take_slice()

    def _take_slice(self) -> None:
        """Take one slice of what waits; the connection is not read on meanwhile."""
        if self._wire is None:
            return
        begin, end = self._taken, self._taken + SLICE_BYTES
        some = self._backlog[begin:end]
        self._taken = end
        if end >= len(self._backlog):
            self._backlog = b""
        self._take(some)
        if self._backlog:
            self._pause_transport_reading()
            self._loop.call_soon(self._take_slice)
        elif not self._reading_paused and not self._buffer_paused:
            self._resume_transport_reading()

    def _take(self, data: bytes) -> None:
        """Take bytes; a head that begins has its time, one that is whole has had it."""
        heads = self._request_count
        super().data_received(data)
        if self._request_count > heads:
            self._begun = False
            self._end_head_timer()
        elif data and self._waiter is not None:
            self._begun = True
            if self._head_timer is None and not self._late and self._request_count:  # the first one's is `begin`'s
                self._head_timer = self._loop.call_later(self._guard.head_timeout_s, self._cull)

    def pause_writing(self) -> None:
        """Bytes are not taken: the caller has its time to do so."""
        super().pause_writing()
        self._write_timer = self._loop.call_later(self._guard.write_timeout_s, self._abort)

    def resume_writing(self) -> None:
        """All was taken."""
        super().resume_writing()
        self._end_write_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._end_head_timer()
        self._end_write_timer()
        self._wire = None
        self._backlog = b""
        self._guard.open -= 1
        super().connection_lost(exc)

    def _cull(self) -> None:
        """The head did not come in its time."""
        self._head_timer = None
        self._late = True
        self._guard.cull(self)

    def end_if_late(self) -> bool:
        """End a connection whose head has still not come, and say so; one that has sent nothing at all is not told."""
        if not self._late or self._wire is None or self._wire.is_closing():
            return False
        if self._begun:
            self._wire.write(SLOW_HEAD)
        self.force_close()
        return True

    def _abort(self) -> None:
        self._write_timer = None
        if self._wire is not None:
            self._guard.culled += 1
            self._wire.abort()

    def _end_head_timer(self) -> None:
        self._late = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

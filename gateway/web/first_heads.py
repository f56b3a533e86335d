"""The first head of a connection: held back until it is whole, so that one that never is costs next to nothing.

aiohttp makes a parser, a task, a future and two timers for every connection at once, whether a request comes or not:
half of what thousands of slow heads cost. So a connection begins under a protocol that only collects bytes. With the
head's last byte, aiohttp's takes its place and gets all of them in one piece. It gets them at once as well if they are
more than `HELD_BYTES`, or do not look like the beginning of a head: what to refuse, and how, only the parser decides.

All of them have the same time, so the oldest is always the first to be due, and one timer does for all.
"""

import asyncio
import re
from collections import OrderedDict
from typing import Final, cast

from aiohttp import web

from gateway.web.connections import BUSY, SLOW_HEAD, Guard, GuardedHandler

HELD_BYTES: Final = 4096
"""Held back of a head at most; heads of real callers, long tokens included, come in one piece or are smaller."""

BEGINNING: Final = re.compile(
    rb"(?:\r\n)?+"
    rb"(?:[A-Z]++ [!-~]++ HTTP/1\.[01]\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+\r\n)*+[^\r\n]*+\r?"
    rb"|(?:[A-Z][ -~]*+)?\r?)"
)
"""The beginning of a head, and no more than that: lines as they should be, the last one not ended."""


class FirstHeads:
    """The connections of one listener whose first head is not whole; called to make the protocol of a new one."""

    def __init__(self, guard: Guard, server: web.Server) -> None:
        self.guard, self.server = guard, server
        self._loop = asyncio.get_running_loop()
        self._waiting: OrderedDict[FirstHead, float] = OrderedDict()
        self._late: set[FirstHead] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> "FirstHead":
        """The protocol of a new connection."""
        return FirstHead(self)

    def __len__(self) -> int:
        """How many still have time."""
        return len(self._waiting)

    def end(self) -> None:
        """Wait for none of them any longer."""
        for one in (*self._waiting, *self._late):
            one.end()

    def enter(self, one: "FirstHead") -> float:
        """Wait for one more; tells until when, as a time of the loop."""
        due_s = self._waiting[one] = self._loop.time() + self.guard.head_timeout_s
        if self._timer is None:
            self._timer = self._loop.call_at(due_s, self._cull)
        return due_s

    def leave(self, one: "FirstHead") -> None:
        """Wait for it no longer."""
        self._waiting.pop(one, None)
        self._late.discard(one)
        if self._timer is not None and not self._waiting:
            self._timer.cancel()
            self._timer = None

    def _cull(self) -> None:
        """Those whose time is up are late."""
        self._timer = None
        while self._waiting:
            oldest, due_s = next(iter(self._waiting.items()))
            if due_s > self._loop.time():
                self._timer = self._loop.call_at(due_s, self._cull)
                return
            del self._waiting[oldest]
            self._late.add(oldest)
            self.guard.cull(oldest)


class FirstHead(asyncio.Protocol):
    """A connection before its first request."""

    __slots__ = ("_all", "_due_s", "_held", "_over", "_wire")

    def __init__(self, everyone: FirstHeads) -> None:
        self._all = everyone
        self._held = b""
        self._over = False
        self._due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away."""
        self._wire = cast("asyncio.Transport", transport)
        if self._all.guard.admits():
            self._due_s = self._all.enter(self)
            return
        self._over = True
        self._wire.write(BUSY)
        self._wire.close()

    def data_received(self, data: bytes) -> None:
        """Hold bytes back as long as they are the beginning of a head."""
        if self._over:
            return
        self._held = held = self._held + data if self._held else data
        if b"\r\n\r\n" in data or len(held) > HELD_BYTES or not BEGINNING.fullmatch(held):
            self._pass_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Forget the connection."""
        if self._due_s:  # it was let in
            self._all.leave(self)
            self._all.guard.open -= 1

    def end(self) -> None:
        """Close the connection."""
        self._over = True
        self._wire.close()

    def end_if_late(self) -> bool:
        """End a connection whose head has still not come, and say so; one that has sent nothing at all is not told."""
        if self._over or self._wire.is_closing():
            return False
        if self._held:
            self._wire.write(SLOW_HEAD)
        self.end()
        return True

    def _pass_on(self) -> None:
        """Let aiohttp's protocol take the connection, its place among the others, and what came."""
        self._over = True
        self._all.leave(self)
        handler = GuardedHandler(self._all.guard, self._all.server)
        self._wire.set_protocol(handler)
        handler.connection_made(self._wire)
        handler.begin(self._held, self._due_s)

"""Kept connections to one origin, and the calls over them.

The last one given back is the first one taken, so that those that are not needed grow old and are closed. A call that
was sent over a *used* connection which then ends without a byte of an answer met the server's idle close: it is sent
once more, free of any budget, over a new connection. A new connection that does the same is a failure. Where that
happens often, something closes connections that are in use, and every such call reaches it twice: then connections are
not used again for a while.
"""

import asyncio
import ssl
from collections import deque
from typing import Final, NamedTuple

import aiohappyeyeballs

from gateway.adapters.aws_session import TransportStats
from gateway.adapters.http1 import READ_BYTES, ClosedEarly, Connection, HttpAnswer, HttpFailure
from gateway.adapters.resolver import Resolver

CONNECT_TIMEOUT_S: Final = 2.0
"""A connection that is not there by then, with address, TCP and TLS, will not be in time for any ranking."""

IDLE_MAX_S: Final = 12.0
"""The SDK's own choice, below the idle time after which AWS endpoints close."""

AGE_MAX_S: Final = 300.0
"""No connection is used for longer, so that a change of addresses is followed."""

ANSWER_MAX_S: Final = 60.0
"""Longer than any deadline (30 s): only the deadline ends a call, this what nobody waits for properly."""

STALE_MAX: Final = 3
"""So many stale connections within `DOUBT_S` are no chance."""

DOUBT_S: Final = 10.0
"""How long connections are then used once only."""

SWEEP_S: Final = 1.0
"""How often connections are looked through."""

NEXT_ADDRESS_S: Final = 0.25
"""RFC 8305: how long one address is tried alone."""


class CannotConnect(HttpFailure):
    """There is no connection: refused, no route, no address, or not in time."""


class NotTrusted(HttpFailure):
    """TLS failed: the server could not show that it is who we call."""


class Origin(NamedTuple):
    """Where connections go. `tls` is None for plain HTTP."""

    host: str
    port: int
    tls: ssl.SSLContext | None


class Pool:
    """Connections to one origin, at most `connections_max`. Whoever has to wait does so in order."""

    def __init__(
        self, origin: Origin, resolver: Resolver, stats: TransportStats, *, connections_max: int, answer_bytes_max: int
    ) -> None:
        self._origin = origin
        self._resolver = resolver
        self._stats = stats
        self._answer_bytes_max = answer_bytes_max
        self._read = memoryview(bytearray(READ_BYTES))
        self._connections_max = connections_max
        self._permits = asyncio.Semaphore(connections_max)
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._loop = asyncio.get_running_loop()
        self._sweeping: asyncio.TimerHandle | None = None
        self._stale_s: deque[float] = deque(maxlen=STALE_MAX)
        self._closed = False

    def __repr__(self) -> str:
        return f"<Pool idle={len(self._idle)} busy={len(self._busy)} max={self._connections_max}>"

    async def request(self, request: bytes) -> HttpAnswer:
        """The answer to the bytes of a request. Raises `HttpFailure`; nothing is left behind when it is cancelled."""
        async with self._permits:
            connection = self._take()
            if connection is None:
                return await self._exchanged(await self._connected(), request)
            try:
                self._stats.reused += 1
                return await self._exchanged(connection, request)
            except ClosedEarly:
                self._stats.stale_retries += 1
                self._stale_s.append(self._loop.time())
                self._drop_idle()  # they ended together, or are about to: a server that restarts closes them all
            return await self._exchanged(await self._connected(), request)

    def close(self) -> None:
        """Close all connections; calls under way fail."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in (*self._idle, *self._busy):
            self._drop(connection)

    async def _exchanged(self, connection: Connection, request: bytes) -> HttpAnswer:
        connection.used_s = self._loop.time()
        self._busy.add(connection)
        self._stats.in_use += 1
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)
        try:
            return await connection.exchange(request)
        finally:
            self._busy.discard(connection)
            self._stats.in_use -= 1
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        now_s = connection.used_s = self._loop.time()
        if connection.usable and not self._closed and now_s - connection.opened_s < AGE_MAX_S:
            self._idle.append(connection)
            self._stats.idle += 1
        else:
            self._drop(connection)

    def _take(self) -> Connection | None:
        """The connection that was used last, if there is one that may be used."""
        now_s = self._loop.time()
        doubtful = self._reuse_is_doubtful(now_s)
        while self._idle:
            connection = self._idle.pop()
            self._stats.idle -= 1
            if not doubtful and not _is_old(connection, now_s) and connection.is_quiet():
                return connection
            self._drop(connection)
        return None

    def _drop_idle(self) -> None:
        self._stats.idle -= len(self._idle)
        while self._idle:
            self._drop(self._idle.pop())

    def _reuse_is_doubtful(self, now_s: float) -> bool:
        return len(self._stale_s) == STALE_MAX and now_s - self._stale_s[0] < DOUBT_S

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._stats.closed += 1
        self._stats.stray_bytes += connection.stray_bytes

    def _sweep(self) -> None:
        """Close what is idle for too long, or gone; and what has been waiting longer than any caller does."""
        now_s = self._loop.time()
        kept = [one for one in self._idle if one.usable and not _is_old(one, now_s)]
        for connection in set(self._idle).difference(kept):
            self._drop(connection)
        self._stats.idle -= len(self._idle) - len(kept)
        self._idle = kept
        for connection in self._busy:
            if now_s - connection.used_s > ANSWER_MAX_S:
                connection.close()
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep) if self._idle or self._busy else None

    async def _connected(self) -> Connection:
        """A new connection. Raises `CannotConnect` or `NotTrusted`."""
        if self._is_closed():
            raise CannotConnect("the pool is closed")
        if len(self._idle) + len(self._busy) >= self._connections_max and self._idle:
            self._stats.idle -= 1
            self._drop(self._idle.pop(0))
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                connection = await self._open()
        except ssl.SSLEOFError as error:  # hung up amid the handshake: no proof of anything
            self._stats.connect_failures += 1
            raise CannotConnect("the connection ended in the TLS handshake") from error
        except ssl.SSLError as error:
            self._stats.connect_failures += 1
            raise NotTrusted("the TLS handshake failed") from error
        except (OSError, RuntimeError) as error:  # a TimeoutError is an OSError; uvloop raises RuntimeErrors
            self._stats.connect_failures += 1
            raise CannotConnect("no connection") from error
        self._stats.opened += 1
        if self._is_closed():  # meanwhile
            self._drop(connection)
            raise CannotConnect("the pool is closed")
        return connection

    def _is_closed(self) -> bool:
        return self._closed

    async def _open(self) -> Connection:
        host, port, tls = self._origin
        addresses = await self._resolver.addresses(host, port)
        socket = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_S)
        try:
            _, connection = await self._loop.create_connection(
                lambda: Connection(self._answer_bytes_max, self._loop.time(), self._read),
                sock=socket,
                ssl=tls,
                server_hostname=host if tls else None,
            )
        except BaseException:
            socket.close()
            raise
        return connection


def _is_old(connection: Connection, now_s: float) -> bool:
    return now_s - connection.used_s >= IDLE_MAX_S or now_s - connection.opened_s >= AGE_MAX_S

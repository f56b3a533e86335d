"""Where connections come in: a TCP port, with TLS or without, or a Unix socket; each under a guard.

A Unix socket is for one pod: its file is for owner and group (0660), takes the place of one that a dead process left,
and goes with the listener.

At the end no request is lost that a caller could send in good faith. The system takes connections for a listener that
the loop has not seen yet; closing the listener would reset them (measured: 3 to 20 requests of a busy gateway). So they
are taken first (`last_connections`), and what is still being sent then has `LAST_CALL_S` to arrive before idle
connections are closed.
"""

import asyncio
import os
import socket
import ssl
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from aiohttp import web

from gateway.web.connections import Guard, GuardedHandler
from gateway.web.first_heads import FirstHeads
from gateway.web.last_connections import last_connections

BACKLOG: Final = 1024
"""Connections that the system may hold while the loop is busy: a burst, not a queue."""

PROBE_S: Final = 1.0
"""How long a listener on the same path may take to show itself."""

LAST_CALL_S: Final = 1.0
"""For requests that are on their way when the listener closes: many round trips, and less than a pod's patience."""

LOOK_S: Final = 0.005
"""Between two looks whether they have come."""

SOCKET_UMASK: Final = 0o117
"""Leaves read and write to owner and group."""


class GuardedSite(web.BaseSite):
    """A listener of an `AppRunner`, on a TCP address or at the path of a Unix socket. `start` raises `OSError`."""

    __slots__ = ("_address", "_first_heads", "_guard", "_inode")

    def __init__(
        self, runner: web.AppRunner, guard: Guard, address: tuple[str, int] | Path, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._address = address
        self._guard = guard
        self._inode: int | None = None
        self._first_heads: FirstHeads | None = None

    @property
    def wanted(self) -> str:
        """Where it is to listen, for people."""
        return str(self._address) if isinstance(self._address, Path) else "{}:{}".format(*self._address)

    @property
    def name(self) -> str:
        """Its address as a URL; of a TCP port that was free to choose, the one that was chosen."""
        if isinstance(self._address, Path):
            return f"unix:{self._address}"
        host, port = self._address
        if self._server is not None:
            port = cast("asyncio.Server", self._server).sockets[0].getsockname()[1]
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Listen."""
        await super().start()
        loop = asyncio.get_running_loop()
        assert self._runner.server is not None  # noqa: S101 - `BaseSite` has looked
        self._first_heads = protocol = FirstHeads(self._guard, self._runner.server)
        if isinstance(self._address, Path):
            bound = _bound(self._address)
            self._inode = self._address.stat().st_ino
            self._server = await loop.create_unix_server(protocol, sock=bound, backlog=self._backlog)
            return
        handshake_s = self._guard.head_timeout_s if self._ssl_context else None
        self._server = await loop.create_server(
            protocol, *self._address, ssl=self._ssl_context, backlog=self._backlog, ssl_handshake_timeout=handshake_s
        )

    async def stop(self) -> None:
        """Listen no more, and hear out who was connected before."""
        if isinstance(self._address, Path) and _inode(self._address) == self._inode is not None:
            self._address.unlink(missing_ok=True)
        listeners = [socket.socket(fileno=os.dup(one.fileno())) for one in self._sockets()]
        await super().stop()
        await asyncio.sleep(0)  # the loop lets go of its own listeners; the system's queue lives on in these
        await self._hear_out(await last_connections(listeners))

    async def _served(self, protocol: FirstHeads, connection: socket.socket) -> None:
        """Hand a connection to the loop as if it had taken it itself."""
        loop, handshake_s = asyncio.get_running_loop(), self._guard.head_timeout_s if self._ssl_context else None
        with suppress(OSError):  # it is gone already, or does not speak TLS
            await loop.connect_accepted_socket(
                protocol, connection, ssl=self._ssl_context, ssl_handshake_timeout=handshake_s
            )

    def _sockets(self) -> list[socket.socket]:
        return [] if self._server is None else list(cast("asyncio.Server", self._server).sockets)

    async def _hear_out(self, last: list[socket.socket]) -> None:
        """Serve connections that the system had taken, and wait for requests that are on their way, for a while."""
        server, first_heads = self._runner.server, self._first_heads
        if server is None or first_heads is None:  # it never listened
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_CALL_S), asyncio.TaskGroup() as group:
                for connection in last:
                    group.create_task(self._served(first_heads, connection))
        for _ in range(round(LAST_CALL_S / LOOK_S)):
            if not first_heads and not any(cast("GuardedHandler", one).receiving for one in server.connections):
                break
            await asyncio.sleep(LOOK_S)
        first_heads.end()


def _bound(path: Path) -> socket.socket:
    """A Unix socket bound to the path. Raises `OSError` where somebody listens there, or something else stands."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(PROBE_S)
            try:
                probe.connect(os.fspath(path))
            except TimeoutError:
                pass  # somebody is, and busy: binding will say so
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)  # nobody is behind it any more
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(SOCKET_UMASK)
    try:
        bound.bind(os.fspath(path))
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(umask)
    return bound


def _inode(path: Path) -> int | None:
    try:
        of = path.lstat()
    except OSError:
        return None
    return of.st_ino if stat.S_ISSOCK(of.st_mode) else None

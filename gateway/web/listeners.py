"""Where connections come in: a TCP port, with TLS or without, or a Unix socket; each under a guard.

A Unix socket is for one pod: its file is for owner and group (0660), takes the place of one that a dead process left,
and goes with the listener.
"""

import asyncio
import os
import socket
import ssl
import stat
from functools import partial
from pathlib import Path
from typing import Final, cast

from aiohttp import web

from gateway.web.connections import Guard

BACKLOG: Final = 1024
"""Connections that the system may hold while the loop is busy: a burst, not a queue."""

PROBE_S: Final = 1.0
"""How long a listener on the same path may take to show itself."""

SOCKET_UMASK: Final = 0o117
"""Leaves read and write to owner and group."""


class GuardedSite(web.BaseSite):
    """A listener of an `AppRunner`, on a TCP address or at the path of a Unix socket. `start` raises `OSError`."""

    __slots__ = ("_address", "_guard", "_inode")

    def __init__(
        self, runner: web.AppRunner, guard: Guard, address: tuple[str, int] | Path, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._address = address
        self._guard = guard
        self._inode: int | None = None

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
        protocol = partial(self._guard.protocol, self._runner.server)
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
        """Listen no more."""
        await super().stop()
        if isinstance(self._address, Path) and _inode(self._address) == self._inode is not None:
            self._address.unlink(missing_ok=True)


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

"""Addresses of hosts: looked up in threads of their own, kept for a while, and kept on when a lookup fails.

A lookup cannot be cancelled, only left: eight that hung in asyncio's own threads blocked everything else there for five
seconds. So each host is looked up once at a time, in a pool that does nothing else, and a host that was found before
is never waited for long: its last addresses are better than none.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

Address: TypeAlias = tuple[int, int, int, str, Any]
"""Family, type, protocol, canonical name, socket address: as `getaddrinfo` gives it."""

TTL_S: Final = 30.0
"""Below the TTL of AWS endpoints (60 s), of which the system's resolver may have used up a part."""

PATIENCE_S: Final = 0.5
"""How long a new lookup is waited for where old addresses are known."""

AGAIN_S: Final = 5.0
"""How long old addresses are then used before a lookup is waited for again."""

LOOKUPS_MAX: Final = 16
"""Threads: one for each region that hangs at once, and some to spare. They are made when they are needed."""

HOSTS_MAX: Final = 1_000
"""Hosts remembered; there are fewer endpoints."""

Lookup: TypeAlias = Callable[[str, int], list[Address]]


def look_up(host: str, port: int) -> list[Address]:
    """Ask the system; blocks."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]


class Resolver:
    """Finds addresses; `close` it at the end."""

    def __init__(self, lookup: Lookup = look_up) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="resolver")
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._under_way: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}
        self.lookups = 0
        self.old_used = 0

    def __repr__(self) -> str:
        return (
            f"<Resolver known={len(self._known)} under_way={len(self._under_way)} lookups={self.lookups} "
            f"old_used={self.old_used}>"
        )

    async def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, at least one. Raises `OSError`; a caller who has waited enough may be cancelled."""
        if (literal := _literal(host, port)) is not None:
            return [literal]
        now_s = asyncio.get_running_loop().time()
        until_s, known = self._known.get((host, port), (0.0, []))
        if known and now_s < until_s:
            return known
        looking = self._look(host, port)
        if not known:
            return await asyncio.shield(looking)
        await asyncio.wait([looking], timeout=PATIENCE_S)
        if looking.done() and not looking.cancelled() and looking.exception() is None:
            return looking.result()
        self.old_used += 1
        self._known[host, port] = (asyncio.get_running_loop().time() + AGAIN_S, known)
        return known

    def close(self) -> None:
        """Leave what is under way to itself."""
        for looking in self._under_way.values():
            looking.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look(self, host: str, port: int) -> "asyncio.Future[list[Address]]":
        """The lookup that is under way, else a new one."""
        key = (host, port)
        if (looking := self._under_way.get(key)) is None:
            loop = asyncio.get_running_loop()
            self.lookups += 1
            looking = self._under_way[key] = loop.run_in_executor(self._threads, self._lookup, host, port)

            def done(found: "asyncio.Future[list[Address]]") -> None:
                self._under_way.pop(key, None)
                if not found.cancelled() and found.exception() is None and found.result():
                    if len(self._known) >= HOSTS_MAX:
                        self._known.clear()
                    self._known[key] = (loop.time() + TTL_S, found.result())

            looking.add_done_callback(done)
        return looking


def _literal(host: str, port: int) -> Address | None:
    """The address that a host is by itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))

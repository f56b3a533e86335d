"""The proxy: every connection is dialled on to the target, and two pumps carry its bytes through the toxics.

The steps may be replaced at any time; a byte meets those that are active when it is read.
"""

import asyncio
import socket
import struct
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.support.chaos_proxy.schedule import Side, Step, active
from tests.support.chaos_proxy.toxics import TOXICS, Cut

READ_BYTES: Final = 65_536

EVENTS_MAX: Final = 10_000
"""Kept of what was done; the oldest go first."""

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: closing drops what is unsent and sends RST."""


@dataclass(slots=True)
class Stats:
    """What the proxy did. `events` are (seconds since the start, number of the connection, toxic)."""

    connections: int = 0
    open: int = 0
    refused: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    done: Counter[str] = field(default_factory=Counter)
    events: deque[tuple[float, int, str]] = field(default_factory=lambda: deque(maxlen=EVENTS_MAX))

    def told(self) -> dict[str, Any]:
        """Everything as JSON has it, but for the single events."""
        return {
            "connections": self.connections,
            "open": self.open,
            "refused": self.refused,
            "bytesUp": self.bytes_up,
            "bytesDown": self.bytes_down,
            "done": dict(self.done),
        }


class _Link:
    """A client's connection and the one dialled for it. `client` is where replies go: another's, once swapped."""

    def __init__(self, number: int, client: asyncio.StreamWriter, server: asyncio.StreamWriter, seed: int) -> None:
        self.number = number
        self.client = client
        self.server = server
        self.random = Random(f"{seed}/{number}")
        self.awaits = False
        """Whether a reply is due: bytes went up, and none has come down since."""
        self.swapped = False
        self.own = (client, server)

    def close(self, *, hard: bool) -> None:
        """End both sides."""
        for writer in self.own:
            if hard and not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
            writer.close()


class _Flow:
    """One direction of a link; see `toxics.Flow`."""

    def __init__(self, proxy: "ChaosProxy", link: _Link, side: Side) -> None:
        self.proxy = proxy
        self.link = link
        self.side = side
        self.passed = 0
        self.silent = False

    @property
    def _writer(self) -> asyncio.StreamWriter:
        return self.link.client if self.side == "down" else self.link.server

    def note(self, toxic: str) -> None:
        self.proxy.stats.done[toxic] += 1
        self.proxy.stats.events.append((self.proxy.now_s, self.link.number, toxic))

    def chance(self) -> float:
        return self.link.random.random()

    def finish(self) -> None:
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def swap(self, hold_s: float) -> bool:
        return self.side == "down" and self.link.awaits and await self.proxy.swap(self.link, hold_s)

    async def carry(self, reader: asyncio.StreamReader) -> None:
        """Carry bytes until they end."""
        while data := await reader.read(READ_BYTES):
            if not self.silent:
                await self._through(self.proxy.active(self), data)
            if self.side == "down":
                self.link.awaits = False
        if not self.silent:
            self.finish()

    async def _through(self, steps: Sequence[Step], data: bytes) -> None:
        if self.silent:
            return
        if not steps:
            await self._deliver(data)
            return
        step, rest = steps[0], steps[1:]
        await TOXICS[step.toxic](self, step.parameters, data, lambda piece: self._through(rest, piece))

    async def _deliver(self, data: bytes) -> None:
        self.passed += len(data)
        if self.side == "up":
            self.proxy.stats.bytes_up += len(data)
            self.link.awaits = True
            self.proxy.asked.set()
        else:
            self.proxy.stats.bytes_down += len(data)
        self._writer.write(data)
        await self._writer.drain()


class ChaosProxy:
    """A proxy in front of one target. `steps` may be replaced at any time; `seed` decides whom shares meet."""

    def __init__(self, host: str, port: int, steps: Iterable[Step], seed: int) -> None:
        self.steps = list(steps)
        self.stats = Stats()
        self.port = 0
        self.asked = asyncio.Event()
        """Set whenever a request went up: whoever holds a reply back to swap it looks around again."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self._target = (host, port)
        self._seed = seed
        self._links: set[_Link] = set()
        self._began_s = asyncio.get_running_loop().time()

    def __repr__(self) -> str:
        return f"<ChaosProxy :{self.port} open={self.stats.open} done={dict(self.stats.done)}>"

    @property
    def url(self) -> str:
        """Where it listens, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return asyncio.get_running_loop().time() - self._began_s

    def active(self, flow: _Flow) -> list[Step]:
        """What is done to this flow now."""
        number = flow.link.number
        return active(self.steps, seed=self._seed, connection=number, side=flow.side, now_s=self.now_s)

    async def swap(self, link: _Link, hold_s: float) -> bool:
        """Exchange the clients of the link and of another one that awaits a reply; a link is swapped once at most."""
        try:
            async with asyncio.timeout(hold_s):
                while not link.swapped:
                    self.asked.clear()
                    other = next(
                        (one for one in self._links if one.awaits and not one.swapped and one is not link), None
                    )
                    if other is not None:
                        link.client, other.client = other.client, link.client
                        link.swapped = other.swapped = True
                        self.asked.set()  # the other one may be waiting for us
                        return True
                    await self.asked.wait()
        except TimeoutError:
            return False
        return False  # the other one did it, and counted it

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        number = self.stats.connections
        self.stats.connections += 1
        try:
            target_reader, target_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self.stats.refused += 1
            writer.transport.abort()
            return
        link = _Link(number, writer, target_writer, self._seed)
        self._links.add(link)
        self.stats.open += 1
        hard = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_Flow(self, link, "up").carry(reader))
                group.create_task(_Flow(self, link, "down").carry(target_reader))
        except* Cut as cuts:
            hard = any(isinstance(cut, Cut) and cut.hard for cut in cuts.exceptions)
        except* OSError:  # one side was reset, so is the other
            hard = True
        finally:
            self.stats.open -= 1
            self._links.discard(link)
            link.close(hard=hard)


@asynccontextmanager
async def proxying(
    target: tuple[str, int], steps: Iterable[Step] = (), *, seed: int = 0, port: int = 0
) -> AsyncIterator[ChaosProxy]:
    """A proxy on loopback in front of the target, and the end of all its connections afterwards."""
    proxy = ChaosProxy(*target, steps, seed)

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        proxy.tasks.add(task)
        try:
            await proxy.serve(reader, writer)
        except asyncio.CancelledError:  # only ever by the lines below
            return
        finally:
            proxy.tasks.discard(task)

    server = await asyncio.start_server(served, "127.0.0.1", port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        tasks = set(proxy.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()

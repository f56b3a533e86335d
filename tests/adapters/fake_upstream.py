"""A campaign endpoint on a bare socket: it answers exactly the bytes that a test tells it, and keeps what it was sent.

A script is a coroutine that is given one request and the writer of its connection; what it leaves unsaid stays unsaid,
so any broken server can be played. Connections are kept alive unless a script closes them.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

Script = Callable[["Sent", asyncio.StreamWriter], Awaitable[None]]

RID = "RID-00-0000-0000-000000000000-CID-000000"


@dataclass(frozen=True)
class Sent:
    """A request as it came; header names in lower case. `rest` is what follows it on its connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    rest: asyncio.StreamReader = field(repr=False)

    @property
    def members(self) -> dict[str, Any]:
        """The decoded body."""
        decoded: dict[str, Any] = orjson.loads(self.body)
        return decoded


@dataclass
class Upstream:
    """The endpoint. `script` may be replaced at any time; the default one answers well."""

    url: str = ""
    script: Script | None = None
    sent: list[Sent] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    closed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests off a connection until it ends."""
        self.connections += 1
        self.open += 1
        try:
            while not writer.is_closing():
                request = await _read(reader)
                self.sent.append(request)
                self.arrived.release()
                await (self.script or ranking())(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()
            self.closed.release()


async def _read(reader: asyncio.StreamReader) -> Sent:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Sent(method, path, headers, body, reader)


@asynccontextmanager
async def listening(script: Script | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """An endpoint on a free port of loopback, and the end of all its connections afterwards."""
    upstream = Upstream(script=script)
    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await upstream.serve(reader, writer)
        except asyncio.CancelledError:  # only ever by the lines below
            return

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()
    upstream.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks) if tasks else None


def answer(body: bytes, status: str = "200 OK", length: int | None = None, **headers: str) -> Script:
    """Answer these bytes, declaring another length than their own if one is given."""

    async def script(_: Sent, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        if length is not None:
            writer.close()

    return script


def ranked(entries: Any, **members: Any) -> Script:
    """Answer 200 with these entries as the ranking."""
    return answer(orjson.dumps({"personalizedRanking": entries, "recommendationId": RID, **members}))


def ranking() -> Script:
    """Answer as a healthy campaign: the list as it came, all items equally scored, nulls where there is nothing."""

    async def script(request: Sent, writer: asyncio.StreamWriter) -> None:
        items = request.members["inputList"]
        entries = [
            {"itemId": item, "score": round(1 / len(items), 7), "metadata": None, "explanation": None} for item in items
        ]
        await ranked(entries)(request, writer)

    return script


def said(*pieces: bytes, close: bool = False) -> Script:
    """Answer these bytes as they are, each piece in a write of its own that is on its way before the next."""

    async def script(_: Sent, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if close:
            writer.close()

    return script


async def hang(request: Sent, writer: asyncio.StreamWriter) -> None:
    """Never answer; end when the other side gives up."""
    await request.rest.read()
    writer.close()


async def reset(_: Sent, writer: asyncio.StreamWriter) -> None:
    """Drop the connection instead of answering."""
    writer.transport.abort()


async def drip(request: Sent, writer: asyncio.StreamWriter) -> None:
    """Begin to answer, and send no more than the beginning."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"personalizedRanking": [')
    await hang(request, writer)

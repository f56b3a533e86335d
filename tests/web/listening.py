"""The gateway on a listener of its own, guarded as in production, and bare sockets that misbehave against it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from gateway.web.connections import Guard
from gateway.web.listeners import GuardedSite
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.parts import LOGITS

LONG_S = 60.0
"""A limit that no test meets, for tests that are about another one."""

WITHIN_S = 20.0
"""Only ends a test that would hang."""


def guard(**limits: Any) -> Guard:
    """A guard whose limits are out of reach but for those given."""
    wide = {"connections_max": 1_000, "head_timeout_s": LONG_S, "write_timeout_s": LONG_S, "keep_alive_s": LONG_S}
    return Guard(**{**wide, **limits})


@asynccontextmanager
async def listening(
    limits: Guard | None = None,
    place: tuple[str, int] | Path = ("127.0.0.1", 0),
    tls: ssl.SSLContext | None = None,
    app: web.Application | None = None,
    ranker: SoftmaxRanker | None = None,
) -> AsyncIterator[GuardedSite]:
    """A gateway around a ranker that knows `LOGITS`; ends with the block."""
    ranker = ranker or SoftmaxRanker(lambda _: LOGITS)
    runner = web.AppRunner(
        app or build_app(make_service(ranker), ServerSettings(deadline_ms=30_000)),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        site = GuardedSite(runner, limits or guard(), place, tls)
        await site.start()
        yield site
    finally:
        await runner.cleanup()


class Wire:
    """One bare connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""
        self.writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        """The next answer: status, and the whole of it as it stood on the wire."""
        async with asyncio.timeout(WITHIN_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await self.reader.readexactly(int(length.split(b":")[1]))
        return int(head.split()[1]), head + body

    async def end(self) -> bytes:
        """All that still comes until the other side closes."""
        async with asyncio.timeout(WITHIN_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def wire(site: GuardedSite, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """A connection, closed with the block."""
    if site.name.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(site.name.removeprefix("unix:"))
    else:
        at = urlsplit(site.name)
        reader, writer = await asyncio.open_connection(at.hostname, at.port, ssl=tls)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def until(condition: Any) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.001)

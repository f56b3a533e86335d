"""As little HTTP/1.1 as programs need that trust each other: kept-alive connections, bodies with a length."""

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Messages(asyncio.Protocol):
    """One connection, cut into messages; `on_body` is told the body of each, in either direction."""

    def __init__(self, on_body: Callable[["Messages", bytes], None]) -> None:
        self._on_body = on_body
        self._buffer = bytearray()
        self._body_at = 0
        self._ends_at = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Cut off every message that is whole."""
        self._buffer += data
        while self._buffer and (self._ends_at or self._has_head()) and len(self._buffer) >= self._ends_at:
            body = bytes(self._buffer[self._body_at : self._ends_at])
            del self._buffer[: self._ends_at]
            self._ends_at = 0
            self._on_body(self, body)

    def _has_head(self) -> bool:
        head_ends = self._buffer.find(HEAD_END)
        if head_ends < 0:
            return False
        length = LENGTH.search(self._buffer, 0, head_ends)
        if length is None:
            raise ValueError("a message without Content-Length")
        self._body_at = head_ends + len(HEAD_END)
        self._ends_at = self._body_at + int(length[1])
        return True

    def reply(self, body: bytes) -> None:
        """Answer 200 with this body."""
        self.transport.write(OK % len(body) + body)


async def listen(on_body: Callable[[Messages, bytes], None]) -> asyncio.Server:
    """Serve on a free port of loopback, and print the address."""
    server = await asyncio.get_running_loop().create_server(lambda: Messages(on_body), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"listening on http://{host}:{port}", flush=True)
    return server

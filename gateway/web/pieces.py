"""A body that is sent in the pieces that it was made of, and a response that lets go of its body once it is sent.

Joined, an answer of 100,000 items (11 MB) is copied twice before its first byte goes out, and the loop stands still for
25 ms; one of 10,000 costs 0.2 ms more.
"""

import asyncio
from typing import Final, TypeAlias

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from gateway.web.problems import JSON

TURN_BYTES: Final = 1024 * 1024
"""Sent in one turn, in 2 ms."""


JOINED_BYTES_MAX: Final = 64 * 1024
"""To copy so much takes 10 us, as long as the library takes to write two pieces."""

Parts: TypeAlias = list[bytes | memoryview]
"""What a body is made of: bytes, or the inside of what an encoder made."""


def in_pieces(parts: Parts) -> "bytes | Pieces":
    """The body, in one piece where that is quicker."""
    return b"".join(parts) if sum(map(len, parts)) < JOINED_BYTES_MAX else Pieces(parts)


class Pieces(Payload):
    """JSON in pieces."""

    def __init__(self, pieces: Parts) -> None:
        super().__init__(pieces, content_type=JSON)
        self.pieces = pieces
        self._size = sum(map(len, pieces))

    @property
    def length(self) -> int:
        """Bytes in all."""
        return self._size or 0

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole as text."""
        return b"".join(self.pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send one piece after the other; the writer waits where the caller does not take them. Where it takes them at
        once, as on loopback, the kernel copies 11 MB in one go (25 ms), so others have their turn in between."""
        sent_bytes = 0
        for piece in self.pieces:
            await writer.write(piece)
            sent_bytes += len(piece)
            if sent_bytes > TURN_BYTES:
                sent_bytes = 0
                await asyncio.sleep(0)


class PassingResponse(web.Response):
    """A response that holds its body until it is sent, and no longer.

    The library keeps a connection's last response until its next request. Hundreds of idle connections would each hold
    the answer that they had a minute ago, 0.6 MB of 10,000 items.
    """

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body, and let go of it."""
        try:
            await super().write_eof(data)
        finally:
            self.body = None

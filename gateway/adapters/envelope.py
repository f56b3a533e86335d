"""What every stored value is wrapped in, and what is checked before any of it is used.

    magic, schema, flags, checksum, digest of the key, epoch, creation time (ms), payload (perhaps compressed)

A value that is torn, foreign, of another schema or under another key raises `Rejected` and is a miss.
"""

import struct
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

HEAD: Final = struct.Struct("<4sHHI16sQQ")
COMPRESSED: Final = 1
KEY_DIGEST_BYTES: Final = 16


class Rejected(Exception):
    """A stored value that may not be used; the message is one word for a counter."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A value that was checked: its payload, and of when it is."""

    payload: memoryview | bytes
    epoch: int
    created_s: float


@dataclass(frozen=True, slots=True)
class Envelope:
    """The envelope of one kind of value."""

    magic: bytes
    schema: int

    def seal(self, key: str, payload: bytes, *, epoch: int, created_s: float, compression: int = 0) -> bytes:
        """The bytes to store under `key`; `compression` is a zlib level, 0 for none."""
        flags = COMPRESSED if compression else 0
        if compression:
            payload = zlib.compress(payload, compression)
        created_ms = round(1e3 * created_s)
        unchecked = HEAD.pack(self.magic, self.schema, flags, 0, _digest(key), epoch, created_ms)
        checksum = zlib.crc32(payload, zlib.crc32(unchecked))
        return HEAD.pack(self.magic, self.schema, flags, checksum, _digest(key), epoch, created_ms) + payload

    def open(self, key: str, stored: bytes) -> Opened:
        """What was stored under `key`. Raises `Rejected` for anything else."""
        if len(stored) < HEAD.size or stored[:4] != self.magic:
            raise Rejected("foreign")
        _, schema, flags, checksum, digest, epoch, created_ms = HEAD.unpack_from(stored)
        if schema != self.schema:
            raise Rejected("schema")
        if digest != _digest(key):
            raise Rejected("key")
        unchecked = HEAD.pack(self.magic, schema, flags, 0, digest, epoch, created_ms)
        payload = memoryview(stored)[HEAD.size :]
        if zlib.crc32(payload, zlib.crc32(unchecked)) != checksum:
            raise Rejected("torn")
        try:
            whole = zlib.decompress(payload) if flags & COMPRESSED else payload
        except zlib.error:
            raise Rejected("torn") from None
        return Opened(whole, epoch, created_ms / 1e3)


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=KEY_DIGEST_BYTES).digest()

"""`ValueStore` on Redis or Valkey: bytes under keys, for metadata and pinned rankings, beside the frames.

A fetch is one MGET. One value is put by SET PX; many at once by one script, since no other command of every server in
use gives each of many keys its own time (a SET for each would hold up the loop: 15 us apiece). Servers may forbid
scripts, so they are a side of their own: its breaker stops them, and frames are written on.

Every value stands behind an envelope with a checksum over key and value: what is foreign, torn or another key's is not
there.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.adapters.redis_asker import Asker

ENVELOPE: Final = struct.Struct("<4sI")
"""Magic and schema, checksum."""

MAGIC: Final = b"RGV1"

PUT_MANY: Final = (
    "for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1]) end "
    "return redis.status_reply('OK')"
)


class RedisValues:
    """Keeps bytes in Redis, over what asks for the frames as well."""

    def __init__(self, asker: Asker, budget_s: float) -> None:
        self._asker = asker
        self._budget_s = budget_s

    def __repr__(self) -> str:
        return f"<RedisValues scripts={self._asker.scripts.breaker.state}>"

    async def fetch(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """The values under the keys, which lie in one slot; None if the server did not answer."""
        reply = await self._asker.ask(self._asker.reads, self._budget_s, "MGET", *keys, shadow=True)
        return None if reply is None else [self._opened(*one) for one in zip(keys, reply, strict=True)]

    async def put(self, values: Mapping[str, bytes], keep_s: float) -> bool:
        """Keep the values, whose keys lie in one slot, in one command."""
        keep_ms = max(1, round(1e3 * keep_s))
        stored = {key: _sealed(key, value) for key, value in values.items()}
        asker = self._asker
        if len(stored) == 1:
            ((key, value),) = stored.items()
            reply = await asker.ask(asker.writes, self._budget_s, "SET", key, value, "PX", keep_ms)
        else:
            keys, given = list(stored), list(stored.values())
            reply = await asker.ask(asker.scripts, self._budget_s, "EVAL", PUT_MANY, len(keys), *keys, keep_ms, *given)
        if reply is None:
            return False
        asker.stats.bytes_written += sum(map(len, stored.values()))
        return True

    def _opened(self, key: str, stored: bytes | None) -> bytes | None:
        """The value in an envelope, if it is whole and of this key."""
        if stored is None:
            return None
        self._asker.stats.bytes_read += len(stored)
        value = stored[ENVELOPE.size :]
        if stored[: ENVELOPE.size] == _envelope(key, value):
            return value
        self._asker.stats.rejects["value"] += 1
        return None


def _envelope(key: str, value: bytes) -> bytes:
    return ENVELOPE.pack(MAGIC, zlib.crc32(value, zlib.crc32(key.encode())))


def _sealed(key: str, value: bytes) -> bytes:
    return _envelope(key, value) + value

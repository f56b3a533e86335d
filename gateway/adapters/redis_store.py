"""`FrameStore` on Redis or Valkey: shared by all pods, and never able to hurt one.

A load is one MGET of the user's epoch and the frame, which lie in one cluster slot; a save or a bump is one SET PX.
Whatever goes wrong is a miss, or a frame that is not stored: counted by reason, logged once per episode, never raised.

    redis_options     the URL and the numbers            redis_client      redis-py, with its defaults put right
    redis_asker       commands in, replies or None out   redis_operations  abandoned, never cancelled; bounded
    redis_side        reads and writes: breaker, log     redis_faults      exception -> reason
    redis_values      other values than frames, over the same asker

Nothing stored is believed before the codec has checked it, and a frame counts only if its epoch is the user's. An epoch
that was never set is 0. One that cannot be read (foreign bytes under the user's key) stands for an epoch of its own,
made of those bytes: frames of any other epoch stay dead, and new ones are kept, until the next bump.
"""

import struct
from collections.abc import Callable
from hashlib import blake2b
from typing import Final, TypeVar

from gateway.adapters.codec import decode, encode
from gateway.adapters.envelope import Rejected
from gateway.adapters.listing_codec import decode_listing, encode_listing
from gateway.adapters.redis_asker import Asker, RedisStats
from gateway.adapters.redis_client import patience_s
from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_values import RedisValues
from gateway.core.frame import Frame
from gateway.core.keys import FrameKey
from gateway.core.question import Listing
from gateway.ports import Kept, KeptListing

WARM_KEY: Final = "rerank:{warm}"
"""Asked for once at opening, so that the first request finds a connection; it is never written."""

EPOCH_MAX: Final = 2**63 - 1

Value = TypeVar("Value", Frame, Listing)


class RedisStore:
    """Keeps frames in Redis. An async context manager; opening never fails because the server is away."""

    def __init__(self, options: RedisOptions) -> None:
        self.options = options
        self._asker = Asker(options)
        self._budget_s = options.timeout_ms / 1e3
        self.values = RedisValues(self._asker, self._budget_s)

    def __repr__(self) -> str:
        stats, asker, target = self.stats, self._asker, self.options.target
        return (
            f"<RedisStore {target.kind} {target.place} hits={stats.hits} misses={stats.misses} saves={stats.saves}"
            f" bumps={stats.bumps} errors={stats.errors.total()} rejects={stats.rejects.total()}"
            f" outstanding={len(asker.operations)}/{asker.operations.outstanding_max}"
            f" abandoned={stats.abandoned} bypassed={stats.bypassed} skipped={stats.skipped}"
            f" reads={self.reads_state} writes={self.writes_state}>"
        )

    async def __aenter__(self) -> "RedisStore":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def stats(self) -> RedisStats:
        """Numbers since the start."""
        return self._asker.stats

    @property
    def reads_state(self) -> str:
        """How the breaker of the reads stands."""
        return self._asker.reads.breaker.state

    @property
    def writes_state(self) -> str:
        """How the breaker of the writes stands."""
        return self._asker.writes.breaker.state

    async def open(self) -> None:
        """Connect, if the server is there."""
        await self._asker.ask(self._asker.reads, patience_s(self.options), "MGET", WARM_KEY, WARM_KEY)

    async def aclose(self) -> None:
        """Let outstanding operations end, and close every connection."""
        await self._asker.aclose()

    async def load(self, key: FrameKey) -> Kept:
        """The user's epoch, and the frame if it is whole and of that epoch."""
        return Kept(*await self._loaded(key, decode))

    async def load_listing(self, key: FrameKey) -> KeptListing:
        """The user's epoch, and the listing if it is whole and of that epoch."""
        return KeptListing(*await self._loaded(key, decode_listing))

    async def save(self, key: FrameKey, frame: Frame, keep_s: float) -> None:
        """Keep the frame for at most `keep_s` seconds, in place of any other."""
        try:
            stored = encode(key.frame, frame, compression=self.options.compression)
        except (ValueError, struct.error):
            self.stats.errors["encode"] += 1
            return
        await self._save(key, stored, keep_s)

    async def save_listing(self, key: FrameKey, listing: Listing, keep_s: float) -> None:
        """Keep the listing for at most `keep_s` seconds, in place of any other."""
        await self._save(key, encode_listing(key.frame, listing, compression=self.options.compression), keep_s)

    async def bump(self, user: str, epoch: int, keep_s: float) -> bool:
        """Make this the user's epoch. Whether it is known to be stored."""
        stored = await self._set(user, str(epoch).encode(), keep_s)
        self.stats.bumps += stored
        return stored

    def health(self) -> dict[str, object]:
        """Numbers for `GET /v1/campaigns`."""
        target, stats = self.options.target, self.stats
        return {
            "kind": target.kind,
            "place": target.place,
            "reads": self.reads_state,
            "writes": self.writes_state,
            "scripts": self._asker.scripts.breaker.state,
            "outstanding": len(self._asker.operations),
            "hits": stats.hits,
            "misses": stats.misses,
            "saves": stats.saves,
            "bumps": stats.bumps,
            "bytesRead": stats.bytes_read,
            "bytesWritten": stats.bytes_written,
            "abandoned": stats.abandoned,
            "bypassed": stats.bypassed,
            "skipped": stats.skipped,
            "rejects": dict(stats.rejects),
            "errors": dict(stats.errors),
        }

    async def _save(self, key: FrameKey, stored: bytes, keep_s: float) -> None:
        if await self._set(key.frame, stored, keep_s):
            self.stats.saves += 1
            self.stats.bytes_written += len(stored)

    async def _set(self, key: str, value: bytes, keep_s: float) -> bool:
        keep_ms = max(1, round(1e3 * keep_s))
        reply = await self._asker.ask(self._asker.writes, self._budget_s, "SET", key, value, "PX", keep_ms)
        return reply is not None

    async def _loaded(self, key: FrameKey, decoded: Callable[[str, bytes], Value]) -> tuple[int | None, Value | None]:
        """Epoch and value; the epoch is None if the server could not be asked."""
        reply = await self._asker.ask(self._asker.reads, self._budget_s, "MGET", key.user, key.frame, shadow=True)
        epoch = None if reply is None else _epoch(reply[0])
        value = None if reply is None else self._believed(key, epoch, reply[1], decoded)
        self.stats.hits += value is not None
        self.stats.misses += value is None
        return epoch, value

    def _believed(
        self, key: FrameKey, epoch: int | None, stored: bytes | None, decoded: Callable[[str, bytes], Value]
    ) -> Value | None:
        if stored is None:
            return None
        self.stats.bytes_read += len(stored)
        try:
            value = decoded(key.frame, stored)
            if value.epoch != epoch:
                raise Rejected("epoch")
        except Rejected as why:
            self.stats.rejects[str(why)] += 1
            return None
        return value


def _epoch(text: bytes | None) -> int:
    """The epoch that was stored; bytes that are none stand for a number that no bump makes by chance."""
    if text is None:
        return 0
    if text.isdigit() and len(text) <= len(str(EPOCH_MAX)):
        return int(text)
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") & EPOCH_MAX | 1

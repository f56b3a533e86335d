"""Frames, listings and epochs in this process: bounded by bytes and by time, the least recently used go first.

Expired frames are dropped when they are met, and from the old end of the order on every save, so a store that nobody
reads does not keep them for ever. Own code because no kept library bounds by bytes *and* by a time per entry at this
cost (measured: 0.1 us a look-up, ten times less than the time-to-live caches of the libraries).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from gateway.core.frame import Frame
from gateway.core.keys import FrameKey
from gateway.core.question import Listing
from gateway.core.values import dataclass
from gateway.ports import Kept, KeptListing

BYTES_MAX: Final = 256 * 1024 * 1024
"""About 105 frames of 10,000 items, weighed as if each had been looked up by its own list and by another one."""

BYTES_PER_FRAME: Final = 2_000
"""What a frame of no items takes: six objects, its key and its entry."""

BYTES_PER_ROW: Final = 122
"""What a row takes beside its id: 13 bytes of columns, 24 of ranking and number, a place in the list and an entry in
the index."""

BYTES_PER_LISTING: Final = 500
"""What a listing takes beside its body: two objects, its key and its entry."""

EPOCHS_BYTES_MAX: Final = 16 * 1024 * 1024
BYTES_PER_EPOCH: Final = 250
"""What an epoch takes: a number, its key and its entry."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    value: Value
    size_bytes: int
    until_s: float


class Bounded(Generic[Value]):
    """Values by key, each for a time, all of them together within a number of bytes.

    `now_s` gives monotonic seconds; `evicting` is told every value that has to go before its time.
    """

    def __init__(
        self, now_s: Callable[[], float], bytes_max: int, evicting: Callable[[Value], None] = lambda _: None
    ) -> None:
        self._now_s = now_s
        self._bytes_max = bytes_max
        self._evicting = evicting
        self._entries: OrderedDict[str, _Entry[Value]] = OrderedDict()
        self.size_bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Value | None:
        """The value under the key, unless its time is up."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until_s <= self._now_s():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(self, key: str, value: Value, size_bytes: int, keep_s: float) -> None:
        """Keep the value; one that is larger than everything may be is not kept."""
        if key in self._entries:
            self._drop(key)
        now_s = self._now_s()
        if size_bytes > self._bytes_max:
            return
        self._entries[key] = _Entry(value, size_bytes, now_s + keep_s)
        self.size_bytes += size_bytes
        while self._entries:
            oldest, entry = next(iter(self._entries.items()))
            if entry.until_s > now_s:
                if self.size_bytes <= self._bytes_max:
                    return
                self._evicting(entry.value)
                self.evicted += 1
            self._drop(oldest)

    def _drop(self, key: str) -> None:
        self.size_bytes -= self._entries.pop(key).size_bytes


def frame_bytes(frame: Frame) -> int:
    """What a frame takes in memory at most: its ids included, which are of up to 256 characters of up to four bytes,
    and what it keeps of an answer that told it."""
    return BYTES_PER_FRAME + BYTES_PER_ROW * len(frame) + frame.ids.size_bytes + frame.told_bytes_max


class MemoryStore:
    """`FrameStore` in memory."""

    def __init__(self, now_s: Callable[[], float], bytes_max: int = BYTES_MAX) -> None:
        self._frames: Bounded[Frame | Listing] = Bounded(now_s, bytes_max)
        self._epochs: Bounded[int] = Bounded(now_s, EPOCHS_BYTES_MAX, self._raise_floor)
        self._bytes_max = bytes_max
        self._floor = 0

    def __repr__(self) -> str:
        return f"<MemoryStore frames={len(self._frames)} bytes={self._frames.size_bytes}/{self._bytes_max}>"

    @property
    def size_bytes(self) -> int:
        """What all frames and listings take."""
        return self._frames.size_bytes

    @property
    def evicted(self) -> int:
        """Frames and listings that had to go before their time."""
        return self._frames.evicted

    async def load(self, key: FrameKey) -> Kept:
        """The user's epoch, and the frame if it is of that epoch."""
        epoch = self._epoch(key)
        frame = self._frames.get(key.frame)
        return Kept(epoch, frame if isinstance(frame, Frame) and frame.epoch == epoch else None)

    async def load_listing(self, key: FrameKey) -> KeptListing:
        """The user's epoch, and the listing if it is of that epoch."""
        epoch = self._epoch(key)
        listing = self._frames.get(key.frame)
        return KeptListing(epoch, listing if isinstance(listing, Listing) and listing.epoch == epoch else None)

    async def save(self, key: FrameKey, frame: Frame, keep_s: float) -> None:
        """Keep the frame; a frame larger than the whole store is not kept."""
        self._frames.put(key.frame, frame, frame_bytes(frame), keep_s)

    async def save_listing(self, key: FrameKey, listing: Listing, keep_s: float) -> None:
        """Keep the listing; one larger than the whole store is not kept."""
        self._frames.put(key.frame, listing, BYTES_PER_LISTING + len(listing.body), keep_s)

    async def bump(self, user: str, epoch: int, keep_s: float) -> bool:
        """Begin a new epoch of the user."""
        self._epochs.put(user, epoch, BYTES_PER_EPOCH, keep_s)
        return True

    def _epoch(self, key: FrameKey) -> int:
        return self._epochs.get(key.user) or self._floor

    def _raise_floor(self, evicted: int) -> None:
        """An epoch forgotten early must not bring back the frames that it killed: all frames without one go."""
        self._floor = evicted

    def health(self) -> dict[str, object]:
        """Numbers for `GET /v1/campaigns`."""
        return {
            "kind": "memory",
            "frames": len(self._frames),
            "epochs": len(self._epochs),
            "bytes": self._frames.size_bytes,
            "bytesMax": self._bytes_max,
            "evicted": self._frames.evicted,
        }

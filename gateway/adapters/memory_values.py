"""`ValueStore` in this process: bounded by bytes and by time, the least recently used go first."""

from collections.abc import Callable, Mapping, Sequence
from sys import getsizeof
from typing import Final

from gateway.adapters.memory_store import Bounded

BYTES_PER_VALUE: Final = 200
"""What a value takes beside its bytes and its key: an entry, a place in the order, a float."""


class MemoryValues:
    """Keeps bytes in memory."""

    def __init__(self, now_s: Callable[[], float], bytes_max: int) -> None:
        self._values: Bounded[bytes] = Bounded(now_s, bytes_max)
        self._bytes_max = bytes_max

    def __repr__(self) -> str:
        return f"<MemoryValues values={len(self._values)} bytes={self._values.size_bytes}/{self._bytes_max}>"

    @property
    def size_bytes(self) -> int:
        """What all values take."""
        return self._values.size_bytes

    async def fetch(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """The values under the keys."""
        return [self._values.get(key) for key in keys]

    async def put(self, values: Mapping[str, bytes], keep_s: float) -> bool:
        """Keep the values; False if one is larger than all may be."""
        whole = True
        for key, value in values.items():
            size_bytes = BYTES_PER_VALUE + getsizeof(key) + getsizeof(value)
            self._values.put(key, value, size_bytes, keep_s)
            whole = whole and size_bytes <= self._bytes_max
        return whole

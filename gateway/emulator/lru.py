"""A mapping of bounded size that forgets what was used longest ago."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Lru(Generic[V]):
    """At most `size` values by string keys. Unlike with `functools.lru_cache`, one key can be dropped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, V] = OrderedDict()

    def __repr__(self) -> str:
        return f"Lru({len(self)} of {self._size})"

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> V | None:
        """The value of a key, which counts as a use of it."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: str, value: V) -> str | None:
        """Keep a value; the key that had to be forgotten for it, if any."""
        self._values[key] = value
        self._values.move_to_end(key)
        return self._values.popitem(last=False)[0] if len(self._values) > self._size else None

    def drop(self, key: str) -> None:
        """Forget a key, if it is there."""
        self._values.pop(key, None)

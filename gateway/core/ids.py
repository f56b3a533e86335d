"""The ids of a frame: distinct, in an order, as a list or as one text, each made of the other when it is first wanted.

What most callers come again with is the frame's own list. Joined it is compared in one piece, and no id of the frame is
touched: 10,000 strings that lie anywhere in memory take longer to look at than to join those just read, and five times
the memory of their text. The index from an id to its row is made on first use as well: a cold ranking never needs it.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Final

import numpy as np

from gateway.core.model import Ints

SEPARATOR: Final = "\0"
"""Stands between ids in a text; no caller's id may hold it (an id that does leaves the list without a text)."""

ID_BYTES: Final = {True: "".__sizeof__(), False: "\N{SHOPPING TROLLEY}".__sizeof__()}
"""What an id in a list takes beside its characters, or a little less: of a text that is ASCII, and of any other."""

SHORT_CHARS: Final = 4_000
"""A text is so short that it counts its separators itself in less time than numpy."""


class Ids:
    """Distinct ids. A value, but for what it makes of itself."""

    __slots__ = ("_count", "_index", "_items", "_of_text", "_places", "_text")

    def __init__(self, items: list[str] | None, text: str | None = None, count: int = 0) -> None:
        """Either a list, or a text of so many."""
        self._items = items
        self._text = text
        self._of_text = items is None
        self._index: dict[str, int] = {}
        self._places: Ints | None = None
        self._count = count if items is None else len(items)

    @classmethod
    def of_text(cls, text: str, count: int) -> "Ids":
        """So many ids out of their text. Raises `ValueError` where it holds another number."""
        if _separators(text) != max(0, count - 1) or (text and not count):
            raise ValueError("the text holds another number of ids")
        return cls(None, text, count)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<Ids {self._count}>"

    @property
    def items(self) -> list[str]:
        """The ids as a list, which is not to be changed."""
        if self._items is None:
            self._items = self._text.split(SEPARATOR) if self._text is not None and self._count else []
        return self._items

    @property
    def text(self) -> str | None:
        """The ids as a text; None where one of them holds the separator."""
        if self._text is None and self._items is not None:
            text = SEPARATOR.join(self._items)
            if _separators(text) == max(0, self._count - 1):
                self._text = text
        return self._text

    @property
    def places(self) -> Ints:
        """The place of every id: one and the same array, which is not to be written to, so that it can be known by its
        identity."""
        if self._places is None:
            self._places = np.arange(self._count)
            self._places.flags.writeable = False
        return self._places

    @property
    def size_bytes(self) -> int:
        """What they take in memory at most: as text, and as list, whose ids may have up to four bytes a character."""
        text = self.text
        if text is None:
            return sum(map(str.__sizeof__, self.items))
        return self._count * ID_BYTES[text.isascii()] + 2 * text.__sizeof__()

    @property
    def utf8_bytes_max(self) -> int:
        """What their text takes in UTF-8 at most: of what is not ASCII twice of what it takes here. 0 where they have
        none."""
        return 0 if self.text is None else self.text.__sizeof__() * (1 if self.text.isascii() else 2)

    def packed(self) -> "Ids":
        """The same as text alone, where they can be one. What is of a text already keeps what was made of it since."""
        return self if self._of_text or self.text is None else Ids(None, self.text, self._count)

    def are(self, candidates: list[str]) -> bool:
        """Whether the candidates are the very same list."""
        if candidates is self._items:
            return True
        if len(candidates) != self._count:
            return False
        return candidates == self._items if self._text is None else SEPARATOR.join(candidates) == self._text

    def rows(self, candidates: Sequence[str]) -> Ints:
        """The place of every candidate, -1 for one that is none of them."""
        if not self._index:
            self._index.update(zip(self.items, range(self._count), strict=True))
        found = map(self._index.get, candidates, repeat(-1))
        return np.fromiter(found, dtype=np.intp, count=len(candidates))


def _separators(text: str) -> int:
    """How many there are: numpy counts 10,000 in 20 us, the text itself in 79, but 100 in less than numpy begins."""
    if len(text) < SHORT_CHARS:
        return text.count(SEPARATOR)
    return int(np.count_nonzero(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) == 0))

"""Metadata by column: an item's JSON object taken apart into the members that are kept, and put together of them again.

Kept by column, what one caller asked for serves the next who asks for less, for more, or in another order. The service
names the members after the columns, in one document in lower case and in another in camel case; so a member is kept
with the name that it came with, and belongs to the column whose name has the same letters and digits. Where that is
not clear, nothing is kept: to ask again costs a call, to mix up two columns costs trust.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

NOTHING: Final = b"null"
"""What is kept of an item that has no metadata, or none in a column: that it has none."""

_ITEM: Final = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def parted(columns: Sequence[str], known: Iterable[bytes]) -> list[list[bytes]] | None:
    """By column, what each of the items has in it: a member of its JSON object, or `NOTHING`. None if the members
    cannot be told apart by columns."""
    place = {_letters(column): number for number, column in enumerate(columns)}
    if len(place) < len(columns):
        return None
    parts: list[list[bytes]] = [[] for _ in columns]
    for one in known:
        members = [NOTHING] * len(columns)
        for name, text in (_ITEM.decode(one) or {}).items():
            number = place.get(_letters(name))
            if number is None:
                return None
            members[number] = msgspec.json.encode(name) + b":" + bytes(text)
        for part, member in zip(parts, members, strict=True):
            part.append(member)
    return parts


def joined(items: Sequence[str], parts: Sequence[Sequence[bytes | None]]) -> Mapping[str, bytes]:
    """The metadata of those items of which every column is known, as JSON; `NOTHING` for one that has none.

    `parts` has one list a column, in the order in which the members shall come.
    """
    known = {}
    for item, *members in zip(items, *parts, strict=True):
        if None not in members:
            text = b",".join(member for member in members if member != NOTHING)
            known[item] = b"{%b}" % text if text else NOTHING
    return known


def _letters(name: str) -> str:
    return name.replace("_", "").lower()

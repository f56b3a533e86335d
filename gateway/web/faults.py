"""Bytes -> a checked request, or every fault of it at once, each with a JSON pointer.

The decoder stops at the first fault; it is the quick way and the one that decides. Only when it fails are the members
taken one by one, and the elements of lists and maps one by one, against the very same types, so that the list of faults
cannot say anything else than the decoder. No message repeats a value that was sent.
"""

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

FAULTS_MAX: Final = 20
"""Faults told at once: enough to mend a request, too few to be an answer larger than the question."""

NUL: Final = b"\\u0000"
"""How JSON must write the one character that no id may have: C code downstream ends a string there."""

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
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = faults


def decode(body: bytes, kind: type[Members]) -> Members:
    """The body as `kind`. Raises `NotJson`, or `BadMembers` with all faults (`FAULTS_MAX` at most)."""
    try:
        members = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        faults = list(islice(_struct_faults(_loads(body), kind), FAULTS_MAX))
        raise BadMembers(faults or [Fault("", "does not fit the request's members")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJson from None
    if NUL in body:
        try:
            faults = list(islice(_nul_faults("", _loads(body)), FAULTS_MAX))
        except RecursionError:
            raise NotJson from None
        if faults:
            raise BadMembers(faults)
    return members


def decode_query(query: Sequence[tuple[str, str]], kind: type[Members]) -> Members:
    """The names and values of a query as `kind`. Raises `BadMembers` with all faults (`FAULTS_MAX` at most)."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, text in query[: FAULTS_MAX + 1]:
        if name not in fields:
            faults.append(Fault(f"/{_escaped(name)}", "is not a parameter of this request"))
        elif name in values:
            faults.append(Fault(f"/{name}", "is given twice"))
        else:
            values[name] = text
            try:
                msgspec.convert(text, fields[name].type, strict=False)
            except msgspec.ValidationError as error:
                faults.append(Fault(f"/{name}", str(error)))
    if faults:
        raise BadMembers(faults[:FAULTS_MAX])
    return msgspec.convert(values, kind, strict=False)


def _loads(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJson from None


def _struct_faults(raw: Any, kind: type[msgspec.Struct]) -> Iterator[Fault]:
    if not isinstance(raw, dict):
        yield Fault("", "must be a JSON object")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if name in raw:
            yield from _member_faults(f"/{name}", raw[name], field.type)
        elif field.required:
            yield Fault(f"/{name}", "is required")
    if kind.__struct_config__.forbid_unknown_fields:
        for name in raw:
            if name not in fields:
                yield Fault(f"/{_escaped(name)}", "is not a member of this request")


def _member_faults(pointer: str, value: Any, kind: Any) -> Iterator[Fault]:
    """The faults of one member; those of its elements, where they have any, instead of its own."""
    first = _fault(value, kind)
    if first is None:
        return
    of_elements = [] if _too_long(value, kind) else list(islice(_element_faults(pointer, value, kind), FAULTS_MAX))
    yield from of_elements or [Fault(pointer, first)]


def _element_faults(pointer: str, value: Any, kind: Any) -> Iterator[Fault]:
    container, arguments = _container(kind)
    if container is list and isinstance(value, list):
        for place, element in enumerate(value):
            if (detail := _fault(element, arguments[0])) is not None:
                yield Fault(f"{pointer}/{place}", detail)
    elif container is dict and isinstance(value, dict):
        for name, element in value.items():
            if (detail := _fault(name, arguments[0])) is not None:
                yield Fault(pointer, f"a name in it: {detail}")
            yield from _member_faults(f"{pointer}/{_escaped(name)}", element, arguments[1])


def _fault(value: Any, kind: Any) -> str | None:
    """What the decoder says of one value, without the path."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return str(error).partition(" - at ")[0]
    return None


def _too_long(value: Any, kind: Any) -> bool:
    """Whether a container breaks its own limit: its elements are not worth a look then."""
    if get_origin(kind) in (Union, types.UnionType):
        return any(_too_long(value, one) for one in get_args(kind))
    limits = [one.max_length for one in getattr(kind, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    return isinstance(value, (list, dict)) and any(limit is not None and len(value) > limit for limit in limits)


def _container(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The list or dict inside an annotated or optional type, and its arguments."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _container(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return _container(next(one for one in get_args(kind) if one is not types.NoneType))
    return origin, get_args(kind)


def _nul_faults(pointer: str, value: Any) -> Iterator[Fault]:
    if isinstance(value, str) and "\0" in value:
        yield Fault(pointer, "must not hold the character U+0000")
    elif isinstance(value, list):
        for place, element in enumerate(value):
            yield from _nul_faults(f"{pointer}/{place}", element)
    elif isinstance(value, dict):
        for name, element in value.items():
            yield from _nul_faults(f"{pointer}/{_escaped(name)}", element)


def _escaped(name: str) -> str:
    """A name as a step of a JSON pointer, cut where it is too long to be meant."""
    return name[:150].replace("~", "~0").replace("/", "~1").replace("\0", "")

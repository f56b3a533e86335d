"""Rules between the members of one request, which the type of no single member can say.

Each is checked after decoding, and says itself in JSON Schema as far as that can say it; so the API description has the
very rules that are checked. A type of members names its own in `RULES`; null is as good as absent.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from gateway.web.faults import Fault
from gateway.web.outline import fields_of

PRESENT: Final[dict[str, Any]] = {"not": {"type": "null"}}
SOME: Final[dict[str, Any]] = {"type": "object", "minProperties": 1}


class Rule(NamedTuple):
    """A rule by the names that members have in the document; `schema` is empty where JSON Schema cannot say it."""

    faults: Callable[[msgspec.Struct], Iterable[Fault]]
    schema: dict[str, Any]


def exactly_one(first: str, second: str) -> Rule:
    """One of two members is given, and not both."""

    def faults(members: msgspec.Struct) -> Iterator[Fault]:
        if (_value(members, first) is None) == (_value(members, second) is None):
            yield Fault(f"/{first}", f"exactly one of {first} and {second} must be given")

    return Rule(faults, {"oneOf": [_given(first, PRESENT), _given(second, PRESENT)]})


def needs(name: str, other: str, reason: str) -> Rule:
    """An object that is not empty needs another member, for a reason that is told."""

    def faults(members: msgspec.Struct) -> list[Fault]:
        broken = _value(members, name) and _value(members, other) is None
        return [Fault(f"/{name}", f"needs {other}, {reason}")] if broken else []

    return Rule(faults, {"if": _given(name, SOME), "then": _given(other, PRESENT)})


def at_most_where(name: str, most: int, where: str) -> Rule:
    """A number has a lower limit where an object that is not empty stands beside it."""

    def faults(members: msgspec.Struct) -> Iterator[Fault]:
        if _value(members, where) and (_value(members, name) or 0) > most:
            yield Fault(f"/{name}", f"must be <= {most} where {where} are asked for")

    return Rule(faults, {"if": _given(where, SOME), "then": {"properties": {name: {"maximum": most}}}})


def together_at_most(name: str, most: int) -> Rule:
    """All lists of an object together have a limit. JSON Schema has no sums."""

    def faults(members: msgspec.Struct) -> Iterator[Fault]:
        if sum(map(len, _value(members, name).values())) > most:
            yield Fault(f"/{name}", f"all {name} together may have {most} candidates")

    return Rule(faults, {})


def each_holds_an_object(name: str, text: str) -> Rule:
    """A text member of every element of a list is a JSON object. What can be said of that, its own type says."""

    def faults(members: msgspec.Struct) -> Iterator[Fault]:
        for number, one in enumerate(_value(members, name)):
            held = _value(one, text)
            if held is not None and not _is_json_object(held):
                yield Fault(f"/{name}/{number}/{text}", "must be a JSON object, as text")

    return Rule(faults, {})


def stated(rules: Iterable[Rule]) -> dict[str, Any]:
    """What of the rules JSON Schema can say."""
    schemas = [rule.schema for rule in rules if rule.schema]
    return {"allOf": schemas} if schemas else {}


def _given(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": [name], "properties": {name: schema}}


def _value(members: msgspec.Struct, name: str) -> Any:
    return getattr(members, _attribute(type(members), name))


@cache
def _attribute(kind: type[msgspec.Struct], name: str) -> str:
    """The attribute of a type by its name in the document."""
    return fields_of(kind)[name].name


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False

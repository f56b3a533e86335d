"""Requests that are just inside a limit of a member, and just outside it, for every operation that has the member."""

from typing import Any, NamedTuple

from tests.web.limits import COUNTS, EXCEPTIONS, NAMES, NUMBERS, PATTERNS, TEXTS
from tests.web.operations import body_of

FULL: dict[str, Any] = {
    "context": {},
    "filterArn": "arn:aws:personalize:us-east-1:000000000000:filter/f",
    "filterValues": {},
    "metadataColumns": {"ITEMS": []},
    "promotions": [{"filterArn": "f", "filterValues": {}}],
}
"""What stands round a value that is tried."""

ONE: dict[str, Any] = {"eventList": {"eventType": "c", "sentAt": 1}, "promotions": {}, "shelves": ["p1"]}
"""An element of a container that is tried; of others it is a text, and in `metadataColumns` a list."""


def many(where: str, count: int) -> Any:
    """A container of so many elements."""
    name = where.rpartition("promotions.*.")[2]
    if name in ("context", "filterValues", "shelves"):
        return {f"A{place}": ONE.get(name, "x") for place in range(count)}
    if name == "metadataColumns":
        return {column: [] for column in ["ITEMS", "USERS"][:count]}
    return [ONE.get(name, f"p{place % 9}") for place in range(count)]


def with_value(path: str, where: str, value: Any) -> dict[str, Any]:
    """A good request with a value somewhere: elements of containers have it alone, but for their other members."""
    body: dict[str, Any] = {name: FULL[name] for name in FULL if name == where.partition(".")[0]}
    if where.startswith("filterValues"):
        body["filterArn"] = FULL["filterArn"]
    if where == "recommenderArn":
        del (given := body_of(path))["campaignArn"]
        return {**given, where: value}
    return put({**body_of(path), **body}, where.split("."), value)


def put(into: Any, steps: list[str], value: Any) -> Any:
    """The same with a value at the end of the steps."""
    step, *rest = steps
    if isinstance(into, list):
        return [put(into[0], rest, value) if rest and into else value]
    if step == "*":
        name = next(iter(into), "A")
        return {name: put(into.get(name), rest, value) if rest else value}
    return {**(into or {}), step: put((into or {}).get(step, {}), rest, value) if rest else value}


INNER = {"impression.*": "impression.0", "filterValues.*": "filterValues.A"}
"""Members of objects in lists that hold others."""


def pointer_to(where: str) -> str:
    """Where the fault is told to be: elements by their place or name."""
    root, _, inner = where.partition(".*.")
    if root in ("eventList", "promotions"):
        return "/".join(["", root, *["0"] * bool(inner), *INNER.get(inner, inner).split(".")]).rstrip("/")
    root = where.partition(".")[0]
    steps = {"inputList.*": "0", "shelves.*": "a", "shelves.*.*": "a/0", "metadataColumns.*": "ITEMS",
             "metadataColumns.*.*": "ITEMS/0", "context.*": "A", "filterValues.*": "A"}  # fmt: skip
    return f"/{root}/{steps[where]}" if where in steps else f"/{root}"


class Row(NamedTuple):
    """A limit on one operation: bodies just inside, bodies just outside, and where the fault of these is."""

    inside: list[Any]
    outside: list[Any]
    pointer: str


def tries(path: str, kind: str, where: str) -> tuple[list[Any], list[Any]]:
    """Values just inside and just outside a limit."""
    if kind == "text":
        low, high = TEXTS[where]
        if where.endswith("properties"):
            return ['{"a":"%s"}' % ("x" * (high - 8))], ["", '{"a":"%s"}' % ("x" * (high - 7))]
        return ["x" * low, "x" * high, "🛒" * high], [*[""] * low, "x" * (high + 1), "🛒" * (high + 1)]
    if kind == "number":
        low, high = EXCEPTIONS.get((path, where), NUMBERS[where])
        parts = [] if where.endswith("sentAt") else [low + 0.5]
        return [low, high], [low - 1, high + 1, str(low), *parts, True]
    if kind == "count":
        low, high = COUNTS[where]
        return [many(where, low), many(where, high)], [*[many(where, low - 1)] * (low > 0), many(where, high + 1)]
    if kind == "name":
        good, bad = NAMES[where]
        one = [] if where in ("metadataColumns", "shelves") else "x"
        return [{name: one} for name in good], [{name: one} for name in bad]
    return PATTERNS[where]


def row_of(path: str, kind: str, where: str) -> Row:
    """The row of a limit on an operation."""
    inside, outside = ([with_value(path, where, value) for value in values] for values in tries(path, kind, where))
    return Row(inside, outside, pointer_to(where))

"""The limits of members as literals, by where they hold (`*`: any element), and those that the types that decode have.

The tables are what is documented; the walk through the types finds every limit that is checked. A test holds the one
against the other, so that no limit can be added, moved or dropped without its row.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from gateway.web.openapi_operations import OPERATIONS

FAR = 2**63 - 1

TEXTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["campaign", "campaignArn", "recommenderArn", "userId", "itemId", "filterArn"], (1, 256)),
    **dict.fromkeys(["inputList.*", "shelves.*.*", "trackingId", "sessionId", "promotions.*.filterArn"], (1, 256)),
    **dict.fromkeys([f"eventList.*.{name}" for name in ("eventType", "eventId", "itemId", "impression.*")], (1, 256)),
    **dict.fromkeys(["context.*", "filterValues.*", "promotions.*.filterValues.*"], (0, 1_000)),
    "metadataColumns.*.*": (1, 150),
    "eventList.*.properties": (1, 1_024),
    "eventList.*.recommendationId": (1, 40),
    "eventList.*.metricAttribution.eventAttributionSource": (1, 1_024),
}
"""Characters, not bytes."""

COUNTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(["inputList", "shelves.*"], (0, 100_000)),
    "context": (0, 150),
    **dict.fromkeys(["filterValues", "promotions.*.filterValues"], (0, 25)),
    "metadataColumns": (0, 1),
    "metadataColumns.*": (0, 10),
    "shelves": (1, 100),
    "promotions": (0, 1),
    "eventList": (1, 10),
    "eventList.*.impression": (1, 25),
}
NUMBERS: dict[str, tuple[int, int]] = {
    "limit": (0, FAR),
    "offset": (0, FAR),
    "deadlineMs": (1, 30_000),
    "numResults": (0, 500),
    "promotions.*.percentPromotedItems": (1, 100),
    "eventList.*.sentAt": (-62_135_510_400, 253_402_214_400),
}
ACTIONS_MAX = 100

NAMES: dict[str, tuple[list[str], list[str]]] = {
    "context": (["A" * 150, "a_9"], ["", "A" * 151, "a-b", "a b", "a\n", "ä", "\u0663"]),
    **dict.fromkeys(
        ["filterValues", "promotions.*.filterValues"],
        (["A" * 50, "a_9"], ["", "A" * 51, "a-b", "a\n", "ä"]),
    ),
    "metadataColumns": (["ITEMS"], ["", "USERS", "items", "ITEMS\n"]),
    "shelves": (["A" * 64, "a_9.b-c"], ["", "A" * 65, "a b", "a\n", "ä"]),
}
"""Names in objects of any names."""

PATTERNS: dict[str, tuple[list[str], list[str]]] = {
    "promotions.*.name": (["A" * 63, "9_-"], ["", "A" * 64, "-a", "a b", "a\n", "ä"]),
}

EXCEPTIONS = {("/action-recommendations", "numResults"): (0, ACTIONS_MAX)}
"""Where an operation has a limit of its own."""


def limits_of(kind: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every limit of a type: its kind, where it holds, and what it is."""
    match kind:
        case inspect.StrType(pattern=None):
            yield "text", path, (kind.min_length or 0, kind.max_length)
        case inspect.StrType():
            yield "pattern", path, kind.pattern
        case inspect.IntType() | inspect.FloatType() if kind.ge is not None:
            yield "number", path, (kind.ge, kind.le)
        case inspect.ListType() | inspect.DictType():
            yield "count", path, (kind.min_length or 0, kind.max_length)
    if isinstance(kind, inspect.DictType):
        yield "name", path, kind.key_type.pattern
    for where, one in parts_of(kind, path):
        yield from limits_of(one, where)


def parts_of(kind: Any, path: str) -> list[tuple[str, Any]]:
    """The types that a type is made of, and where they hold."""
    match kind:
        case inspect.Metadata():
            return [(path, kind.type)]
        case inspect.UnionType():
            return [(path, one) for one in kind.types]
        case inspect.StructType():
            return [(f"{path}.{field.encode_name}".lstrip("."), field.type) for field in kind.fields]
        case inspect.ListType():
            return [(f"{path}.*", kind.item_type)]
        case inspect.DictType():
            return [(f"{path}.*", kind.value_type)]
    return []


FOUND = [
    (path, *limit)
    for (method, path), operation in OPERATIONS.items()
    if method == "post" and operation.body is not None  # the one PUT is for those who run the gateway
    for limit in limits_of(inspect.type_info(operation.body))
]

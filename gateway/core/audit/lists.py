"""Which lists to ask: as different as they can be, with items in common.

A dependence on the list hides from lists that are alike (two random samples of a catalogue have the same mean of
everything). So the lists differ in size, in strength, in where the items come from and in their order. What the first
answer says decides which items are strong, and which are scored well enough to be compared.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from gateway.core.audit.heard import Heard
from gateway.core.model import SHARP_SCORE
from gateway.core.plan import CALL_LIMIT

T = TypeVar("T")

ITEMS_MIN: Final = 10
"""Fewer items make no lists that differ."""

FEW: Final = 50
"""The small list: as many as a call with metadata may have, a tenth of the large one."""

EXTREME: Final = 100
"""The strongest, and the weakest, that make a list of their own: fewer are more alike."""

SHARED_MAX: Final = 25
"""Items in every list: about the number of anchors of a ranking of 10,000."""

WHOLE, AGAIN, REVERSED = "whole", "again", "reversed"

OTHERS: Final[dict[str, str]] = {
    "few": f"a list of {FEW}",
    "strong": "among the strongest",
    "weak": "among the weakest",
    "elsewhere": "among other items",
    REVERSED: "in reversed order",
}
"""The lists that are compared with the whole one, and what they are called."""


def spread(items: Sequence[T], count: int) -> list[T]:
    """`count` of the items, or all, evenly over the sequence."""
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def whole_list(items: Sequence[str]) -> list[str]:
    """The list of the first call: what a call may have at most, evenly over all items (which are distinct)."""
    return spread(items, CALL_LIMIT)


def other_lists(items: Sequence[str], whole: Sequence[str], first: Heard) -> dict[str, list[str]]:
    """The lists of OTHERS, each of distinct items, by what the whole list was answered."""
    scored = first.scored
    sharp = [item for item, score in scored.items() if score >= SHARP_SCORE]
    shared = spread(sharp, min(SHARED_MAX, max(3, len(whole) // 4)))
    chosen = set(shared)
    rest = [item for item in scored if item not in chosen]
    asked = set(whole)
    elsewhere = [item for item in items if item not in asked][: CALL_LIMIT - len(shared)]
    extreme = min(EXTREME, len(rest) // 3)
    few = max(0, min(FEW, len(whole) // 2) - len(shared))
    return {
        "few": shared + spread(rest, few),
        "strong": shared + rest[:extreme],
        "weak": shared + rest[len(rest) - extreme :],
        "elsewhere": shared + (elsewhere or [item for item in whole[: len(whole) // 2] if item not in chosen]),
        REVERSED: list(reversed(whole)),
    }


def padded(whole: Sequence[str], count: int) -> list[str]:
    """The list brought to a length by items that there cannot be."""
    return [*whole[:count], *made_up(count - len(whole))]


def made_up(count: int) -> list[str]:
    """Ids that no catalogue has."""
    return [f"rerank-gateway-audit-no-such-item-{number}" for number in range(count)]

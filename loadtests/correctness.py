"""What is right about an answer, whatever the load: pure checks, with nothing but the standard library.

Stands beside `locustfile.py`, which takes it along wherever it runs.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

QUANTUM: Final = 1e-7
"""What the service rounds scores to."""

ERROR: Final = 2e-3
"""What two scores may differ by beside their rounding: twice the error that asks for a bridge."""


def wrong_page(ranked: Sequence[dict[str, Any]], candidates: set[str]) -> str | None:
    """What is wrong with a page: None, or the rule that it breaks."""
    items = [one["itemId"] for one in ranked]
    if len(set(items)) < len(items):
        return "an item twice"
    if not candidates.issuperset(items):
        return "an item that was not asked for"
    scores = [one["score"] for one in ranked if "score" in one]
    if any(after > before for before, after in pairwise(scores)):
        return "scores that rise"
    return None


def wrong_order(ranked: Sequence[dict[str, Any]], resolved: int, ideal: dict[str, float]) -> str | None:
    """What is wrong with an order down to the rank that is resolved, beside the ideal scores over the whole catalogue.

    A neighbour may stand too high by what rounding hides: half a quantum of a score in a call, on either side; and by
    the error of the scale. In which call an item got its place cannot be seen from here (perhaps long ago, for another
    list, between the user's favourites); but no call holds more than the catalogue, so its score there was not below
    the ideal one over the catalogue.
    """
    excess, _, _ = worst_pair(ranked, resolved, ideal)
    return "an order that is not the ideal one" if excess > 1 else None


def worst_pair(ranked: Sequence[dict[str, Any]], resolved: int, ideal: dict[str, float]) -> tuple[float, int, float]:
    """The neighbours in the worst order: by how much, as a share of what may be, at which place, and the ideal score
    of the one that stands too high."""
    falling = [ideal[one["itemId"]] for one in ranked[:resolved]]
    worst = (0.0, 0, 0.0)
    for place, (high, low) in enumerate(pairwise(falling)):
        if low > high:
            allowed = ERROR + QUANTUM / high
            worst = max(worst, ((low / high - 1) / allowed, place, high))
    return worst

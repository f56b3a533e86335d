"""The history of a run, and what is wrong with it: pure, so that a verdict can be had again from the file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tests.support.model_upstream.logits import worst_inversion

LATE_S: Final = 0.050
"""An answer may come so long after its deadline (design: "none later than deadline + 50 ms")."""

INVERSION_MAX: Final = 0.1
"""By how much a worse-liked item may stand before another: ten quanta at the least scores of this model's calls."""

STATUSES: Final = frozenset({200, 429, 503, 504})
UNRANKED: Final = frozenset({"upstream", "deadline"})
"""Flags of answers whose end is not ranked, but in the caller's order."""


class Seen(msgspec.Struct, frozen=True):
    """One request, and what came: which window of the items, for whom, by when; the items of the answer by their
    numbers, and how many of them have a score. `lost_s` is what a late one lost near its ends because the machine stood
    still (`stillness`)."""

    sent_s: float
    user: str
    first: int
    count: int
    deadline_s: float
    took_s: float
    status: int
    degraded: str | None = None
    order: list[int] = []
    scored: int = 0
    retry_after: bool = False
    lost_s: float = 0.0

    @property
    def late_s(self) -> float:
        """By how much it came later than it may; below 0 if it was in time."""
        return self.took_s - self.deadline_s - LATE_S


def item(number: int) -> str:
    """The name of an item."""
    return f"item-{number:06}"


def faults_of(seen: Seen) -> list[str]:
    """The promises that one answer breaks."""
    faults = []
    if seen.late_s > seen.lost_s:
        faults.append("late")
    if seen.status not in STATUSES:
        faults.append(f"status {seen.status}")
    if seen.status in (429, 503) and not seen.retry_after:
        faults.append("refused without Retry-After")
    if seen.status != 200:
        return faults
    asked = range(seen.first, seen.first + seen.count)
    if len(seen.order) != seen.count or set(seen.order) != set(asked):
        faults.append("not every candidate once")
    if seen.degraded is None and seen.scored < seen.count:
        faults.append("not whole, and not flagged")
    if worst_inversion(seen.user, [item(number) for number in seen.order[: seen.scored]]) > INVERSION_MAX:
        faults.append("not in the order of this user")
    if seen.degraded in UNRANKED and seen.order[seen.scored :] != sorted(seen.order[seen.scored :]):
        faults.append("the rest not in the caller's order")
    return faults


def verdict(history: Iterable[Seen]) -> dict[str, int]:
    """How often each promise was broken."""
    return dict(Counter(fault for seen in history for fault in faults_of(seen)))


def kinds(history: Sequence[Seen]) -> dict[str, int]:
    """How many answers of each kind there were."""
    names = Counter(f"200 {seen.degraded}" if seen.degraded else str(seen.status) for seen in history)
    return dict(sorted(names.items()))


def waited(history: Iterable[Seen]) -> list[dict[str, float]]:
    """The answers that were late, but by no more than the machine stood still: by how much, and for how long."""
    return [
        {"sentS": round(seen.sent_s, 3), "lateMs": round(1e3 * seen.late_s), "lostMs": round(1e3 * seen.lost_s)}
        for seen in history
        if 0 < seen.late_s <= seen.lost_s
    ]

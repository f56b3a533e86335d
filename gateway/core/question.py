"""A question is one GetRecommendations or GetActionRecommendations request; a listing is the answer to it.

Unlike a ranking, a listing is the service's own choice of items: it cannot be cut into calls and joined again, so it
is passed on as it came and kept whole, under everything that was asked. It is checked before it is believed all the
same: one that is longer than what was asked for, names an item twice, or holds a score that is no number, is a failed
call.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.core.errors import Malformed
from gateway.core.model import Subject


class Operation(StrEnum):
    """The operations that answer with a listing, by the names of the service."""

    RECOMMENDATIONS = "GetRecommendations"
    ACTIONS = "GetActionRecommendations"


RESULTS_MAX: Final[Mapping[Operation, int]] = {Operation.RECOMMENDATIONS: 500, Operation.ACTIONS: 100}
"""Results that the service gives at most."""

RESULTS_WITH_METADATA_MAX: Final = 50

RECOMMENDER: Final = ":recommender/"
"""What the ARN of a recommender holds, and that of a campaign does not."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a share of a listing is reserved for; a member is None where it was not given."""

    name: str | None
    percent: int | None
    filter_arn: str | None
    filter_values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, but for the ARN, which is the gate's to choose. The subject's user and `item_id` may be empty.

    `results` is None where the number was left to the service; `columns` are the metadata columns by dataset.
    """

    operation: Operation
    subject: Subject
    results: int | None = None
    item_id: str = field(default="", repr=False)
    promotions: tuple[Promotion, ...] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def results_max(self) -> int:
        """Entries that an answer may have."""
        return RESULTS_MAX[self.operation] if self.results is None else self.results


@dataclass(frozen=True, slots=True)
class Listing:
    """An answer: `body` is its JSON, checked, without nulls and without members that the service does not document.

    `entries` is how many items or actions it has. `epoch` and `created_s` (wall seconds, of when it was asked for) are
    those of a frame.
    """

    body: bytes = field(repr=False)
    entries: int
    epoch: int = 0
    created_s: float = 0.0


def check_listing(
    question: Question,
    names: Sequence[tuple[str, str | None]],
    scores: Sequence[float | None],
) -> None:
    """Raise `Malformed` for a listing that may not be believed.

    `names` are the id of each entry and the promotion that it came by, None for none: an item that is promoted may
    stand among the others as well.
    """
    if len(names) > question.results_max:
        raise Malformed("the answer has more entries than were asked for")
    if len(set(names)) < len(names) or not all(name for name, _ in names):
        raise Malformed("the answer names an item twice, or one without a name")
    if not all(score is None or (math.isfinite(score) and score >= 0.0) for score in scores):
        raise Malformed("a score is not a number that a model gives")

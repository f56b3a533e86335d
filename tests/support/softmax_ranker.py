"""A `Ranker` in this process that answers as the service does: a softmax of each call, rounded to 7 decimals.

It counts what it was asked, and fails on demand, so the service and the doors can be tested without a network.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gateway.core.answer import Answer, check_answer
from gateway.core.errors import InvalidInput
from gateway.ports import Call

DECIMALS = 7
METADATA_MAX = 50
BARE = "bare-"
"""Items whose names begin like this have no metadata."""


def metadata_of(item: str, columns: Sequence[str]) -> dict[str, str] | None:
    """What the service tells of an item: the columns in lower case."""
    return None if item.startswith(BARE) else {column.lower(): f"{column} of {item}" for column in columns}


def softmax_scores(logits: Sequence[float]) -> np.ndarray:
    """One softmax over all the logits, unrounded."""
    weights = np.exp(np.asarray(logits, dtype=float) - max(logits, default=0.0))
    return weights / weights.sum() if len(weights) else weights


def respond(
    items: Sequence[str], logits: Mapping[str, float], excluded: frozenset[str] = frozenset()
) -> list[tuple[str, float | None]]:
    """What one call answers: (item, score) best first; items without a logit last, in input order, without a score."""
    kept = [item for item in items if item not in excluded]
    known = sorted((item for item in kept if item in logits), key=lambda item: -logits[item])
    scores = np.round(softmax_scores([logits[item] for item in known]), DECIMALS).tolist()
    return [*zip(known, scores, strict=True), *((item, None) for item in kept if item not in logits)]


class SoftmaxRanker:
    """Ranks by the logits of every user (`logits_of(user_id)`).

    `delay_s` is how long every call takes; `fails`, if set, is asked before each call (with its number from 0) and may
    return an exception to raise, or "hang" to never answer.
    """

    def __init__(
        self,
        logits_of: Callable[[str], Mapping[str, float]],
        *,
        delay_s: float = 0.0,
        excluded: frozenset[str] = frozenset(),
        fails: Callable[[int, Call], Exception | str | None] | None = None,
    ) -> None:
        self.logits_of = logits_of
        self.delay_s = delay_s
        self.excluded = excluded
        self.fails = fails
        self.calls: list[Call] = []
        self.in_flight = 0
        self.in_flight_max = 0
        self.cancelled = 0

    async def rank(self, call: Call) -> Answer:
        number = len(self.calls)
        self.calls.append(call)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            failure = self.fails(number, call) if self.fails is not None else None
            if isinstance(failure, Exception):
                raise failure
            await (asyncio.Event().wait() if failure == "hang" else asyncio.sleep(self.delay_s))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        if call.metadata_columns and len(call.items) > METADATA_MAX:
            raise InvalidInput("too many items for a call with metadata")
        rows = respond(call.items, self.logits_of(call.subject.user_id), self.excluded)
        answer = check_answer(
            call.items,
            [item for item, _ in rows],
            [score for _, score in rows],
            f"RID-{number}",
            filtered=call.subject.filter_arn is not None,
        )
        if not call.metadata_columns:
            return answer
        return replace(answer, metadata=[metadata_of(item, call.metadata_columns) for item, _ in rows])

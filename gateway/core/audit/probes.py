"""What else a campaign does, for people who want to know: nothing here decides the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from gateway.core.audit.heard import Heard, RawAnswer


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of the answers without a filter: the longest one's decimals, shares of items, ends of the sums."""

    decimals: int
    rounded_to_zero: float
    unscored: float
    sum_min: float
    sum_max: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """What made-up items got: `treated` in a word, and whether they came after all others."""

    treated: str
    last: bool


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What came back for a list with repeated items: entries, and distinct items of both."""

    asked: int
    asked_distinct: int
    came: int
    came_distinct: int
    total: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Of calls of about this size, in milliseconds."""

    items: int
    calls: int
    median_ms: float
    max_ms: float


def describe_scores(answers: Sequence[Heard]) -> Scores:
    """Sum up the answers to lists without a filter and without made-up items; there is at least one."""
    entries = sum(len(one.items) for one in answers)
    scored = [one.scores[~np.isnan(one.scores)] for one in answers]
    every = np.concatenate(scored)
    sums = [float(one.sum()) for one in scored]
    return Scores(
        decimals=max((decimals_of(score) for score in np.unique(every).tolist()), default=0),
        rounded_to_zero=float((every == 0.0).sum()) / max(1, entries),
        unscored=(entries - len(every)) / max(1, entries),
        sum_min=min(sums),
        sum_max=max(sums),
    )


def decimals_of(score: float) -> int:
    """Digits after the point, as the shortest text that means this number has them."""
    exponent = Decimal(repr(score)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def describe_unknown(answer: Heard, unknown: Sequence[str]) -> Unknown:
    """What became of the items that were made up."""
    made_up = set(unknown)
    places = [place for place, item in enumerate(answer.items) if item in made_up]
    if len(places) < len(made_up):
        return Unknown("left out", last=False)
    scores = answer.scores[places]
    last = min(places) == len(answer.items) - len(made_up)
    if np.isnan(scores).all():
        return Unknown("no score", last)
    return Unknown("score 0" if not np.nan_to_num(scores).any() else "a score", last)


def describe_duplicates(asked: Sequence[str], answer: RawAnswer) -> Duplicates:
    """What a list with repeated items got."""
    came = [str(item) for item in answer.items]
    total = sum(score for score in answer.scores if isinstance(score, int | float))
    return Duplicates(len(asked), len(set(asked)), len(came), len(set(came)), float(total))


def describe_latency(items: int, latencies_ms: Sequence[float]) -> Latency | None:
    """Sum up the latencies of calls of one size; None if there were none."""
    if not latencies_ms:
        return None
    return Latency(items, len(latencies_ms), float(np.median(latencies_ms)), max(latencies_ms))

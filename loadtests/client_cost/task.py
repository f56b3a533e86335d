"""The work that all contestants do: which items, what the model thinks of them, and the bytes of a request."""

from collections.abc import Iterator
from random import Random
from statistics import NormalDist
from typing import Final

import msgspec

from gateway.core.plan import plan_ranking

ARN: Final = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
CAMPAIGN: Final = "demo"
SEED: Final = 1


def items_of(count: int) -> list[str]:
    """Ids of 14 characters, so that 10,000 of them make a body of 170 kB."""
    return [f"item-{number:09}" for number in range(count)]


def logits_of(count: int) -> list[float]:
    """A fixed logit for every item: the quantiles of a standard normal, dealt at random."""
    logits = [NormalDist().inv_cdf((number + 0.5) / count) for number in range(count)]
    Random(SEED).shuffle(logits)
    return logits


def ideal_of(count: int) -> list[str]:
    """The items, best first."""
    items, logits = items_of(count), logits_of(count)
    return [items[place] for place in sorted(range(count), key=logits.__getitem__, reverse=True)]


def request_body(user: str, items: list[str]) -> bytes:
    """The body of `POST /v1/rerank`; the floors get the very same bytes."""
    return msgspec.json.encode({"campaign": CAMPAIGN, "userId": user, "inputList": items})


def shape_of(count: int) -> tuple[int, int]:
    """Anchors and calls of the gateway's plan for this many cold candidates: 25 and 21 for 10,000."""
    plan = plan_ranking(items_of(count))
    return len(plan.anchors), len(plan.chunks)


def chunks_of(items: list[str], anchors: int, calls: int) -> Iterator[list[str]]:
    """Lists of the sizes that the gateway sends: some items in all of them, the others dealt round."""
    shared = items[:anchors]
    return (shared + items[anchors + call :: calls] for call in range(calls))

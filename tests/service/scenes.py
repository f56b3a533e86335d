"""Users, candidates and requests of the service tests, and the ideal ranking to hold the answers against."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

from gateway.core.budget import Budget
from gateway.core.model import Subject
from gateway.core.routing import Campaign
from gateway.service.result import Request, Result
from gateway.service.service import Service
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN, make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock

SIGMA = 2.0


def catalogue(count: int, seed: int = 1, sigma: float = SIGMA) -> dict[str, float]:
    """Items and one user's logits, in the order of an upstream list that knows the user a little."""
    random = Random(seed)
    logits = {f"item-{number:06}": random.gauss(0.0, sigma) for number in range(count)}
    return dict(sorted(logits.items(), key=lambda one: -one[1] + random.gauss(0.0, sigma)))


def service_of(ranker: SoftmaxRanker, **options: object) -> Service:
    """The service on the virtual clock."""
    return make_service(ranker, clock=VirtualClock(), **options)  # type: ignore[arg-type]


async def rerank(
    service: Service,
    items: Sequence[str],
    *,
    user_id: str = USER,
    duration_s: float = 1.0,
    campaign: Campaign | None = None,
    context: Mapping[str, str] | None = None,
    filter_arn: str | None = None,
    page_end: int | None = None,
    drains: bool = True,
) -> Result:
    """One ranking and, where it `drains`, the end of what it left to the background."""
    campaign = campaign or Campaign("demo", ARN)
    now_s = asyncio.get_running_loop().time()
    subject = Subject(campaign.name, user_id, context or {}, filter_arn)
    budget = Budget.of(now_s, duration_s, len(items))
    result = await service.reranker.rerank(Request(campaign, subject, list(items), budget, page_end=page_end))
    if drains:
        await service.reranker.frames.background.drain(1.0)
    return result


def order(result: Result) -> list[str]:
    """The ranked item ids."""
    return [result.candidates[place] for place in result.ranking.order.tolist()]


def ideal(logits: Mapping[str, float], items: Sequence[str]) -> list[str]:
    """The order that one unlimited call would give: known ones by logit, unknown ones as they came."""
    known = sorted((item for item in items if item in logits), key=lambda item: -logits[item])
    return known + [item for item in items if item not in logits]


def stars(count: int = 5_000) -> dict[str, float]:
    """A very peaked user: forty items hold all the mass, so anchors spread over the list are pressed to nothing."""
    return catalogue(count, sigma=1.0) | {f"star-{number}": 14.0 + 0.1 * number for number in range(40)}


def falls(items: Sequence[str], logits: Mapping[str, float], slack: float = 0.2) -> bool:
    """Whether the logits fall along the items, but for swaps of neighbours that rounding may hide (`slack`)."""
    lowest = float("inf")
    for item in items:
        if logits[item] > lowest + slack:
            return False
        lowest = min(lowest, logits[item])
    return True


def agrees(result: Result, logits: Mapping[str, float]) -> bool:
    """Whether the first hundred are the ideal first hundred, all items are there once, and the scores are a softmax."""
    ranked, best = order(result), ideal(logits, result.candidates)
    whole = sorted(ranked) == sorted(result.candidates)
    return whole and set(ranked[:100]) == set(best[:100]) and abs(result.ranking.scores.sum() - 1.0) < 1e-9

"""A user's evening: sixty overlapping lists through one frame, against the ideal ranking and the price of the union."""

import math
from random import Random

import pytest

from gateway.core.plan import ANCHORS_MIN, CALL_LIMIT
from tests.service.scenes import agrees, catalogue, rerank, service_of
from tests.support.softmax_ranker import SoftmaxRanker

ROUNDS = 60


@pytest.mark.parametrize("seed", range(4))
async def test_sixty_overlapping_lists_cost_their_union(seed: int) -> None:
    """Every list is in the ideal order; all together cost one call a round with missing items more than their union."""
    random = Random(seed)
    logits = catalogue(6_000, seed=100 + seed)
    items = list(logits)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker, fresh_s=3_600.0)
    asked: set[str] = set()
    rounds_with_missing = 0
    for _ in range(ROUNDS):
        start = random.randrange(len(items))
        near = items[start : start + random.randrange(50, 1_500)]
        wanted = list(dict.fromkeys(near + random.sample(items, random.randrange(1, 200))))
        rounds_with_missing += not set(wanted) <= asked
        asked |= set(wanted)
        result = await rerank(service, wanted)
        assert agrees(result, logits)
        assert result.degraded is None
        assert result.usage.drifts == 0
    union = math.ceil((len(asked) - ANCHORS_MIN) / (CALL_LIMIT - ANCHORS_MIN))
    assert len(ranker.calls) <= union + rounds_with_missing

"""How calls are made: retried once if that can help, bounded in number and rate, spread over replicas."""

import pytest

from gateway.core.errors import AccessDenied, Unavailable
from gateway.core.routing import Campaign
from gateway.service.gates import GATES_MAX, Gates
from tests.service.scenes import agrees, catalogue, rerank, service_of
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock


async def test_a_passing_failure_is_retried_once() -> None:
    """A call that fails once answers on its second try; both tries are counted as billed."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda n, _: Unavailable("blip") if n == 0 else None)
    result = await rerank(service_of(ranker), list(logits))
    assert agrees(result, logits)
    assert result.degraded is None
    assert (result.usage.upstream_calls, result.usage.retries) == (5, 1)
    assert len(ranker.calls) == 5


async def test_a_failure_that_stays_is_not_tried_for_ever() -> None:
    """An upstream that is down sees every call once, and a tenth of them (at least one) twice."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits, fails=lambda _, __: Unavailable("down"))
    with pytest.raises(Unavailable):
        await rerank(service_of(ranker), list(logits))
    assert len(ranker.calls) == 5


async def test_what_cannot_get_better_is_not_retried() -> None:
    """Refused credentials are asked once."""
    ranker = SoftmaxRanker(lambda _: {}, fails=lambda _, __: AccessDenied("no"))
    with pytest.raises(AccessDenied):
        await rerank(service_of(ranker), ["a"])
    assert len(ranker.calls) == 1


async def test_no_retry_is_begun_that_cannot_end_in_time() -> None:
    """A failure just before the deadline is an outcome, not a reason to send one more call."""
    ranker = SoftmaxRanker(lambda _: {}, fails=lambda _, __: Unavailable("down"))
    with pytest.raises(Unavailable):
        await rerank(service_of(ranker), ["a"], duration_s=0.005)
    assert len(ranker.calls) == 1


async def test_calls_under_way_are_bounded() -> None:
    """A campaign never has more calls under way than its limit, however many rankings there are."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=0.01)
    campaign = Campaign("narrow", ARN, concurrency_max=4)
    result = await rerank(service_of(ranker), list(logits), campaign=campaign)
    assert ranker.in_flight_max == 4
    assert agrees(result, logits)
    assert result.timing.queue_s == pytest.approx(0.05)


async def test_the_rate_ceiling_spaces_calls() -> None:
    """Beyond one second's worth of calls the others wait their turn."""
    logits = catalogue(10_000)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    began_s = service.clock.now_s()
    result = await rerank(service, list(logits), campaign=Campaign("paced", ARN, tps=10.0), duration_s=5.0)
    assert agrees(result, logits)
    assert service.clock.now_s() - began_s == pytest.approx(1.1)


async def test_replicas_share_the_calls_of_one_ranking() -> None:
    """Calls take turns over the ARNs of a campaign, and their scores still make one scale."""
    logits = catalogue(10_000)
    other = ARN.replace("demo", "demo-2")
    ranker = SoftmaxRanker(lambda _: logits)
    result = await rerank(service_of(ranker), list(logits), campaign=Campaign("wide", ARN, (other,)))
    asked = [call.arn for call in ranker.calls]
    assert {asked.count(ARN), asked.count(other)} == {10, 11}
    assert agrees(result, logits)


async def test_gates_do_not_pile_up() -> None:
    """Callers who name ever new ARNs do not grow the gateway; a campaign keeps its gate while it is used."""
    gates = Gates(VirtualClock())
    kept = gates.of(Campaign("kept", ARN))
    for number in range(GATES_MAX + 50):
        gates.of(Campaign(f"c-{number}", ARN))
        assert gates.of(Campaign("kept", ARN)) is kept
    assert len(gates._gates) == GATES_MAX

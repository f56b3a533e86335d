"""Variants: every arm is a campaign of its own, with its calls, its permits and its frames."""

import pytest

from gateway.core.keys import frame_key
from gateway.core.model import Subject
from gateway.core.routing import Campaign, variant_for
from gateway.service.gates import Gates
from gateway.service.result import Request
from tests.service.scenes import Budget, agrees, catalogue, service_of
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock

ARMS = tuple(Campaign("demo", f"{ARN}-{variant}", variant=variant, tps=100.0) for variant in ("a", "b"))
WHOLE = Campaign("demo", "", variants=ARMS)


def user_of(variant: str) -> str:
    """A user of a variant."""
    return next(user for user in map(str, range(100)) if variant_for(WHOLE, user).variant == variant)


async def ranked(service, user_id: str, items: list[str], campaign: Campaign):
    """One ranking, as the doors ask for it."""
    arm = variant_for(campaign, user_id)
    subject = Subject(arm.name, user_id, variant=arm.variant)
    budget = Budget.of(service.clock.now_s(), 1.0, len(items))
    result = await service.reranker.rerank(Request(arm, subject, items, budget))
    await service.reranker.frames.background.drain(1.0)
    return result


@pytest.mark.parametrize("variant", ["a", "b"])
async def test_a_users_calls_go_to_the_users_variant(variant: str) -> None:
    """All calls of a ranking go to the ARN of the variant, and the result says which it was."""
    logits = catalogue(1_900)
    ranker = SoftmaxRanker(lambda _: logits)
    result = await ranked(service_of(ranker), user_of(variant), list(logits), WHOLE)
    assert {call.arn for call in ranker.calls} == {f"{ARN}-{variant}"}
    assert result.variant == variant
    assert agrees(result, logits)


async def test_frames_of_variants_are_apart() -> None:
    """When a user is moved to another variant, what the first one said is not used."""
    logits = catalogue(400)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    for arm in ARMS:
        assert (await ranked(service, "u", list(logits), arm)).usage.cached == 0
        assert (await ranked(service, "u", list(logits), arm)).usage.cached == 400
    assert [call.arn for call in ranker.calls] == [f"{ARN}-a", f"{ARN}-b"]


def test_keys_of_variants_are_apart() -> None:
    """Two variants, and no variant, have keys of their own, under the user's one key."""
    keys = {frame_key(Subject("demo", "u", variant=variant)) for variant in ("", "a", "b")}
    assert len(keys) == 3
    assert len({key.user for key in keys}) == 1


async def test_permits_of_variants_are_apart() -> None:
    """Each variant has its gate, with its own limits; the same one every time."""
    gates = Gates(VirtualClock())
    first, second = (gates.of(arm) for arm in ARMS)
    assert first is not second
    assert gates.of(ARMS[0]) is first
    assert [lane.arn for lane in first.lanes] == [f"{ARN}-a"]
    assert "demo/a" in repr(first)


async def test_an_event_ends_the_frames_of_all_variants() -> None:
    """What a user did counts in every arm."""
    logits = catalogue(400)
    service = service_of(SoftmaxRanker(lambda _: logits), settle_s=0.0)
    for arm in ARMS:
        await ranked(service, "u", list(logits), arm)
    assert await service.reranker.forget_user("", "u")
    for arm in ARMS:
        assert (await ranked(service, "u", list(logits), arm)).usage.cached == 0

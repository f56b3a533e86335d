"""What an explained answer tells of its attempts: enough to draw them."""

from typing import Any

import msgspec
import pytest

from gateway.core.errors import Throttled
from gateway.web import answers
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, Client, ask, items, native


def attempts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """All attempts of all plans."""
    return [one for plan in answer["plan"] for one in plan["attempts"]]


async def test_attempts_belong_to_the_calls_of_the_plan(client: Client) -> None:
    """There is one for every call, of its size, within the time of the request; all are billed."""
    answer = await ask(client, NATIVE, native(items(900), explain=True))
    (plan,) = msgspec.convert(answer, answers.RerankAnswer).plan  # type: ignore[misc]
    assert {one.call: one.items for one in plan.attempts} == dict(enumerate(plan.sizes))
    assert len(plan.attempts) == answer["usage"]["upstreamCalls"]
    for one in plan.attempts:
        assert (one.round, one.kind, one.outcome, one.error) == ("plan", "first", "answered", None)
        assert 0 <= one.began_ms <= one.ended_ms <= answer["timing"]["totalMs"]


async def test_a_retry_is_told_with_its_reason(connect: Connect) -> None:
    """A throttle names the problem as an error of the gateway would."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda n, _: Throttled("no", 0.0) if n == 0 else None)
    answer = await ask(await connect(ranker=ranker), NATIVE, native(explain=True))
    told = [(one["kind"], one["outcome"], one["error"]) for one in attempts(answer)]
    assert told == [("first", "throttled", "throttled"), ("retry", "answered", None)]


@pytest.mark.parametrize("count", [30, 700])
async def test_calls_for_metadata_are_told(client: Client, count: int) -> None:
    """The log accounts for every billed call, also for those that only asked for metadata, in a plan of their own."""
    answer = await ask(client, NATIVE, native(items(count), explain=True, limit=20, metadataColumns={"ITEMS": ["T"]}))
    msgspec.convert(answer, answers.RerankAnswer)
    assert len(attempts(answer)) == answer["usage"]["upstreamCalls"]
    alone = [(plan["calls"], plan["failures"], plan["attempts"][0]["round"]) for plan in answer["plan"][1:]]
    assert alone == ([(1, [], "metadata")] if count == 700 else [])


async def test_nothing_is_told_unasked(client: Client) -> None:
    """Without `explain` there is no plan; an answer out of the frame had no attempts."""
    assert "plan" not in await ask(client, NATIVE, native())
    assert attempts(await ask(client, NATIVE, native(explain=True))) == []

"""Some calls of one ranking fail and some do not: never half a model's order that does not say so."""

import asyncio
from itertools import combinations

import pytest

from gateway.core.plan import plan_ranking
from tests.faults.conftest import Start
from tests.faults.naive import Naive
from tests.faults.parts import arn_of, items, whole
from tests.support.model_upstream.faults import Faults, Rule
from tests.support.model_upstream.logits import worst_inversion
from tests.support.model_upstream.server import ModelUpstream

SIZES = {1: 300, 2: 800, 3: 1_300, 4: 1_800}
"""Candidates that take so many calls."""

SUBSETS = [
    (calls, lost) for calls in SIZES for count in range(1, calls + 1) for lost in combinations(range(calls), count)
]


async def test_every_subset_of_calls(start: Start) -> None:
    """Whichever calls are lost, their candidates and no others stand unranked; if all are, the caller is told."""
    gateway = await start()  # without campaigns any ARN may be called: each subset has one that nothing happened to
    for number, (calls, lost) in enumerate(SUBSETS):
        candidates = items(SIZES[calls])
        plan = plan_ranking(candidates)
        assert len(plan.chunks) == calls
        witnesses = [plan.items(plan.chunks[call])[-1] for call in lost]
        arn = arn_of(f"subset-{number}")
        gateway.upstream.set(Faults(rules=tuple(Rule(play="error", holding=item) for item in witnesses)), arn)
        said = await gateway.ask(arn, "user-a", candidates)
        if len(lost) == calls:
            assert (said.status, said.slug) == (503, "upstream-unavailable")
            continue
        anchors = {plan.universe[place] for place in plan.anchors.tolist()}
        expected = {item for call in lost for item in plan.items(plan.chunks[call])} - anchors
        unranked = {entry["itemId"] for entry in said.body["personalizedRanking"] if "score" not in entry}
        assert (said.flag, unranked) == ("upstream", expected)


async def test_what_was_lost_is_asked_again(start: Start) -> None:
    """A partial answer is not kept as a whole one: once the campaign is well, the next answer is whole."""
    gateway = await start()
    arn, candidates = arn_of("mended"), items(SIZES[2])
    plan = plan_ranking(candidates)
    gateway.upstream.set(Faults(rules=(Rule(play="error", holding=plan.items(plan.chunks[1])[-1]),)), arn)
    assert not whole(await gateway.ask(arn, "user-a", candidates))
    gateway.upstream.set(None, arn)
    assert whole(await gateway.ask(arn, "user-a", candidates))


async def test_a_naive_fan_out_loses_everything(upstream: ModelUpstream, plain: Naive) -> None:
    """The positive control: of two calls one is lost, and the naive fan-out has no answer; whole, it ranks wrongly."""
    arn, candidates = arn_of("demo"), items(800)
    chunks = [candidates[:500], candidates[500:]]

    async def fan_out() -> list[str]:
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(plain.rank(arn, "user-a", chunk)) for chunk in chunks]
        scored = [pair for call in calls for pair in zip(*call.result(), strict=True)]
        return [item for item, _ in sorted(scored, key=lambda pair: -pair[1])]

    assert worst_inversion("user-a", await fan_out()) > 0.1
    upstream.set(Faults(rules=(Rule(play="error", holding=candidates[-1]),)))
    with pytest.raises(ExceptionGroup):
        await fan_out()

"""The chaos proxy between gateway and campaign: whatever happens to the bytes, no answer is wrong or stays away."""

import asyncio

import pytest

from tests.faults.conftest import Start
from tests.faults.naive import naive
from tests.faults.parts import AMPLE_MS, SHORT_MS, WITHIN_S, Gateway, Said, arn_of, gateway_tasks, items, whole
from tests.support.chaos_proxy.proxy import ChaosProxy, proxying
from tests.support.chaos_proxy.schedule import Step, drawn, parsed
from tests.support.model_upstream.faults import Faults, Lognormal
from tests.support.model_upstream.server import ModelUpstream

FEW = items(60)
TWO_CALLS = items(800)


def proxied(upstream: ModelUpstream, steps: str = "", seed: int = 0):
    """A proxy in front of the endpoint."""
    port = int(upstream.url.rpartition(":")[2])
    return proxying(("127.0.0.1", port), parsed(steps), seed=seed)


async def crowd(gateway: Gateway, campaign: str, users: range, deadline_ms: int | None = None) -> list[Said]:
    """All these users at once, each with another part of the candidates."""
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(gateway.ask(campaign, f"user-{n}", TWO_CALLS[n:], deadline_ms=deadline_ms)) for n in users
        ]
    return [task.result() for task in asking]


@pytest.mark.parametrize(
    "steps",
    ["latency:delay_s=0.02:jitter_s=0.02", "slice:piece_bytes=700", "latency:delay_s=0.01/up;slice:piece_bytes=900/up"],
)
async def test_slow_and_sliced_answers_are_whole(start: Start, upstream: ModelUpstream, steps: str) -> None:
    """Answers that come late or in pieces, are whole and each user's own."""
    async with proxied(upstream, steps) as proxy:
        gateway = await start(proxy.url, demo={})
        assert all(whole(said) for said in await crowd(gateway, "demo", range(8)))
        assert proxy.stats.done


@pytest.mark.parametrize("steps", ["drip", "blackhole", "blackhole/up", "latency:delay_s=60"])
async def test_answers_that_do_not_come(start: Start, upstream: ModelUpstream, steps: str) -> None:
    """What never arrives is over at the deadline; a naive client waits on. When the network is well, so are answers."""
    async with proxied(upstream, steps) as proxy, naive(proxy.url) as plain:
        gateway = await start(proxy.url, demo={}, kind={"fallback": "input-order"})
        said = await gateway.ask("demo", "user-a", FEW, deadline_ms=SHORT_MS)
        assert (said.status, said.slug) == (504, "deadline")
        said = await gateway.ask("kind", "user-a", FEW, deadline_ms=SHORT_MS)
        assert (said.status, said.flag) == (200, "fallback")
        assert await plain.outcome(arn_of("demo"), "user-a", FEW) == "late"
        proxy.steps = []
        assert whole(await gateway.ask("demo", "user-b", FEW))


@pytest.mark.parametrize("toxic", ["reset", "truncate", "half-close"])
@pytest.mark.parametrize("after_bytes", [0, 20, 2_000])
async def test_answers_that_break_off(start: Start, upstream: ModelUpstream, toxic: str, after_bytes: int) -> None:
    """An answer that breaks off before its head, in it or in its body is none; a naive client raises."""
    async with proxied(upstream, f"{toxic}:after_bytes={after_bytes}") as proxy, naive(proxy.url) as plain:
        gateway = await start(proxy.url, demo={}, other={})
        said = await gateway.ask("demo", "user-a", FEW, deadline_ms=AMPLE_MS)
        assert (said.status, said.slug in {"upstream-unavailable", "upstream-malformed"}) == (503, True)
        assert await plain.outcome(arn_of("demo"), "user-a", FEW, patience_s=WITHIN_S) == "raises"
        proxy.steps = []
        assert whole(await gateway.ask("other", "user-a", FEW))


async def test_swapped_replies_are_never_believed(start: Start, upstream: ModelUpstream) -> None:
    """Another call's answer is none: no user is given a ranking of what somebody else asked for.

    Answers name no user, so the items are all that tells them apart; of two users who ask for the very same list only
    TLS keeps the answers apart. So the users here ask for different lists.
    """
    upstream.set(Faults(latency=Lognormal(0.02)))
    async with proxied(upstream, "swap:hold_s=0.5") as proxy:
        gateway = await start(proxy.url, demo={})
        said = await crowd(gateway, "demo", range(6), AMPLE_MS)
        assert proxy.stats.done["swap"] > 0
        assert any(not whole(one) for one in said) or upstream.stats.attempts > 12, "the swaps were met"


async def test_a_naive_client_believes_swapped_replies(upstream: ModelUpstream) -> None:
    """The positive control: two naive callers at once are each given the other's ranking, and notice nothing."""
    upstream.set(Faults(latency=Lognormal(0.02)))
    async with proxied(upstream, "swap:hold_s=5") as proxy, naive(proxy.url) as plain:
        async with asyncio.TaskGroup() as group:
            mine = group.create_task(plain.rank(arn_of("demo"), "user-a", ["a", "b", "c"]))
            theirs = group.create_task(plain.rank(arn_of("demo"), "user-b", ["x", "y", "z"]))
        assert (set(mine.result()[0]), set(theirs.result()[0])) == ({"x", "y", "z"}, {"a", "b", "c"})


async def until_over(gateway: Gateway, proxy: ChaosProxy, seconds: float) -> list[Said]:
    """Crowds until the schedule is over."""
    said: list[Said] = []
    while proxy.now_s < seconds:
        said += await crowd(gateway, "demo", range(len(said), len(said) + 4), 2 * SHORT_MS)
    return said


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_drawn_schedule(start: Start, upstream: ModelUpstream, seed: int) -> None:
    """Through whatever a schedule draws every answer keeps the invariants, and afterwards all is as before."""
    seconds = 3.0
    async with proxied(upstream, seed=seed) as proxy:
        gateway = await start(proxy.url, demo={"fallback": "input-order"}, after={})
        assert whole(await gateway.ask("demo", "warm", TWO_CALLS))
        tasks = gateway_tasks()
        began_s = proxy.now_s
        steps = drawn(seed, seconds, gap_s=0.2, lasts_s=0.3)
        proxy.steps = [
            Step(one.toxic, one.parameters, began_s + one.begin_s, began_s + one.end_s, one.share) for one in steps
        ]
        said = await until_over(gateway, proxy, began_s + seconds)
        assert proxy.stats.done
        assert {one.status for one in said} <= {200, 429, 503, 504}
        proxy.steps = []
        assert whole(await gateway.ask("after", "user-z", TWO_CALLS))
        await gateway.at_rest(tasks)


async def test_the_same_schedule_hurts_a_naive_client(upstream: ModelUpstream) -> None:
    """The positive control: of naive calls through a drawn schedule some go well, and others fail or stay away."""
    async with proxied(upstream, seed=1) as proxy, naive(proxy.url) as plain:
        proxy.steps = drawn(1, 2.0, gap_s=0.2, lasts_s=0.3)
        outcomes = []
        while proxy.now_s < 2.0:
            outcomes.append(await plain.outcome(arn_of("demo"), f"user-{len(outcomes)}", FEW))
        assert "right" in outcomes
        assert {"raises", "late"} & set(outcomes)

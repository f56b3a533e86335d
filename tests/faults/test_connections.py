"""Connections: reused ones that were closed meanwhile, none to be had, all of them stuck, and one noisy neighbour."""

import asyncio

import pytest

from gateway.adapters.connections import STALE_MAX
from tests.faults.conftest import Start
from tests.faults.naive import Naive, naive
from tests.faults.parts import LONG_MS, SHORT_MS, WITHIN_S, arn_of, gateway_tasks, items, whole
from tests.support.model_upstream.faults import Faults, Rule
from tests.support.model_upstream.server import ModelUpstream

FEW = items(60)
CALLERS = 20
ROOM = 4
"""Connections of the campaign whose calls all hang."""

NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize("play", ["close", "reset"])
async def test_a_reused_connection_that_is_closed(start: Start, play: str) -> None:
    """A connection that ends instead of answering its second request costs the caller nothing; and where they all do,
    connections are soon not used again, so that upstream does not see every call twice."""
    gateway = await start(demo={})
    gateway.upstream.set(Faults(rules=(Rule(play=play, reused=True),)))
    for number in range(10):
        assert whole(await gateway.ask("demo", f"user-{number}", FEW))
    assert gateway.upstream.stats.of(arn_of("demo")).plays[play] == STALE_MAX


@pytest.mark.parametrize("play", ["close", "reset"])
async def test_a_naive_client_trips_over_its_reused_connection(
    upstream: ModelUpstream, plain: Naive, play: str
) -> None:
    """The positive control: every second request fails."""
    upstream.set(Faults(rules=(Rule(play=play, reused=True),)))
    outcomes = [await plain.outcome(arn_of("demo"), f"user-{n}", FEW, patience_s=WITHIN_S) for n in range(4)]
    assert outcomes == ["right", "raises", "right", "raises"]


async def test_nobody_listens(start: Start) -> None:
    """A refused connection is an unavailable campaign, and the fallback stands in for it; a naive client raises."""
    gateway = await start(NOBODY, demo={}, kind={"fallback": "input-order"})
    said = await gateway.ask("demo", "user-a", FEW)
    assert (said.status, said.slug) == (503, "upstream-unavailable")
    said = await gateway.ask("kind", "user-a", FEW)
    assert (said.status, said.flag) == (200, "fallback")
    async with naive(NOBODY) as plain:
        assert await plain.outcome(arn_of("demo"), "user-a", FEW, patience_s=WITHIN_S) == "raises"


async def test_all_connections_stuck(start: Start) -> None:
    """With every place taken by calls that hang, all callers are answered, no more go out, and places come back."""
    gateway = await start(demo={"concurrency_max": str(ROOM)})
    assert whole(await gateway.ask("demo", "warm", FEW))
    tasks = gateway_tasks()
    gateway.upstream.set(Faults(rules=(Rule(play="hang"),)))
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(gateway.ask("demo", f"user-{number}", FEW, deadline_ms=SHORT_MS))
            for number in range(CALLERS)
        ]
    assert {task.result().status for task in asking} <= {503, 504}
    assert gateway.upstream.stats.of(arn_of("demo")).in_flight_max <= ROOM
    gateway.upstream.set()
    await gateway.at_rest(tasks)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(gateway.ask("demo", f"again-{number}", FEW)) for number in range(ROOM)]
    assert all(whole(task.result()) or task.result().status == 503 for task in asking), "a breaker may still be open"


async def test_a_naive_pool_is_stuck_for_good(upstream: ModelUpstream, plain: Naive) -> None:
    """The positive control: ten calls hang, and the eleventh, to a campaign that is well, waits for a connection."""
    upstream.set(Faults(rules=(Rule(play="hang"),)), arn_of("stuck"))
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        stuck = [group.create_task(plain.rank(arn_of("stuck"), f"user-{n}", FEW)) for n in range(10)]
        while upstream.stats.in_flight < 10:
            await asyncio.sleep(0.005)
        assert await plain.outcome(arn_of("well"), "user-a", FEW) == "late"
        for task in stuck:
            task.cancel()


async def test_callers_that_hang_up_leave_nothing_behind(start: Start) -> None:
    """When those who asked have gone, so have their calls upstream."""
    gateway = await start(demo={})
    assert whole(await gateway.ask("demo", "warm", FEW))
    tasks = gateway_tasks()
    gateway.upstream.set(Faults(rules=(Rule(play="hang"),)))
    asking = [
        asyncio.create_task(gateway.ask("demo", f"user-{number}", FEW, deadline_ms=LONG_MS))
        for number in range(CALLERS)
    ]
    async with asyncio.timeout(WITHIN_S):
        while gateway.upstream.stats.in_flight < CALLERS:
            await asyncio.sleep(0.005)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    await gateway.at_rest(tasks)
    assert gateway.upstream.stats.of(arn_of("demo")).abandoned == CALLERS


@pytest.mark.parametrize("status", [400, 429])
async def test_a_throttled_campaign_is_nobody_elses_trouble(start: Start, status: int) -> None:
    """While one campaign refuses every call for its rate, all answers of another one are whole."""
    gateway = await start(noisy={}, calm={})
    gateway.upstream.set(Faults(rules=(Rule(play="throttled", status=status, retry_after_s=2),)), arn_of("noisy"))
    async with asyncio.TaskGroup() as group:
        noisy = [group.create_task(gateway.ask("noisy", f"user-{n}", FEW, deadline_ms=1_000)) for n in range(CALLERS)]
        calm = [group.create_task(gateway.ask("calm", f"user-{n}", FEW)) for n in range(CALLERS)]
    assert {task.result().status for task in noisy} <= {429, 503, 504}
    assert all(whole(task.result()) for task in calm)


async def test_a_rate_that_is_too_high(start: Start) -> None:
    """Above its rate a campaign throttles: what comes back is whole, flagged, or a refusal."""
    gateway = await start(demo={})
    gateway.upstream.set(Faults(tps=5.0), arn_of("demo"))
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(gateway.ask("demo", f"user-{n}", items(900))) for n in range(10)]
    assert gateway.upstream.stats.of(arn_of("demo")).plays["throttled"] > 0
    assert {task.result().status for task in asking} <= {200, 429, 503, 504}

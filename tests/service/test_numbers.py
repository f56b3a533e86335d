"""Numbers on objects: what is billed and saved, how late the loop is, how attempts ended, what is told of trouble."""

import asyncio
import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.adapters.logs import threshold
from gateway.core.errors import DeadlineExceeded, Throttled, Unavailable
from gateway.core.histogram import LAG_SECONDS
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.bill import Bill
from gateway.service.gate_numbers import OUTCOMES, GateNumbers, LaneNumbers
from gateway.service.gates import GATES_MAX, Gates
from gateway.service.lane import Leave
from gateway.service.pulse import EVERY_S, Pulse
from tests.service.scenes import catalogue, rerank, service_of
from tests.service.simulation import ANSWER, Outcome, Scene, healthy
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock

DOWN_S, UP_S = 5.0, 25.0


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged."""
    with capture_logs([threshold]) as captured:
        yield captured


def told(lines: list[Any]) -> list[str]:
    """The events of the lines."""
    return [line["event"] for line in lines]


# --- calls made and saved -----------------------------------------------------------------------------


async def test_saved_and_billed_are_what_a_cold_ranking_costs() -> None:
    """10,000 cold, the same again, then 10,400 of which 9,900 are known: 21 billed, then 0, then the few that are new;
    each time saved and billed make up what a cold ranking costs."""
    logits = catalogue(10_900)
    ranker, everything = SoftmaxRanker(lambda _: logits), list(logits)
    service = service_of(ranker)
    bill = service.reranker.bill
    seen = []
    for some in (everything[:10_000], everything[:10_000], everything[100:10_400]):
        await rerank(service, some)
        seen.append((bill.billed[""], bill.saved[""]))
    assert seen[0] == (21, 0)
    assert seen[1] == (21, 21)
    assert seen[2] == (len(ranker.calls), 42 - (len(ranker.calls) - 21))
    assert len(ranker.calls) - 21 <= 2


async def test_who_rides_along_saves_its_calls() -> None:
    """Five equal rankings at once are billed once; the other four saved theirs."""
    logits = catalogue(2_000)
    service = service_of(SoftmaxRanker(lambda _: logits))
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(rerank(service, list(logits)))
    bill = service.reranker.bill
    assert (bill.billed[""], bill.saved[""]) == (5, 20)


@pytest.mark.parametrize(
    ("placed", "made", "saved"), [(0, 0, 0), (0, 5, 0), (3, 0, 1), (500, 1, 0), (10_000, 23, 0), (9_500, 0, 20)]
)
def test_saved_is_never_negative_and_never_for_what_was_not_placed(placed: int, made: int, saved: int) -> None:
    """Retries make a ranking dearer than a cold one, not a debt; candidates that were not placed save nothing."""
    bill = Bill()
    bill.ranked("t", placed, made)
    assert bill.saved == {"t": saved}


async def test_attempts_that_are_cut_off_are_billed() -> None:
    """A caller that leaves while its calls are out is billed for them."""
    scene = Scene.of(lambda *_: (math.inf, None))
    task = asyncio.get_running_loop().create_task(scene.ask(3))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    assert scene.fans.bill.billed.total() == len(scene.upstream.times()) == 3
    assert scene.gate.lanes[0].cancelled == 3


# --- how attempts ended ---------------------------------------------------------------------------------


async def test_every_attempt_has_one_end() -> None:
    """Under a load with slow, failing, throttled and hanging calls every attempt is counted once, by how it ended, and
    every hedge has won or lost."""
    well = healthy(5, slow=0.05)

    def script(number: int, call: Call, now_s: float) -> Outcome:
        ends: dict[int, Outcome] = {
            37: (0.01, Unavailable("x")), 53: (0.01, Throttled("x")), 71: (math.inf, None)
        }  # fmt: skip
        return ends.get(number % 80) or well(number, call, now_s)

    scene = Scene.of(script, Campaign("demo", ARN, replicas=(f"{ARN}-2",)))
    await scene.load(20.0, 30.0, calls=3, duration_s=2.0)
    numbers = LaneNumbers()
    for lane in scene.gate.lanes:
        numbers.add(lane)
    assert numbers.outcomes.total() == len(scene.upstream.times())
    assert all(numbers.outcomes[outcome] for outcome in OUTCOMES if outcome != "timed_out")
    assert numbers.took_s.count == numbers.outcomes["answered"]
    stats = scene.gate.stats
    assert stats.hedges == stats.hedges_won + stats.hedges_lost
    assert stats.hedges_won > 0
    assert stats.hedges_lost > 0


async def test_what_the_budget_refuses_is_counted() -> None:
    """Where every third call fails, one in ten may be tried again; the others are counted as not affordable."""
    well = healthy(7)
    scene = Scene.of(lambda n, call, now_s: (0.01, Unavailable("x")) if n % 3 == 0 else well(n, call, now_s))
    await scene.load(30.0, 10.0)
    stats = scene.gate.stats
    assert 0 < stats.retries <= 0.11 * stats.calls
    assert stats.unaffordable > stats.retries


async def test_gates_that_make_room_leave_their_numbers() -> None:
    """What a gate counted outlives it: a sum over all of them never falls."""
    gates = Gates(VirtualClock())
    for number in range(GATES_MAX + 5):
        gate = gates.of(Campaign(f"c{number}", f"{ARN}-{number}"))
        ticket = await gate.enter(Leave(), math.inf, ())
        gate.count_call()
        gate.done(ticket, ANSWER, 0.03)
    lanes, all_gates = LaneNumbers(), GateNumbers()
    for gate in gates:
        all_gates.add(gate)
        for lane in gate.lanes:
            lanes.add(lane)
    assert lanes.outcomes["answered"] == all_gates.stats.calls == GATES_MAX
    lanes.merge(gates.gone.lanes)
    all_gates.stats.add(gates.gone.gates.stats)
    assert lanes.outcomes["answered"] == all_gates.stats.calls == lanes.took_s.count == GATES_MAX + 5
    assert lanes.limit == GATES_MAX * next(iter(gates)).limit
    assert {one.name for one in fields(all_gates.stats)} >= {"calls", "hedges_lost", "unaffordable"}


# --- the lag of the loop ---------------------------------------------------------------------------------


class Slow:
    """A clock whose stopwatch can be held back or moved on."""

    def __init__(self) -> None:
        self.late_s = 0.0

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        return self.now_s()

    def stopwatch_s(self) -> float:
        return self.now_s() + self.late_s


async def test_the_pulse_sees_what_holds_the_loop_up() -> None:
    """Beats in time have no lag; one that comes 70 ms late is counted there; afterwards nothing beats any more."""
    clock = Slow()
    pulse = Pulse(clock)
    with pulse:
        await asyncio.sleep(1.05)
        on_time = pulse.lag_s.counts[0]
        clock.late_s = 0.07
        await asyncio.sleep(EVERY_S)
    assert on_time == 10
    assert pulse.lag_s.counts[LAG_SECONDS.index(0.1)] == 1
    beats = pulse.lag_s.count
    await asyncio.sleep(10 * EVERY_S)
    assert pulse.lag_s.count == beats


async def test_the_pulse_knows_how_many_tasks_there_are() -> None:
    """One more while a task is under way, one less when it has ended; none where the pulse does not beat."""
    end = asyncio.Event()
    with (pulse := Pulse(Slow())):
        before = pulse.tasks
        async with asyncio.TaskGroup() as group:
            group.create_task(end.wait())
            assert pulse.tasks == before + 1
            end.set()
        assert pulse.tasks == before
    assert pulse.tasks == 0


# --- episodes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "begins", "ends"),
    [
        (Unavailable("x"), "breaker opened", "breaker closed"),
        (Throttled("x"), "throttled", "no longer throttled"),
    ],
)
async def test_an_outage_is_two_lines(lines, how: Exception, begins: str, ends: str) -> None:
    """Twenty seconds of failures, hundreds of them, are one line when they begin and one when they are over."""
    well = healthy(3)

    def script(number: int, call: Call, now_s: float) -> Outcome:
        return (0.005, how) if DOWN_S <= now_s < UP_S else well(number, call, now_s)  # type: ignore[return-value]

    scene = Scene.of(script)
    await scene.load(20.0, UP_S + 12.0, duration_s=1.0)
    assert told(lines) == [begins, ends]
    first, last = lines
    assert first["arn"] == last["arn"] == ARN
    assert last["count"] > 5
    assert UP_S - DOWN_S - 3.0 < last["lasted_s"] < UP_S - DOWN_S + 1.0


async def test_refusals_for_want_of_time_are_two_lines(lines) -> None:
    """A queue that is too long refuses many calls, and says so twice."""
    scene = Scene.of(healthy(3), Campaign("narrow", ARN, concurrency_max=4, concurrency_min=4))
    await scene.load(10.0, 5.0)
    await scene.load(600.0, 5.0, duration_s=0.3)
    await asyncio.sleep(6.0)
    await scene.load(10.0, 5.0)
    assert scene.gate.stats.busy > 10
    assert told(lines) == ["calls are refused, too many wait", "calls are no longer refused"]
    assert lines[1]["count"] == scene.gate.stats.busy
    assert any(isinstance(one, DeadlineExceeded) or one for seen in scene.seen for one in seen.fan.failures)

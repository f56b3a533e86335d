"""Permits: who waits goes by deadline, who cannot make it is told at once, and no permit is ever lost."""

import asyncio
import math
from random import Random

import pytest

from gateway.core.answer import Answer
from gateway.core.budget import Budget
from gateway.core.errors import Busy, DeadlineExceeded, InvalidInput, Resting, Throttled, Unavailable
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.gate import LEFT_MAX, Gate
from gateway.service.lane import Leave, Pass
from tests.service.simulation import ANSWER, ARNS, SUBJECT, Outcome, Scene, Seen, healthy
from tests.support.gateway_parts import ARN
from tests.support.virtual_clock import VirtualClock


def narrow(limit: int = 1, tps: float | None = None) -> Gate:
    """A gate for so many calls at once."""
    return Gate(Campaign("narrow", ARN, concurrency_max=limit, tps=tps), VirtualClock())


async def fill(gate: Gate) -> list[Pass]:
    """Take all permits that there are."""
    return [await gate.enter(Leave(), math.inf, ()) for _ in range(gate.limit)]


def give_back(gate: Gate, ticket: Pass) -> None:
    """Hand a permit back with an answer."""
    gate.done(ticket, ANSWER, 0.03)


async def settle() -> None:
    """Let everything happen that can happen now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_earliest_deadline_goes_first() -> None:
    """Permits go to those who wait in the order of their deadlines, and of their coming where those are equal."""
    gate, served = narrow(), []
    (held,) = await fill(gate)

    async def wait(name: str, until_s: float) -> None:
        ticket = await gate.enter(Leave(), until_s, ())
        served.append(name)
        give_back(gate, ticket)

    async with asyncio.TaskGroup() as group:
        for name, until_s in (("late", 9.0), ("soon", 2.0), ("middle", 5.0), ("soon too", 2.0)):
            group.create_task(wait(name, until_s))
        await settle()
        assert (gate.waiting, served) == (4, [])
        give_back(gate, held)
    assert served == ["soon", "soon too", "middle", "late"]
    assert (gate.waiting, gate.in_flight) == (0, 0)


async def test_a_newcomer_does_not_overtake_the_queue() -> None:
    """While somebody waits, a newcomer waits too, unless its deadline is earlier."""
    gate = narrow()
    (held,) = await fill(gate)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(gate.enter(Leave(), 5.0, ()))
        await settle()
        give_back(gate, held)
        second = group.create_task(gate.enter(Leave(), 6.0, ()))
        await settle()
        assert (first.done(), second.done()) == (True, False)
        give_back(gate, first.result())
    give_back(gate, second.result())


async def test_who_cannot_make_it_is_refused_at_once() -> None:
    """A ranking behind more calls than its time allows is refused without a moment passing; one with time is let in."""
    gate, now_s = narrow(), asyncio.get_running_loop().time()
    for _ in range(30):
        gate.latencies.add(0.1, now_s)
    (held,) = await fill(gate)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(gate.enter(Leave(), 4.0, ())) for _ in range(10)]
        await settle()
        with pytest.raises(Busy):
            gate.admit(40, Budget(now_s, now_s + 4.0, 0.0))
        gate.admit(5, Budget(now_s, now_s + 4.0, 0.0))
        assert asyncio.get_running_loop().time() == now_s
        give_back(gate, held)
        for one in waiting:
            give_back(gate, await one)
    assert gate.stats.busy == 40


async def test_only_who_goes_first_counts() -> None:
    """Work that may wait, such as a refresh, does not keep out a ranking whose deadline is earlier."""
    gate, now_s = narrow(), asyncio.get_running_loop().time()
    for _ in range(30):
        gate.latencies.add(0.1, now_s)
    (held,) = await fill(gate)
    async with asyncio.TaskGroup() as group:
        patient = [group.create_task(gate.enter(Leave(), 60.0, ())) for _ in range(100)]
        await settle()
        gate.admit(3, Budget(now_s, now_s + 1.0, 0.0))
        with pytest.raises(Busy):
            gate.admit(3, Budget(now_s, now_s + 0.2, 0.0))
        give_back(gate, held)
        for one in patient:
            give_back(gate, await one)
    assert gate.in_flight == 0


async def test_a_wait_ends_at_the_deadline() -> None:
    """A permit that comes too late for an attempt is not given: the error is the deadline's."""
    gate = narrow()
    (held,) = await fill(gate)
    async with asyncio.TaskGroup() as group:
        late = group.create_task(_raises(DeadlineExceeded, gate, until_s=1.0))
        await asyncio.sleep(1.0)
        give_back(gate, held)
    assert late.done()
    assert (gate.waiting, gate.in_flight) == (0, 0)


async def _raises(kind: type[Exception], gate: Gate, until_s: float) -> None:
    with pytest.raises(kind):
        await gate.enter(Leave(), until_s, ())


async def test_who_leaves_the_queue_leaves_no_place_behind() -> None:
    """A cancelled waiter frees its place at once; the next permit goes to the one behind it."""
    gate = narrow()
    (held,) = await fill(gate)
    first = asyncio.get_running_loop().create_task(gate.enter(Leave(), 5.0, ()))
    second = asyncio.get_running_loop().create_task(gate.enter(Leave(), 6.0, ()))
    await settle()
    first.cancel()
    await settle()
    assert gate.waiting == 1
    give_back(gate, held)
    give_back(gate, await second)
    assert (gate.waiting, gate.in_flight, gate._queue) == (0, 0, [])


async def test_a_permit_given_to_one_that_is_cancelled_goes_on() -> None:
    """A permit that is given in the very turn in which its waiter is cancelled is handed on, in either order."""
    for cancel_first in (True, False):
        gate = narrow()
        (held,) = await fill(gate)
        first = asyncio.get_running_loop().create_task(gate.enter(Leave(), 5.0, ()))
        second = asyncio.get_running_loop().create_task(gate.enter(Leave(), 6.0, ()))
        await settle()
        if cancel_first:
            first.cancel()
        give_back(gate, held)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        async with asyncio.timeout(5.0):  # of the virtual clock: only ends a test that would hang
            give_back(gate, await second)
        assert (gate.waiting, gate.in_flight) == (0, 0)


async def test_a_crowd_that_leaves_is_forgotten() -> None:
    """Callers that hang up while they wait do not pile up in the queue behind one with an early deadline."""
    gate = narrow()
    (held,) = await fill(gate)
    loop = asyncio.get_running_loop()
    stays = loop.create_task(gate.enter(Leave(), 5.0, ()))
    crowd = [loop.create_task(gate.enter(Leave(), 30.0, ())) for _ in range(1_000)]
    await settle()
    for one in crowd:
        one.cancel()
    await settle()
    assert (gate.waiting, len(gate._queue) <= LEFT_MAX + 2) == (1, True)
    give_back(gate, held)
    give_back(gate, await stays)


async def test_the_ceiling_spaces_who_waits() -> None:
    """Beyond the burst, permits come at the rate of the ceiling, to the earliest deadline first."""
    gate = narrow(limit=100, tps=10.0)
    loop, at_s = asyncio.get_running_loop(), []
    began_s = loop.time()

    async def call(until_s: float) -> None:
        ticket = await gate.enter(Leave(), until_s, ())
        at_s.append((round(loop.time() - began_s, 2), until_s))
        give_back(gate, ticket)

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(call(100.0 - number))
    assert [at for at, _ in at_s] == pytest.approx([0.0] * 10 + [0.1 * step for step in range(1, 21)], abs=0.011)
    assert [until for _, until in at_s[10:]] == sorted(until for _, until in at_s[10:])


@pytest.mark.parametrize("tps", [3.0, 7.0, 333.0, 4_999.0])
async def test_the_ceiling_is_no_busy_loop(tps: float) -> None:
    """However the waits round, a queue behind a ceiling takes about one timer a permit or one every two ms."""
    gate = narrow(limit=100_000, tps=tps)
    turns, plain = 0, gate._pump_now

    def counted() -> None:
        nonlocal turns
        turns += 1
        plain()

    gate._pump_now = counted  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        for _ in range(int(tps) + 50):
            group.create_task(gate.enter(Leave(), math.inf, ()))
    assert turns <= 60


async def test_a_full_arn_that_rests_refuses_at_once() -> None:
    """Calls that still hang do not make newcomers wait for an ARN whose breaker is open; those who wait are told."""
    gate = narrow(limit=25)
    held = await fill(gate)
    waiting = asyncio.get_running_loop().create_task(_raises(Resting, gate, until_s=50.0))
    await settle()
    for ticket in held[:20]:
        gate.lanes[0].limit._limit = 2.0
        gate.done(ticket, Unavailable("down"), 0.1)
    await settle()
    assert waiting.done()
    assert gate.in_flight == 5 > gate.limit
    with pytest.raises(Resting):
        await gate.enter(Leave(), 50.0, ())
    for ticket in held[20:]:
        gate.left(ticket)
    await waiting
    assert gate.in_flight == 0


class Trouble:
    """An upstream where everything goes wrong that can, by chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def __call__(self, number: int, call: Call, now_s: float) -> Outcome:
        takes_s = self.random.choice([0.0, 0.01, 0.04, 0.2, 2.0, math.inf])
        failures = [None] * 6 + [Unavailable("x"), Throttled("x"), Throttled("x", 0.05), RuntimeError("bug")]
        failure = self.random.choice(failures)
        if failure is None and self.random.random() < 0.01:
            failure = InvalidInput("bad")
        return takes_s, failure


@pytest.mark.parametrize("seed", range(12))
async def test_no_permit_ever_leaks(seed: int) -> None:
    """Calls, cancels, failures, throttles, bugs and deadlines in any mixture: at the end nothing is held or waits."""
    random = Random(seed)
    campaign = Campaign(
        "demo",
        ARN,
        ARNS[1 : random.randint(1, 3)],
        concurrency_max=random.choice([1, 3, 20]),
        concurrency_min=1,
        tps=random.choice([None, 40.0]),
    )
    scene = Scene.of(Trouble(seed), campaign)
    for _ in range(40):
        scene.gate.latencies.add(0.03, 0.0)
    tasks: list[asyncio.Task[Seen]] = []
    for _ in range(60):
        ask = scene.ask(random.randint(1, 8), random.choice([0.02, 0.3, 1.5]))
        tasks.append(asyncio.get_running_loop().create_task(ask))
        await asyncio.sleep(random.choice([0.0, 0.003, 0.05, 0.3]))
        if random.random() < 0.3:
            random.choice(tasks).cancel()
    done, late = await asyncio.wait(tasks, timeout=5.0)
    assert not late
    for one in done:
        if not one.cancelled() and (error := one.exception()) is not None:
            assert isinstance(error, InvalidInput | BaseExceptionGroup)
    await settle()
    gate = scene.gate
    assert (gate.in_flight, gate.waiting, scene.upstream.in_flight) == (0, 0, 0)
    assert [lane.in_flight for lane in gate.lanes] == [0] * len(gate.lanes)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(gate._queue) <= LEFT_MAX
    assert all(one.took_s <= 1.5 for one in scene.seen)


async def test_attempts_are_what_callers_are_told() -> None:
    """The attempts of all fan-outs add up to what upstream saw: each is billed, none is forgotten."""
    scene = Scene.of(healthy(7, slow=0.1, slow_s=0.2))
    seen = await scene.load(50, 4.0, calls=3)
    assert sum(one.fan.attempts for one in seen) == len(scene.upstream.began)
    assert sum(one.fan.hedges for one in seen) == scene.gate.stats.hedges > 0
    assert scene.gate.stats.calls == 3 * len(seen)
    assert all(isinstance(outcome, Answer) for one in seen for outcome in one.fan.outcomes)
    assert SUBJECT.user_id not in repr(scene.gate)

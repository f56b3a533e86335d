"""Turns: who computes in which round of the loop, and long lists that are worked through in pieces."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from gateway.core.model import distinct
from gateway.service.turns import MANY, STEP, TURN_S, Turns
from tests.service.scenes import agrees, catalogue, rerank, service_of
from tests.support.softmax_ranker import SoftmaxRanker

SMALL_S = TURN_S / 10


class Rounds:
    """Counts the rounds of the loop, and who had a turn in which."""

    def __init__(self) -> None:
        self.round = 0
        self.worked: list[int] = []
        self.on = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self.round += 1
        if self.on:
            asyncio.get_running_loop().call_soon(self._next)

    async def worker(self, mine: Callable[[], Awaitable[None]], pieces: int = 1) -> None:
        for _ in range(pieces):
            await mine()
            self.worked.append(self.round)


async def worked(mine: Callable[[], Awaitable[None]], workers: int, pieces: int = 1) -> list[int]:
    """The rounds in which pieces of work were done."""
    rounds = Rounds()
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(rounds.worker(mine, pieces))
    rounds.on = False
    return rounds.worked


async def test_no_two_long_pieces_in_one_round() -> None:
    """Neither of several callers, nor of one caller one after the other."""
    turns = Turns()
    for workers, pieces in ((8, 1), (1, 8), (3, 3)):
        done = await worked(turns.mine, workers, pieces)
        assert len(set(done)) == len(done) == workers * pieces


async def test_short_pieces_share_a_round() -> None:
    """As many as fit into a turn, and not one more; without a limit they would all be in one."""
    turns = Turns()
    done = await worked(lambda: turns.mine(SMALL_S), 30)
    assert max(map(done.count, done)) in (9, 10)
    free = await worked(lambda: asyncio.sleep(0), 30)
    assert max(map(free.count, free)) == 30


async def test_who_leaves_the_queue_costs_no_turn() -> None:
    """A caller that is cancelled while it waits takes nothing from those behind it."""
    turns = Turns()
    await turns.mine()
    waiting = [asyncio.get_running_loop().create_task(turns.mine()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.wait(waiting)
    assert [task.cancelled() for task in waiting] == [False, True, False]
    assert repr(turns) == "<Turns waiting=0>"


@pytest.mark.parametrize(("count", "rounds"), [(MANY - 1, 1), (MANY, 3)])
async def test_steps_over_many_items_have_turns_of_their_own(count: int, rounds: int) -> None:
    """Those over few do not wait."""
    turns = Turns()
    done = await worked(lambda: turns.next_step(count), 1, 3)
    assert len(set(done)) == rounds


@pytest.mark.parametrize("count", [0, 1, STEP, 2 * STEP + 7])
async def test_taken_in_pieces_is_taken(count: int) -> None:
    """The same items as at once, in the same order."""
    items = [str(number) for number in range(2 * STEP + 7)]
    places = np.random.default_rng(1).permutation(len(items))[:count]
    assert await Turns().taken(items, places) == [items[place] for place in places]


async def test_a_list_of_several_steps_is_ranked_once_each() -> None:
    """More items than one step, some of them twice, cold; then the same list, and another one out of the same frame."""
    logits = catalogue(STEP + 3_000, sigma=1.0)
    items = list(logits)
    service = service_of(SoftmaxRanker(lambda _: logits))
    cold = await rerank(service, [*items, *items[:4_000]], duration_s=5.0)
    assert cold.candidates == distinct(items)
    assert agrees(cold, logits)
    for again in (items, items[::-1], items[1_000:]):
        warm = await rerank(service, again)
        assert (warm.usage.upstream_calls, warm.usage.cached) == (0, len(again))
        assert agrees(warm, logits)

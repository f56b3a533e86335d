"""How connections that are late are ended: a few at a time, and all of them soon."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import looptime
import pytest

from gateway.web.connections import CULLED_AT_MOST, CULLED_AT_ONCE
from tests.web.listening import guard

MANY = 4_096
"""As many connections as there may be by default."""

SOON_S = 1.0


@pytest.fixture
def ended() -> Iterator[Callable[[int, float], "Counter[float]"]]:
    """So many connections that are all late at once, on a virtual clock whose turns take so long: ended when."""
    loop = looptime.new_event_loop()
    loop.setup_looptime(noop_cycles=0)

    def times(count: int, turn_s: float) -> "Counter[float]":
        limits, at = guard(), Counter[float]()

        class Late:
            def end_if_late(self) -> bool:
                at[loop.time()] += 1
                return True

        async def run() -> None:
            for _ in range(count):
                limits.cull(Late())
            while limits.culled < count:
                await asyncio.sleep(turn_s)

        loop.run_until_complete(run())
        return at

    yield times
    loop.close()


@pytest.mark.parametrize("count", [1, CULLED_AT_ONCE, 100, 2_000, MANY])
def test_all_are_ended_soon_and_few_at_once(ended: Callable[[int, float], "Counter[float]"], count: int) -> None:
    """Of any number that is due at once, never more than a millisecond's work is done in one go, and all are gone
    within a second."""
    at = ended(count, 0.001)
    assert at.total() == count
    assert max(at.values()) <= CULLED_AT_MOST
    assert max(at) - min(at) < SOON_S


def test_a_few_are_ended_at_once(ended: Callable[[int, float], "Counter[float]"]) -> None:
    """As many as may be ended in one go do not wait for another."""
    assert len(ended(CULLED_AT_ONCE, 0.001)) == 1

"""A few milliseconds of computing in a turn of the event loop, so that light work never waits for more.

A loop runs everything that is ready before it looks at its sockets again. With thirty rankings under way that may be
thirty pieces of several milliseconds, and a hundred answers to decode; and a refusal, a probe or a hedge waits for all
of them. So whoever is about to compute asks for a turn first, and says about how long: as much as fits into `TURN_S`
goes at once, the rest comes in the order of asking, with a look at the sockets in between. Without others it costs a
microsecond.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gateway.core.model import Ints, taken

TURN_S: Final = 0.003
"""What is computed between two looks at the sockets; a longer piece has a turn to itself."""

MANY: Final = 5_000
"""Items from which on every step over a list is a piece of its own: 10,000 take a millisecond or two a step, 100,000
ten times that. The steps over a shorter list are one piece."""

STEP: Final = 20_000
"""Items of a piece where a step over 100,000 would be too long: strings all over the memory cost 0.3 us each to look
up, ten times what they cost in the processor's cache."""


def slices(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


class Turns:
    """Gives turns."""

    def __init__(self) -> None:
        self._queue: deque[tuple[asyncio.Future[None], float]] = deque()
        self._given_s = 0.0

    def __repr__(self) -> str:
        return f"<Turns waiting={len(self._queue)}>"

    async def mine(self, about_s: float = TURN_S) -> None:
        """Wait for a turn to compute for about so long; it lasts until the caller awaits what is not ready."""
        if not self._queue and self._has_room(about_s):
            if not self._given_s:
                asyncio.get_running_loop().call_soon(self._next)
            self._given_s += about_s
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((turn, about_s))
        await turn

    async def next_step(self, count: int) -> None:
        """Wait for another turn before the next step over a list of so many items, if those are many."""
        if count >= MANY:
            await self.mine()

    async def taken(self, items: list[str], places: Ints) -> list[str]:
        """The items at these places; of many a piece in each turn."""
        if len(places) <= STEP:
            return taken(items, places)
        found: list[str] = []
        for start in range(0, len(places), STEP):
            await self.mine()
            found += taken(items, places[start : start + STEP])
        return found

    def _has_room(self, about_s: float) -> bool:
        return not self._given_s or self._given_s + about_s <= TURN_S

    def _next(self) -> None:
        """In the next round of the loop: give what fits to those who wait. They come to it in the round after this one,
        and what they were given counts until they have: so the next look is behind them."""
        self._given_s = 0.0
        while self._queue and self._has_room(self._queue[0][1]):
            turn, about_s = self._queue.popleft()
            if not turn.done():
                self._given_s += about_s
                turn.set_result(None)
        if self._given_s:
            asyncio.get_running_loop().call_soon(self._next)

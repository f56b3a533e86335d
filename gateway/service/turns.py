"""A few milliseconds of computing in a turn of the event loop, so that light work never waits for more.

A loop runs everything that is ready before it looks at its sockets again. With thirty rankings under way that may be
thirty pieces of several milliseconds, and a hundred answers to decode; and a refusal, a probe or a hedge waits for all
of them. So whoever is about to compute asks for a turn first, and says about how long: as much as fits into `TURN_S`
goes at once, the rest comes in the order of asking, with a look at the sockets in between. Without others it costs a
microsecond.
"""

import asyncio
from collections import deque
from typing import Final

TURN_S: Final = 0.003
"""What is computed between two looks at the sockets; a longer piece has a turn to itself."""


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
            self._give(about_s)
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((turn, about_s))
        await turn

    def _has_room(self, about_s: float) -> bool:
        return not self._given_s or self._given_s + about_s <= TURN_S

    def _give(self, about_s: float) -> None:
        if not self._given_s:
            asyncio.get_running_loop().call_soon(self._next)
        self._given_s += about_s

    def _next(self) -> None:
        """In the next round of the loop: give what fits to those who wait."""
        self._given_s = 0.0
        while self._queue and self._has_room(self._queue[0][1]):
            turn, about_s = self._queue.popleft()
            if not turn.done():
                self._give(about_s)
                turn.set_result(None)

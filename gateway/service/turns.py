"""One heavy piece of work in a turn of the event loop, so that light work never waits for more than one.

A loop runs everything that is ready before it looks at its sockets again. With thirty rankings under way that may be
thirty pieces of several milliseconds, and a refusal, a probe, a hedge or an answer from upstream waits for all of them.
So whoever is about to compute for milliseconds asks for a turn first: they come one at a time, in the order of asking,
with a look at the sockets in between. Without others it costs a microsecond.
"""

import asyncio
from collections import deque


class Turns:
    """Gives turns."""

    def __init__(self) -> None:
        self._queue: deque[asyncio.Future[None]] = deque()
        self._taken = False

    def __repr__(self) -> str:
        return f"<Turns waiting={len(self._queue)}>"

    async def mine(self) -> None:
        """Wait for a turn. It lasts until the caller awaits something that is not ready."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next)
            return
        turn = loop.create_future()
        self._queue.append(turn)
        await turn

    def _next(self) -> None:
        """Give the next turn, in every round of the loop, as long as anybody waits for one."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._taken = False

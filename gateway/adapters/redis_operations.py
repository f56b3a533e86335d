"""Operations that are abandoned, never cancelled: each in a task of its own, bounded in number.

A Redis command that is cancelled between its bytes and its answer costs the connection (measured: 6,247 cancelled GETs
opened 6,233 connections; in a task of its own: none), and old clients gave the answer to the next caller. So a caller
that leaves, or whose budget is over, only stops waiting: the task takes its answer off the connection. Rules:

- As many run as there are connections, so the pool is never found empty. Some more wait their turn here, in order, no
  longer than their caller does: one that is left before it was sent is not sent. Beyond that there is no room, and
  the caller is told at once.
- A wait that ends late because this process was busy gets one grace: the answer may be lying in the socket, since the
  loop looks at its timers before it looks at its sockets.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

QUEUE: Final = 8
"""Operations outstanding per connection: what gets its turn within the default budget at 0.15 ms of CPU a command."""

LOOP_LATE_S: Final = 0.002
"""A timer that fires this much late says that the loop was busy, not that the server is slow."""

GRACE_S: Final = 0.020
"""What is waited once more then."""


class Left(Exception):
    """Nobody waited for this operation any more when its turn came; nothing was sent."""


class Operation:
    """One command under way."""

    __slots__ = ("left", "started_s", "task")

    task: asyncio.Task[Any]

    def __init__(self, started_s: float) -> None:
        self.started_s = started_s
        self.left = False

    async def done_within(self, budget_s: float) -> bool:
        """Wait for its end, at most so long. Neither the end of the budget nor a cancellation reaches the command."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + budget_s
        await asyncio.wait((self.task,), timeout=budget_s)
        if not self.task.done() and loop.time() - due_s > LOOP_LATE_S:
            await asyncio.wait((self.task,), timeout=GRACE_S)
        return self.task.done()


class Operations:
    """All operations outstanding at one store."""

    def __init__(self, connections_max: int) -> None:
        self.outstanding_max = QUEUE * connections_max
        self._turns = asyncio.Semaphore(connections_max)
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self._tasks) >= self.outstanding_max

    def start(self, work: Callable[[], Awaitable[Any]], ended: Callable[[Operation], None]) -> Operation:
        """Begin; `ended` is called with the operation when its task is done, however that came."""
        loop = asyncio.get_running_loop()
        operation = Operation(loop.time())
        operation.task = loop.create_task(self._run(operation, work))
        self._tasks.add(operation.task)
        operation.task.add_done_callback(self._tasks.discard)
        operation.task.add_done_callback(lambda _: ended(operation))
        return operation

    async def drain(self, within_s: float) -> None:
        """Let all of them end, and end those that do not."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=within_s)

    async def _run(self, operation: Operation, work: Callable[[], Awaitable[Any]]) -> Any:
        async with self._turns:
            if operation.left:
                raise Left
            return await work()

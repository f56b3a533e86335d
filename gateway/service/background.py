"""The one owner of work that outlives a request; drained at shutdown."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

TASKS_MAX: Final = 1_000
"""Beyond this, new work is dropped: it is only ever work that costs a later call, never an answer."""

_log = logging.getLogger(__name__)


class Background:
    """Holds tasks until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0

    def __repr__(self) -> str:
        return f"<Background tasks={len(self._tasks)} dropped={self.dropped}>"

    @property
    def under_way(self) -> int:
        """Tasks that are not done."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work` to its end, whatever becomes of the caller; False if there is no room and it is dropped."""
        if len(self._tasks) >= TASKS_MAX:
            self.dropped += 1
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return True

    async def drain(self, within_s: float) -> None:
        """Wait for all work, and cancel what is not done in time."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within_s)
        for task in late:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", exc_info=error)

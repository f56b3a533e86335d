"""How late the event loop is: a timer that is due ten times a second, and looks how much later it was called. And how
many tasks it has.

Whatever holds the loop up, holds up every caller; nothing else in the process would tell. A timer that arms itself
again needs no task: ten calls a second cost 0.01 % of a core. A stall shorter than the interval is met by chance, in
proportion to its length, so the histogram shows what share of all moments were late, and by how much.
"""

import asyncio
from typing import Final

from gateway.core.histogram import LAG_SECONDS, Histogram
from gateway.ports import Clock

EVERY_S: Final = 0.1


class Pulse:
    """Measures the lag of the loop while it is entered as a context manager."""

    def __init__(self, clock: Clock) -> None:
        self.lag_s = Histogram(LAG_SECONDS)
        self._clock = clock
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"<Pulse {'beats' if self._timer else 'rests'} {self.lag_s!r}>"

    @property
    def tasks(self) -> int:
        """Tasks that are not done; none where it rests."""
        return 0 if self._loop is None else len(asyncio.all_tasks(self._loop))

    def __enter__(self) -> "Pulse":
        self._loop = asyncio.get_running_loop()
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop = None

    def _arm(self) -> None:
        self._due_s = self._clock.stopwatch_s() + EVERY_S
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._beat)

    def _beat(self) -> None:
        self.lag_s.add(max(0.0, self._clock.stopwatch_s() - self._due_s))
        self._arm()

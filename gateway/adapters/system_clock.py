"""The clocks of this process."""

import asyncio
import time


class SystemClock:
    """`Clock` over the event loop that it is made in, and the operating system."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()  # once: up to Python 3.11 it is a system call, and a call asks 4 times

    def now_s(self) -> float:
        """Monotonic seconds of the event loop; uvloop moves them once per loop iteration."""
        return self._loop.time()

    def wall_s(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def stopwatch_s(self) -> float:
        """Monotonic seconds of the finest resolution."""
        return time.perf_counter()

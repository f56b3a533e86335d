"""The clocks of this process."""

import asyncio
import time


class SystemClock:
    """`Clock` over the running event loop and the operating system."""

    def now_s(self) -> float:
        """Monotonic seconds of the running event loop; uvloop moves them once per loop iteration."""
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def stopwatch_s(self) -> float:
        """Monotonic seconds of the finest resolution."""
        return time.perf_counter()

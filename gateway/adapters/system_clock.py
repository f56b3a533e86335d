"""The clocks of this process.

They are the functions of the loop and of the system themselves, not methods around them: a cold ranking asks forty
times.
"""

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """`Clock` over the event loop that it is made in, and the operating system."""

    wall_s = staticmethod(time.time)
    """Seconds since the epoch."""

    stopwatch_s = staticmethod(time.perf_counter)
    """Monotonic seconds of the finest resolution."""

    now_s: Callable[[], float]
    """Monotonic seconds of the event loop; uvloop moves them once per loop iteration."""

    def __init__(self) -> None:
        self.now_s = asyncio.get_running_loop().time

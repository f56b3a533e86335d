"""A `Clock` that follows the loop of a test, whose time passes only when everybody waits."""

import asyncio

EPOCH_S = 1_800_000_000.0


class VirtualClock:
    """All three clocks out of the loop's one."""

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        return EPOCH_S + self.now_s()

    def stopwatch_s(self) -> float:
        return self.now_s()

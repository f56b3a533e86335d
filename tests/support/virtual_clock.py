"""Clocks of tests: one follows the loop, whose time passes only when everybody waits; one stands until it is set."""

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


class SetClock:
    """The time that a test has set, to be called."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

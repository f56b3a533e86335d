"""What a piece of work does to everybody else in its process: how long the loop stands still, and how memory rises."""

import asyncio
import ctypes
import time
from pathlib import Path


class Beat:
    """Turns with the loop, and keeps the longest pause."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.on = True
        self.cpu_ms = self.wall_ms = 0.0
        self.reset()
        self.turn()

    def reset(self) -> None:
        """Forget what was."""
        self.cpu_ms = self.wall_ms = 0.0
        self.cpu_s, self.wall_s = time.thread_time(), time.perf_counter()

    def turn(self) -> None:
        """One turn of the loop."""
        cpu_s, wall_s = time.thread_time(), time.perf_counter()
        self.cpu_ms = max(self.cpu_ms, 1e3 * (cpu_s - self.cpu_s))
        self.wall_ms = max(self.wall_ms, 1e3 * (wall_s - self.wall_s))
        self.cpu_s, self.wall_s = cpu_s, wall_s
        if self.on:
            self.loop.call_soon(self.turn)


def memory_mib(field: str) -> float:
    """A figure of this process's memory: VmRSS now, VmHWM at its highest since `forget_peak`."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field))


def forget_peak() -> None:
    """Give back what is free, and let the highest level be the present one."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

"""What a piece of work does to everybody else in its process: how long the loop stands still, and how memory rises."""

import argparse
import asyncio
import ctypes
import time
from pathlib import Path
from statistics import median


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


class Pauses:
    """The longest pauses of one piece of work, which is done again and again."""

    def __init__(self) -> None:
        self.cpu_ms: list[float] = []
        self.wall_ms: list[float] = []

    def keep(self, beat: Beat) -> None:
        """What the beat has seen since it was reset."""
        self.cpu_ms.append(beat.cpu_ms)
        self.wall_ms.append(beat.wall_ms)

    def figures(self) -> dict[str, float]:
        """The least and the median: a busy machine only ever adds to a pause."""
        return {
            "cpuLeastMs": min(self.cpu_ms),
            "cpuMedianMs": median(self.cpu_ms),
            "wallLeastMs": min(self.wall_ms),
        }


def options(about: str | None, repeat: int) -> argparse.Namespace:
    """What the command line of a measurement of pauses says: which work, how often, and how to tell it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--repeat", type=int, default=repeat)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser.parse_args()


def forget_peak() -> None:
    """Give back what is free, and let the highest level be the present one."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

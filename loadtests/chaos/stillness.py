"""When the machine stood still: moments in which no program, however right, could have answered in time.

Lateness is promised against the wall clock, and the wall clock goes on while others use the cores. So a run looks a
hundred times a second at how long

    the gateway's loop waited for a core         what the kernel counts for its thread (`schedstat`, Linux)
    the checker's own loop stood still           for want of a core, or because it was at work: it reads no answer then
    the hypervisor had taken the cores away      what the kernel counts as stolen (`/proc/stat`)

Nothing of this excuses what the gateway does with a core that it has: work that holds its loop up is none of these.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EVERY_S: Final = 0.01

EDGE_S: Final = 0.01
"""How far from an answer's beginning, and before it was due, standing still can be why it came late."""

LEAST_S: Final = 0.0005
"""Less than this of a slot is the timer's own."""

TICKS_S: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time, and how much of it was lost."""

    begins_s: float
    ends_s: float
    lost_s: float


def lost(slots: Sequence[Slot], begins_s: float, ends_s: float) -> float:
    """What was lost within a stretch: of slots that lie in it in part, as much as fits."""
    total_s = 0.0
    for slot in slots:
        if (shared_s := min(ends_s, slot.ends_s) - max(begins_s, slot.begins_s)) > 0:
            total_s += min(shared_s, slot.lost_s)
    return total_s


def lost_at_edges(slots: Sequence[Slot], sent_s: float, due_s: float, came_s: float) -> float:
    """What was lost where it can have made an answer late: while it was sent, and from just before it was due on."""
    begins_s = max(sent_s + EDGE_S, due_s - EDGE_S)
    return lost(slots, sent_s, sent_s + EDGE_S) + lost(slots, begins_s, came_s)


class Watch:
    """Looks at a process and at this one's loop; `slots` are those in which something was lost."""

    def __init__(self, pid: int) -> None:
        self.slots: list[Slot] = []
        self._waits = Path(f"/proc/{pid}/schedstat")

    def _lost_so_far_s(self) -> float:
        waited_ns = int(self._waits.read_text(encoding="ascii").split()[1])
        stolen = int(Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[8])
        return waited_ns / 1e9 + stolen * TICKS_S

    async def _look(self) -> None:
        at_s, lost_s = time.monotonic(), self._lost_so_far_s()
        while True:
            await asyncio.sleep(EVERY_S)
            before_s, lost_before_s = at_s, lost_s
            at_s, lost_s = time.monotonic(), self._lost_so_far_s()
            overdue_s = at_s - before_s - EVERY_S
            in_slot_s = min(at_s - before_s, max(overdue_s, lost_s - lost_before_s))  # they overlap: not the sum
            if in_slot_s > LEAST_S:
                self.slots.append(Slot(before_s, at_s, in_slot_s))

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look until the end."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._look())
            yield
            task.cancel()

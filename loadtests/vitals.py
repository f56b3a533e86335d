"""What must not grow in a process that serves: its memory, files and sockets, threads and tasks; and whether it did.

Memory is judged by medians of quarters: a process breathes with what it does at the moment, and its allocator keeps
what was free for a moment. The first quarter is the warm-up; what the last one holds beyond the second is growth.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal
from urllib.request import urlopen

MEMORY_MAX_MIB: Final = 5.0
MEMORY_MAX: Final = 1.05
"""By how much memory may grow from the second quarter to the last, whichever is more: what allocators scatter."""

DESCRIPTORS_MAX: Final = 64
TASKS_MAX: Final = 64
THREADS_MAX: Final = 4
"""By how much the others may: connections upstream are as many as a moment needs (64 calls at once at first), a call
under way is a task, a pool takes another thread. What leaks does so with every request, and is soon beyond that."""

SAMPLES_MIN: Final = 8
"""Two of a quarter; of fewer there is nothing to say."""

TASKS: Final = "rerank_tasks "


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a gateway."""

    at_s: float
    resident_mib: float
    descriptors: int
    threads: int
    tasks: int

    @classmethod
    def of(cls, pid: int, gateway: str, at_s: float) -> "Vitals":
        """How it is now (Linux). `gateway` is its address, where it tells how many tasks it has."""
        return cls(
            at_s=round(at_s, 1),
            resident_mib=round(memory_mib(pid=pid), 2),
            descriptors=descriptors(pid),
            threads=sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()),
            tasks=_tasks(gateway),
        )

    def told(self) -> dict[str, Any]:
        """For a history."""
        return asdict(self)


def memory_mib(field: str = "VmRSS", pid: int | Literal["self"] = "self") -> float:
    """A figure of a process's memory (Linux): VmRSS now, VmHWM at its highest since its mark was set
    (`beat.forget_peak`)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field))


def descriptors(pid: int) -> int:
    """Open files and sockets of a process (Linux)."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def in_words(told: Mapping[str, Any]) -> str:
    """What was told of a look, in a line."""
    return (
        f"{told['at_s']:6.1f} s: {told['resident_mib']:6.1f} MiB, {told['descriptors']} descriptors, "
        f"{told['threads']} threads, {told['tasks']} tasks"
    )


def _tasks(gateway: str) -> int:
    with urlopen(f"{gateway}/metrics", timeout=30) as response:  # noqa: S310 - an address of this program's own
        lines = response.read().decode().splitlines()
    return int(float(next(line.removeprefix(TASKS) for line in lines if line.startswith(TASKS))))


def grown(samples: Sequence[Vitals], what: Callable[[Vitals], float]) -> tuple[float, float]:
    """The medians of a figure in the second quarter and in the last."""
    quarter = len(samples) // 4
    return median(map(what, samples[quarter : 2 * quarter])), median(map(what, samples[-quarter:]))


def growths(samples: Sequence[Vitals]) -> dict[str, str]:
    """What is not flat, and how it went; nothing, if all is."""
    if len(samples) < SAMPLES_MIN:
        return {"samples": f"{len(samples)} of {SAMPLES_MIN}"}
    found = {}
    before, after = grown(samples, lambda one: one.resident_mib)
    if after > max(before + MEMORY_MAX_MIB, before * MEMORY_MAX):
        found["memory"] = f"{before:.1f} -> {after:.1f} MiB"
    for name, most in (("descriptors", DESCRIPTORS_MAX), ("tasks", TASKS_MAX), ("threads", THREADS_MAX)):
        before, after = grown(samples, lambda one, name=name: getattr(one, name))  # type: ignore[misc]
        if after > before + most:
            found[name] = f"{before:g} -> {after:g}"
    return found

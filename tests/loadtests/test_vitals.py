"""The judge of a soak finds growth, whatever grows, and passes what only breathes."""

import os
from dataclasses import replace
from math import sin
from pathlib import Path
from typing import Any

import pytest

from loadtests.vitals import SAMPLES_MIN, Vitals, growths, in_words, memory_mib

LOOK = Vitals(at_s=0.0, resident_mib=120.0, descriptors=60, threads=7, tasks=40)


def series(count: int = 60, **grow_to: float) -> list[Vitals]:
    """Looks that breathe, and of which some figures grow evenly up to these values; the first tenth is a warm-up."""
    looks = []
    for number in range(count):
        one: dict[str, Any] = {"at_s": 10.0 * number, "resident_mib": 120 + 2 * sin(number), "tasks": 40 + number % 9}
        if number < count // 10:
            one["resident_mib"] = 90.0
        for name, end in grow_to.items():
            begin = getattr(LOOK, name)
            one[name] = begin + (end - begin) * number / (count - 1)
        looks.append(replace(LOOK, **one))
    return looks


def test_what_breathes_is_flat() -> None:
    """A warm-up, and memory and tasks that go up and down, are no growth."""
    assert growths(series()) == {}


@pytest.mark.parametrize(
    ("name", "end", "told"),
    [("resident_mib", 160.0, "memory"), ("descriptors", 260, "descriptors"), ("threads", 20, "threads"),
     ("tasks", 240, "tasks")],
)  # fmt: skip
def test_what_grows_is_told(name: str, end: float, told: str) -> None:
    """Whatever rises evenly through the run is told, and nothing else."""
    assert list(growths(series(**{name: end}))) == [told]


def test_too_few_looks_say_nothing() -> None:
    """A run with too few looks is not flat: nothing is known of it."""
    assert list(growths(series(SAMPLES_MIN - 1))) == ["samples"]
    assert growths(series(SAMPLES_MIN)) == {}


def test_memory_is_this_process_s() -> None:
    """Memory is what the kernel says, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    assert memory_mib(pid=os.getpid()) == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, rel=0.2)


def test_a_look_in_words() -> None:
    """Every figure of a look stands in its line."""
    assert in_words(LOOK.told()) == "   0.0 s:  120.0 MiB, 60 descriptors, 7 threads, 40 tasks"

"""From single measurements to medians, ratios and verdicts: a Markdown table for people, an object for programs.

A ratio is the median of the ratios of the rounds: a machine changes its speed by up to twice within seconds, for all
alike, so that two medians may be of different times, while the contestants of one round have much the same of it.
"""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any, Final

from loadtests.client_cost.contestants import AIOHTTP_FLOOR, NAIVE, RAW_FLOOR, Spent

GOALS: Final[dict[str, float]] = {NAIVE: 0.20, AIOHTTP_FLOOR: 0.9, RAW_FLOOR: 2.5}
"""CPU of the gateway, as a multiple of each of these at most."""

LIBRARIES: Final = ("aiohttp", "aiobotocore", "botocore", "uvloop", "msgspec", "orjson", "numpy")


def figures(
    spent: Mapping[str, Sequence[Spent]], skipped: Sequence[str], candidates: int, calls: int
) -> dict[str, Any]:
    """Everything that was found out."""
    contestants = {name: _summary(all_spent) for name, all_spent in spent.items()}
    ratios = {name: {against: _ratio(spent[name], spent[against]) for against in GOALS} for name in spent}
    return {
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "candidates": candidates,
        "calls": calls,
        "rankings": len(next(iter(spent.values()))),
        "contestants": contestants,
        "ratios": ratios,
        "skipped": list(skipped),
        "goals": [
            {
                "contestant": name,
                "against": against,
                "ratio": round(ratios[name][against], 3),
                "goal": goal,
                "met": ratios[name][against] <= goal,
            }
            for name in spent
            if name not in GOALS
            for against, goal in GOALS.items()
        ],
    }


def machine() -> dict[str, Any]:
    """What it ran on."""
    models = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    processor = models[0].partition(":")[2].strip() if models else platform.machine()
    return {"processor": processor, "cores": cpu_count(), "system": f"{platform.system()} {platform.release()}"}


def _ratio(spent: Sequence[Spent], against: Sequence[Spent]) -> float:
    return median(one.cpu_ms / other.cpu_ms for one, other in zip(spent, against, strict=True))


def _summary(spent: Sequence[Spent]) -> dict[str, dict[str, float]]:
    cpu_ms, wall_ms = [one.cpu_ms for one in spent], [one.wall_ms for one in spent]
    low, _, high = quantiles(cpu_ms, n=4)
    cpu = {"median": median(cpu_ms), "q1": low, "q3": high, "mean": fmean(cpu_ms), "min": min(cpu_ms)}
    return {
        "cpuMs": {name: round(value, 2) for name, value in cpu.items()},
        "wallMs": {"median": round(median(wall_ms), 2)},
    }


def table(found: Mapping[str, Any]) -> list[str]:
    """The lines of the report."""
    contestants = found["contestants"]
    machine, versions = found["machine"], found["versions"]
    head = [
        f"{found['candidates']:,} cold candidates, {found['calls']} calls, {found['rankings']} rounds",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {versions['python']}",
        "",
        f"| a ranking | CPU, ms | quartiles | mean | min | {''.join(f'x {name} | ' for name in GOALS)}wall, ms |",
        f"|---|---:|---:|---:|---:|{'---:|' * len(GOALS)}---:|",
    ]
    rows = []
    for name, one in contestants.items():
        cpu = one["cpuMs"]
        ratios = "".join(f"{found['ratios'][name][against]:.2f} | " for against in GOALS)
        rows.append(
            f"| {name} | {cpu['median']:.1f} | {cpu['q1']:.1f} to {cpu['q3']:.1f} | {cpu['mean']:.1f} "
            f"| {cpu['min']:.1f} | {ratios}{one['wallMs']['median']:.0f} |"
        )
    goals = [
        f"{one['contestant']}: {one['ratio']:.2f}x {one['against']}, goal <= {one['goal']:g}x: "
        f"{'met' if one['met'] else 'not met'}"
        for one in found["goals"]
    ]
    return [*head, *rows, "", *goals, *(f"skipped: {why}" for why in found["skipped"])]

"""CPU of a ranking by its size, as measured: read from the kept file, or taken out of a report of `make bench`.

Between two sizes that were measured, and beyond the largest, cost grows along a line; below the smallest it stays as it
is, since what is left there is the request itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson

KEPT: Final = Path(__file__).with_name("figures.json")

CURVES: Final[Mapping[str, tuple[str, str]]] = {
    "cold": ("cold", "gateway, Valkey"),
    "warm, memory": ("warm", "gateway, memory"),
    "warm, Redis": ("warm", "gateway, Valkey"),
}
"""Curve -> where `loadtests.rankings` tells it: the kind of ranking, and the contestant."""

Curve = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU milliseconds of one ranking by its candidates, for each of `CURVES`; `source` says where they come from."""

    source: str
    cpu_ms: Mapping[str, Curve]

    def at(self, curve: str, candidates: int) -> float:
        """CPU milliseconds of a ranking of so many candidates."""
        return along(self.cpu_ms[curve], candidates)

    def told(self) -> dict[str, Any]:
        """The content of the kept file."""
        curves = {name: {str(size): ms for size, ms in sorted(curve.items())} for name, curve in self.cpu_ms.items()}
        return {"from": self.source, "cpuMs": curves}


def along(curve: Curve, candidates: int) -> float:
    """The value of a curve at a size: on the line between its neighbours, or on the last one drawn on."""
    points = sorted(curve.items())
    if candidates <= points[0][0]:
        return points[0][1]
    (low, at_low), (high, at_high) = next(
        (pair for pair in pairwise(points) if candidates <= pair[1][0]), (points[-2], points[-1])
    )
    return at_low + (at_high - at_low) * (candidates - low) / (high - low)


def of_file(content: Mapping[str, Any]) -> Figures:
    """The figures in a kept file. Raises `ValueError` if a curve has fewer than two sizes."""
    curves = {name: {int(size): float(ms) for size, ms in content["cpuMs"][name].items()} for name in CURVES}
    if any(len(curve) < 2 for curve in curves.values()):
        raise ValueError("a curve needs at least two sizes")
    return Figures(content["from"], curves)


def of_report(report: Mapping[str, Any]) -> Figures:
    """The figures in the `report.json` of a `make bench`. Raises `KeyError` if its part "rankings" found nothing."""
    sizes = report["parts"]["rankings"]["found"]["sizes"]
    curves = {
        name: {one["candidates"]: one[kind][contestant]["cpuMs"] for one in sizes}
        for name, (kind, contestant) in CURVES.items()
    }
    machine = report["machine"]
    told = {name: {str(size): ms for size, ms in curve.items()} for name, curve in curves.items()}
    source = f"make bench of {report['at'][:10]}, commit {report['commit']}, {machine['processor']}"
    return of_file({"from": source, "cpuMs": told})


def kept() -> Figures:
    """The figures that are kept."""
    return of_file(orjson.loads(KEPT.read_bytes()))


def keep(figures: Figures) -> None:
    """Keep other figures from now on."""
    KEPT.write_bytes(orjson.dumps(figures.told(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

"""The plots of the report, each from what one part found, as SVG: they scale, and they need nothing from outside."""

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gateway.core.plan import CALL_LIMIT, FRAME_ANCHORS_MIN, calls_needed, plan_ranking

SIZE: Final = (9.0, 4.2)
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")
"""Told apart by people who do not see all colours (Okabe and Ito)."""


def plots(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """SVG by caption, for the parts that found something."""
    return {
        caption: _svg(draw, parts[part].get("found") if part else None)
        for caption, (part, draw) in PLOTS.items()
        if not part or "found" in parts.get(part, {})
    }


def _svg(draw: Callable[[Axes, Any], None], found: Any) -> str:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=COLOURS)
    axes.grid(visible=True, alpha=0.3)
    draw(axes, found)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _latency(axes: Axes, found: Any) -> None:
    for name, by_callers in found["callers"].items():
        rate = [one["perS"] for one in by_callers.values()]
        axes.plot(rate, [one["p99Ms"] for one in by_callers.values()], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="answers per second", ylabel="p99, ms")
    axes.legend()


def _cost(axes: Axes, found: Any) -> None:
    sizes = [one["candidates"] for one in found["sizes"]]
    for kind, style in (("cold", "-"), ("warm", "--")):
        for name in found["sizes"][0][kind]:
            cpu_ms = [one[kind][name]["cpuMs"] for one in found["sizes"]]
            axes.plot(sizes, cpu_ms, style, marker="o", label=f"{name}, {kind}")
    axes.set(xscale="log", yscale="log", xlabel="candidates", ylabel="CPU, ms")
    axes.legend(fontsize="small")


def _saved(axes: Axes, _: None) -> None:
    """The plan's own arithmetic: what a frame that knows a share of the list saves."""
    shares = [share / 20 for share in range(21)]
    for count in (1_000, 10_000, 100_000):
        cold = len(plan_ranking([str(number) for number in range(count)]).chunks)
        needed = [calls_needed(round(count * (1 - share)), CALL_LIMIT, FRAME_ANCHORS_MIN) for share in shares]
        axes.plot(
            [100 * share for share in shares],
            [100 * (1 - min(calls, cold) / cold) for calls in needed],
            label=f"{count:,} candidates, {cold} calls cold",
        )
    axes.set(xlabel="share of the list that the frame knows, %", ylabel="billed calls saved, %")
    axes.legend()


def _fidelity(axes: Axes, found: Any) -> None:
    rows = [one for one in found if one["candidates"] == 10_000]
    for name, colour in zip(rows[0]["merges"], COLOURS, strict=False):
        for arrive, style in (("at random", "-"), ("by relevance", "--")):
            own = [one for one in rows if one["arrive"] == arrive]
            tau = [one["merges"][name]["tau"] for one in own]
            axes.plot([one["sigma"] for one in own], tau, style, color=colour, marker="o", label=f"{name}, {arrive}")
    axes.set(xlabel="spread of tastes", ylabel="Kendall's tau, worst user", ylim=(0.4, 1.02))
    axes.legend(fontsize="small", ncols=2)


def _client_cost(axes: Axes, found: Any) -> None:
    names = list(found["contestants"])
    middle = [found["contestants"][name]["cpuMs"]["median"] for name in names]
    axes.barh(names, middle, color=COLOURS[0])
    for place, ms in enumerate(middle):
        axes.text(ms, place, f" {ms:.1f}", va="center")
    axes.set(xlabel="CPU of a cold ranking of 10,000, ms")


def _tails(axes: Axes, found: Any) -> None:
    rows = [
        (f"{scene}: {row['what']}", _milliseconds(row["figure"]))
        for scene in ("tail", "fan-out-tail")
        for row in found.get(scene, ())
        if row["figure"].endswith("ms")
    ]
    axes.barh([what for what, _ in rows], [ms for _, ms in rows], color=COLOURS[2])
    axes.set(xlabel="ms")


def _milliseconds(words: str) -> float:
    return float(words.removesuffix("ms").split(",")[-1].replace(" ", ""))


PLOTS: Final[dict[str, tuple[str, Callable[[Axes, Any], None]]]] = {
    "CPU of a cold ranking beside naive and the floors": ("client cost", _client_cost),
    "Latency over load: 100 candidates, more and more callers": ("small calls", _latency),
    "Cost over candidates": ("rankings", _cost),
    "Calls saved over overlap (the plan's arithmetic)": ("", _saved),
    "Fidelity of 10,000 candidates": ("fidelity", _fidelity),
    "Tails: healthy, with slow calls, with and without hedging": ("resilience", _tails),
}

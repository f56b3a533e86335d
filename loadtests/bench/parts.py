"""The parts of the benchmark: which program, for how long at most, and which goals its figures answer.

Goals are those of the project's design ("Numbers to reach"). Where a program says itself whether a goal is met, its
row is taken over as it stands.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loadtests.bench.goals import Goal

Found = Any
"""What a program printed as JSON."""


@dataclass(frozen=True, slots=True)
class Part:
    """A program under `loadtests/` with its options, the most that it may take, and its goals."""

    name: str
    module: str
    options: Sequence[str]
    within_s: float
    goals: Callable[[Found], list[Goal]]


def _client_cost(found: Found) -> list[Goal]:
    return [
        Goal(f"CPU of a cold ranking of 10,000 against {one['against']}", one["ratio"], one["goal"])
        for one in found["goals"]
        if "lean" in one["contestant"]
    ]


def _rankings(found: Found) -> list[Goal]:
    sizes = {one["candidates"]: one for one in found["sizes"]}
    warm = sizes[10_000]["warmOverFloor"]
    goals = [
        Goal("warm ranking of 10,000, memory, against decode + sort + encode", warm["gateway, memory"], 2.0),
        Goal("warm ranking of 10,000, Valkey, against the same + one GET", warm["gateway, Valkey"], 2.0),
    ]
    return goals + [Goal(f"10,000 → 100,000 candidates: {what}", ratio, 11) for what, ratio in found["growth"].items()]


def _small_calls(found: Found) -> list[Goal]:
    return [Goal("added to one call of 100 candidates", found["oneCaller"]["gateway, cold"]["addedMs"], 1.0, "ms")]


def _fidelity(found: Found) -> list[Goal]:
    """The promise itself, as far as rounding lets anybody tell."""
    ours = [(one["sigma"], one["merges"]["gateway"]) for one in found]
    top = min(merge["top"] for sigma, merge in ours if sigma <= 3)
    tau = min(merge["tau"] for sigma, merge in ours if sigma <= 2)
    return [
        Goal("top-100 found, worst user up to a spread of 3", 100 * top, 100, "%", "least"),
        Goal("Kendall's tau, worst user up to a spread of 2", tau, 0.999, "", "least"),
    ]


def _resilience(found: Found) -> list[Goal]:
    return [
        _judged(f"{scene}: {row['what']}", row["figure"], row["goal"], met=row["met"])
        for scene, rows in found.items()
        for row in rows
        if row["met"] is not None
    ]


def _judged(what: str, figure: str, goal: str, *, met: bool) -> Goal:
    """A row that a program has judged itself, its figure and goal in words ("1.29x", "<= 1.3x")."""
    sign, _, limit = goal.partition(" ")
    at = {"<=": "most", ">=": "least"}.get(sign, "exactly")
    told = Goal(what, _number(figure), _number(limit or goal), _unit(figure), at)  # type: ignore[arg-type]
    return told if told.met == met else Goal(f"{what} ({figure})", float(met), 1.0, "", "exactly")


def _number(words: str) -> float:
    digits = "".join(one for one in words.strip() if one.isdigit() or one in ".-")
    try:
        return float(digits)
    except ValueError:
        return math.nan


def _unit(words: str) -> str:
    return words.strip().lstrip("0123456789.,- ").strip()


def _storefront(found: Found) -> list[Goal]:
    before, after = found["residentMib"]
    load = f"{found['requests']:,} answers at 80 % of the peak of {found['peakPerS']:g}/s"
    return [
        Goal(f"kinds of wrong answers in {load}", float(found["violations"]), 0, "", "exactly"),
        Goal("resident memory after that load against before", round(after / before, 3), 1.1),
    ]


def _chaos(found: Found) -> list[Goal]:
    """Answers that were late while the machine stood still are told, and not judged."""
    late, lost = len(found["lateWhileLost"]), found["lostShare"]
    besides = f"; {late} late while the machine stood still, {lost:.0%} of the time" if late else ""
    what = f"broken promises in {found['answers']:,} answers{besides}"
    return [Goal(what, sum(found["broken"].values()), 0, "", "exactly")]


def _mixed(found: Found) -> list[Goal]:
    before, after = found["warmUp"], found["requests"]
    others = [name for name in found["grown"] if name != "memory"]
    return [
        Goal("resident memory, idle", found["idle"]["resident_mib"], 100, "MiB"),
        Goal(f"resident memory grown from {before:,} to {after:,} mixed requests", found["grownMib"], 5, "MiB"),
        Goal("resident memory grown while the busiest moment comes again", found["peaksGrownMib"], 5, "MiB"),
        Goal(
            f"descriptors, threads, tasks: kinds that grew meanwhile {others or ''}".strip(),
            len(others),
            0,
            "",
            "exactly",
        ),
        Goal("wrong answers among them", sum(found["wrong"].values()), 0, "", "exactly"),
    ]


def _exact_calls(found: Found) -> list[Goal]:
    """By the gateway's own word and by the emulator's count."""
    rows = found["rows"]
    known = [row for row in rows if not row["missing"]]
    wrong = sum(not row["expected"] == row["said"] == row["counted"] for row in rows)
    return [
        Goal(f"{len(rows)} lists whose calls are not ceil(missing / (500 - anchors))", wrong, 0, "", "exactly"),
        Goal(
            f"upstream calls of {len(known)} lists that are cached",
            sum(row["counted"] for row in known),
            0,
            "",
            "exactly",
        ),
    ]


def _stalls(found: Found) -> list[Goal]:
    return [
        Goal(f"loop stands still, ranking of {one['name']}", one["cpuLeastMs"], one["goalMs"], "ms")
        for one in found["rows"]
    ]


def _hostile(found: Found) -> list[Goal]:
    worst = max(found["rows"], key=lambda one: one["cpuLeastMs"])
    heaviest = max(found["rows"], key=lambda one: one["memoryMib"])
    return [
        Goal(f"loop stands still, hostile body ({worst['name']})", worst["cpuLeastMs"], found["goalMs"], "ms"),
        Goal(f"memory for a hostile body ({heaviest['name']})", heaviest["memoryMib"], 8 * 16, "MiB"),
    ]


def _slow_heads(found: Found) -> list[Goal]:
    return [
        Goal("2,000 slow heads: p99 of other callers", found["ratio"], 1.2),
        Goal("2,000 slow heads, in rounds: how many were not culled", found["of"] - found["culled"], 0, "", "exactly"),
        Goal("2,000 slow heads: the last one culled after", round(found["lastedS"][1], 2), 6, "s"),
    ]


def _redis_faults(found: Found) -> list[Goal]:
    frozen = next(one for one in found if one["fault"] == "sigstop-10s")
    return [
        Goal("Valkey frozen: errors and wrong orders", frozen["errors"] + frozen["wrong"], 0, "", "exactly"),
        Goal("Valkey frozen: median until the breaker opens", frozen["untilOpenMs"], 25, "ms"),
        Goal("Valkey frozen: median after that, against a gateway whose Valkey is well", frozen["openMs"], 1, "ms"),
    ]


def _cancels(found: Found) -> list[Goal]:
    return [
        Goal(f"answers of another user in {found['cancels']:,} cancels", found["wrong"], 0, "", "exactly"),
        Goal("new connections per 1,000 cancels", 1e3 * found["connections"] / found["cancels"], 0, "", "exactly"),
    ]


def _rollout(found: Found) -> list[Goal]:
    return [
        Goal("SIGTERM under load: requests lost", found["one"]["lost"] + found["one"]["wrong"], 0, "", "exactly"),
        Goal(
            "rolling restart of three: requests failed",
            sum(found["rolling"][what] for what in ("lost", "wrong", "refused")),
            0,
            "",
            "exactly",
        ),
    ]


def _observed(found: Found) -> list[Goal]:
    """By the work itself, the least of many: whole processes differ by 10 % from round to round, for any reason."""
    direct, usual_ms = found["directMs"], found["logs"]["cpuMs"]
    unsampled_ms, sampled_ms = direct["unsampled"], direct["sampled"] + direct["encoded"]
    return [
        Goal("CPU of a cold ranking of 10,000 with traces, unsampled", round(1 + unsampled_ms / usual_ms, 4), 1.02),
        Goal("the same, every request recorded and sent", round(1 + sampled_ms / usual_ms, 4), 1.05),
    ]


PARTS: Final = (
    Part("client cost", "client_cost", ("--json", "--rounds", "15"), 120, _client_cost),
    Part("rankings", "rankings", ("--json", "--rounds", "5"), 150, _rankings),
    Part("small calls", "small_calls", ("--json", "--seconds", "1", "--callers", "1", "16", "128"), 180, _small_calls),
    Part("fidelity", "fidelity", ("--json", "--seeds", "5"), 90, _fidelity),
    Part("stalls", "stalls", ("--json", "--repeat", "3"), 150, _stalls),
    Part("hostile", "hostile", ("--json",), 120, _hostile),
    Part("exact calls", "exact_calls", ("--json",), 60, _exact_calls),
    Part("mixed", "mixed", ("--json",), 300, _mixed),
    Part("slow heads", "slow_heads", ("--json", "--rounds", "3"), 120, _slow_heads),
    Part("observed", "observed", ("--json", "--rounds", "8"), 90, _observed),
    Part("resilience", "resilience", ("--json", "--quick"), 360, _resilience),
    Part("Valkey frozen", "redis_faults", ("--json", "--only", "sigstop-10s", "--new-share", "1"), 60, _redis_faults),
    Part("cancels", "cancels", ("--json", "--cancels", "50000"), 60, _cancels),
    Part("rollout", "rollout", ("--json",), 90, _rollout),
    Part("storefront", "storefront", ("--json", "--ramp-s", "30", "--hold-s", "90"), 200, _storefront),
    Part("chaos", "chaos", ("--json", "--seconds", "75"), 115, _chaos),
)
"""In this order; together at most 20 minutes on two cores when nothing hangs."""

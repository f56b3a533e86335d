"""`python -m loadtests.bench`: see the package."""

import argparse
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson

import loadtests.bench as package
from loadtests.bench.goals import Goal
from loadtests.bench.parts import PARTS, Part
from loadtests.bench.plots import plots
from loadtests.bench.report import html, markdown
from loadtests.client_cost.figures import LIBRARIES, machine

TAIL: Final = 2_000
"""Characters of what a part said that failed."""

MARKS: Final = ("<!-- goals -->", "<!-- /goals -->")
"""Between these a README has the goals of the last report."""


def ran(part: Part) -> dict[str, Any]:
    """One part: what it found, or why it found nothing."""
    began_s = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"loadtests.{part.module}", *part.options],
            capture_output=True,
            text=True,
            timeout=part.within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"state": f"took more than {part.within_s:.0f} s", "tookS": time.monotonic() - began_s}
    took_s = round(time.monotonic() - began_s, 1)
    try:
        return {"state": "done", "tookS": took_s, "found": orjson.loads(done.stdout[_begin(done.stdout) :])}
    except orjson.JSONDecodeError:
        return {"state": f"failed ({done.returncode})", "tookS": took_s, "said": done.stderr[-TAIL:]}


def _begin(text: str) -> int:
    """Where the JSON begins."""
    return min((place for place in (text.find("{"), text.find("[")) if place >= 0), default=0)


def goals_of(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Goal]]:
    """The goals of every part that was run; those of one that failed are not met."""
    return {
        part.name: part.goals(parts[part.name]["found"])
        if "found" in parts[part.name]
        else [Goal(f"{part.name}: {parts[part.name]['state']}", float("nan"), 0.0, "")]
        for part in PARTS
        if part.name in parts
    }


def run(only: Collection[str] | None) -> dict[str, Any]:
    """All parts, one after the other, and what they ran on."""
    began_s = time.monotonic()
    parts = {}
    for part in PARTS:
        if only is None or part.name in only:
            print(f"{part.name} ...", end=" ", flush=True)
            parts[part.name] = ran(part)
            print(f"{parts[part.name]['state']}, {parts[part.name]['tookS']:.0f} s", flush=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)  # noqa: S607
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or "unknown",
        "tookS": round(time.monotonic() - began_s, 1),
        "machine": machine(),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in LIBRARIES}},
        "parts": parts,
    }


def main() -> None:
    """Run all parts and write the report."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench"), help="folder of the report")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS])
    parser.add_argument("--list", action="store_true", help="name the parts and their limits")
    parser.add_argument("--again", type=Path, metavar="REPORT", help="run nothing: judge and draw what this JSON found")
    parser.add_argument("--readme", type=Path, help="write the goals into this file, between its marks")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{part.name:14} {part.within_s:5.0f} s at most  {part.module}" for part in PARTS))
        return
    found = orjson.loads(options.again.read_bytes()) if options.again else run(options.only)
    parts = found["parts"]
    goals = goals_of(parts)
    found["goals"] = {name: [goal.told() for goal in of_part] for name, of_part in goals.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    (options.out / "report.html").write_text(html(found, goals, plots(parts)), encoding="utf-8")
    (options.out / "goals.md").write_text(markdown(goals), encoding="utf-8")
    if options.readme is not None:
        text = options.readme.read_text(encoding="utf-8")
        before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
        options.readme.write_text(f"{before}{MARKS[0]}\n{markdown(goals)}{MARKS[1]}{after}", encoding="utf-8")
    print(markdown(goals))
    print(f"{options.out / 'report.html'} after {found['tookS'] / 60:.1f} minutes")


if __name__ == "__main__":
    main()

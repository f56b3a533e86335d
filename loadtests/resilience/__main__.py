"""`python -m loadtests.resilience`: see the package."""

import argparse
from dataclasses import asdict

import orjson
import uvloop

import loadtests.resilience as package
from loadtests.resilience.scenes import SCENES, Row

SECONDS = 20.0
QUICK_S = 8.0


def main() -> None:
    """Play the scenes, one after the other, and print a Markdown table of each."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.resilience",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument("--quick", action="store_true", help=f"phases of {QUICK_S:g} s instead of {SECONDS:g}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    told: dict[str, list[Row]] = {}
    for name in options.only:
        rows = told[name] = uvloop.run(SCENES[name](QUICK_S if options.quick else SECONDS))
        if not options.json:
            print(f"\n{name}: {SCENES[name].__doc__}\n\n| figure | | goal | |\n|---|---:|---:|---|")
            for row in rows:
                met = "" if row.met is None else "met" if row.met else "**not met**"
                print(f"| {row.what} | {row.figure} | {row.goal} | {met} |", flush=True)
    if options.json:
        print(orjson.dumps({name: [asdict(row) for row in rows] for name, rows in told.items()}).decode())


main()

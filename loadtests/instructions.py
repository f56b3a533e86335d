"""How many instructions a request takes: a figure that repeats itself on a busy machine, where CPU times do not.

    python -m loadtests.instructions [--only SCENE ...] [--floors] [--out FOLDER] [--json]

    large   one cold ranking of 10,000 candidates (21 calls)
    small   one cold ranking of 100 (one call)
    warm    the same of a user whose frame is known (no call)

and, where they are asked for,

    warm-10k, warm-100k    the same of 10,000 and of 100,000, for how it grows

The gateway runs under `valgrind --tool=callgrind`, which counts what its process does outside of the kernel, in all
threads, the storing behind the answer included. Two runs of one version are within 0.3 % (the small ones within 1 %).

It is for the comparison of two versions, not of programs of different kinds: caches and branches are not looked at,
system calls cost nothing, long copies count a byte as an instruction, SHA-256 is done without the processor's help, and
since all takes fifty times as long, what is done so often a second is counted fifty times as often. `--floors` counts
the floors of `client_cost` as well; `--out` keeps the profiles, for `callgrind_annotate`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from typing import Final

import orjson

from gateway import settings
from loadtests.client_cost.contestants import AIOHTTP_FLOOR, RAW_FLOOR, Contestant, environment_for, started
from loadtests.client_cost.task import CAMPAIGN, items_of, request_body

VALGRIND: Final = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet")
CONTROL: Final = ("callgrind_control",)
GATEWAY: Final = "gateway"
SETTLE_S: Final = 0.5
"""Under instrumentation everything takes fifty times as long, storing the frame behind the answer as well."""

TOTALS: Final = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)
STEADY: Final = {
    "PYTHONHASHSEED": "0",
    f"GATEWAY_CAMPAIGNS__{CAMPAIGN.upper()}__EXTRA_SHARE": "0",  # no hedges: all calls are late here
    "GATEWAY_LOG__LEVEL": "info",
    "GATEWAY_CACHE__FRESH_S": "3600",  # a minute is over before some of them are
}


@dataclass(frozen=True)
class Scene:
    """What is asked: so many candidates, for users nobody has seen or always for one; how often after warming up."""

    candidates: int
    cold: bool
    warm_ups: int
    requests: int


SCENES: Final = {
    "large": Scene(10_000, cold=True, warm_ups=6, requests=8),
    "small": Scene(100, cold=True, warm_ups=40, requests=40),
    "warm": Scene(100, cold=False, warm_ups=40, requests=40),
    "warm-10k": Scene(10_000, cold=False, warm_ups=3, requests=8),
    "warm-100k": Scene(100_000, cold=False, warm_ups=3, requests=4),
}
USUAL: Final = ("large", "small", "warm")

users = (f"user-{number}" for number in numbers())


@contextmanager
def counted(folder: Path, module: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A module as a process whose instructions can be counted, and its address."""
    out = f"--callgrind-out-file={folder / 'callgrind.out'}"
    process = subprocess.Popen(
        [*VALGRIND, out, sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=settings.for_child(STEADY),
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"{module} did not start under valgrind")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        process.stdout.close()


def control(process: subprocess.Popen[str], *arguments: str) -> None:
    """Tell callgrind something."""
    subprocess.run([*CONTROL, *arguments, str(process.pid)], check=True, stdout=subprocess.DEVNULL, timeout=60)


def measured(process: subprocess.Popen[str], url: str, scene: Scene, profile: Path, kept: Path | None) -> float:
    """Millions of instructions a request of this scene takes; `profile` is where callgrind writes."""
    items = items_of(scene.candidates)
    asked = Contestant.at(GATEWAY, process, url, lambda user: request_body(user, items))

    def ask(times: int) -> None:
        for _ in range(times):
            asked.ask(next(users) if scene.cold else f"warm-user-{scene.candidates}")
        time.sleep(SETTLE_S)

    ask(scene.warm_ups)
    control(process, "-z")
    control(process, "--instr=on")
    ask(scene.requests)
    control(process, "--instr=off")
    control(process, "-d")
    asked.connection.close()
    dumps = sorted(profile.parent.glob(f"{profile.name}.*"), key=lambda file: int(file.suffix[1:]))
    text = dumps[-1].read_text(encoding="utf-8")
    if kept is not None:
        kept.write_text(text, encoding="utf-8")
    return sum(map(int, TOTALS.findall(text)[-1:])) / 1e6 / scene.requests


def count(module: str, arguments: Sequence[str], scenes: Mapping[str, Scene], out: Path | None) -> dict[str, float]:
    """Millions of instructions a request takes of a program, by scene."""
    with tempfile.TemporaryDirectory() as folder, counted(Path(folder), module, *arguments) as (process, url):
        return {
            name: measured(
                process,
                url,
                scene,
                Path(folder) / "callgrind.out",
                None if out is None else out / f"{module}-{name}.callgrind",
            )
            for name, scene in scenes.items()
        }


def run(names: Sequence[str], out: Path | None, *, floors: bool) -> dict[str, dict[str, float]]:
    """Everything that was asked for, by program and scene."""
    found = {}
    scenes = {name: SCENES[name] for name in names}
    items = max(SCENES["large"].candidates, *(scene.candidates for scene in scenes.values()))
    with started("loadtests.client_cost.upstream", str(items)) as (_, upstream):
        environment_for(upstream, "lean")
        found[GATEWAY] = count("gateway", ("serve", "--port", "0"), scenes, out)
        if floors:
            for name, module in ((AIOHTTP_FLOOR, "aiohttp_floor"), (RAW_FLOOR, "raw_floor")):
                whole = str(SCENES["large"].candidates)
                found[name] = count(
                    f"loadtests.client_cost.{module}", (upstream, whole), {"large": SCENES["large"]}, out
                )
    return found


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SCENES, default=USUAL)
    parser.add_argument("--floors", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = run(options.only, options.out, floors=options.floors)
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for program, scenes in found.items():
        for name, millions in scenes.items():
            print(f"{program:>14} {name:>9} {millions:10.3f} million instructions a request")


if __name__ == "__main__":
    main()

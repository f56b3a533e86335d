"""How many instructions a request takes: a figure that repeats itself on a busy machine, where CPU times do not.

    python -m loadtests.instructions [--only SCENE ...] [--traces off unsampled all] [--floors] [--out FOLDER] [--json]

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

`--traces` is what it costs to be seen, each in a gateway of its own; metrics and access lines are part of all:

    off         no traces
    unsampled   they go to a collector, but the sampler says no to every request
    all         every request is recorded, encoded and sent, as the standard's default has it; counting ends when the
                collector, a process of its own, has every span, and the run fails if one is missing
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count as numbers
from pathlib import Path
from typing import Final

import orjson

from gateway import settings
from loadtests.client_cost.contestants import AIOHTTP_FLOOR, RAW_FLOOR, Contestant, environment_for, started
from loadtests.client_cost.task import CAMPAIGN, items_of, request_body
from loadtests.collector import received

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

OFF: Final = "off"
TRACES: Final = {
    OFF: {"OTEL_TRACES_EXPORTER": "none"},
    "unsampled": {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_off"},
    "all": {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "200",
        "OTEL_BSP_SCHEDULE_DELAY": "30000",
    },
}
"""200 spans are those of every scene's requests. Under load 512 are sent at once, by default, else what there is after
five seconds, which would be a few requests here."""

ARRIVED_WITHIN_S: Final = 90.0
POLL_S: Final = 0.05


@dataclass(frozen=True)
class Scene:
    """What is asked: so many candidates, for users nobody has seen or always for one; how often after warming up."""

    candidates: int
    cold: bool
    warm_ups: int
    requests: int


SCENES: Final = {
    "large": Scene(10_000, cold=True, warm_ups=8, requests=8),
    "small": Scene(100, cold=True, warm_ups=40, requests=40),
    "warm": Scene(100, cold=False, warm_ups=100, requests=100),
    "warm-10k": Scene(10_000, cold=False, warm_ups=3, requests=8),
    "warm-100k": Scene(100_000, cold=False, warm_ups=3, requests=4),
}
USUAL: Final = ("large", "small", "warm")

users = (f"user-{number}" for number in numbers())


@dataclass(frozen=True)
class Program:
    """What is counted, and the collector that it sends all its spans to, if it does."""

    name: str
    module: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    collector: str | None = None


@contextmanager
def counted(program: Program, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program as a process whose instructions can be counted, and its address."""
    out = f"--callgrind-out-file={folder / 'callgrind.out'}"
    process = subprocess.Popen(
        [*VALGRIND, out, sys.executable, "-m", program.module, *program.arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=settings.for_child({**STEADY, **program.variables}),
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"{program.module} did not start under valgrind")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        process.stdout.close()


def control(process: subprocess.Popen[str], *arguments: str) -> None:
    """Tell callgrind something."""
    subprocess.run([*CONTROL, *arguments, str(process.pid)], check=True, stdout=subprocess.DEVNULL, timeout=60)


def arrived(collector: str, requests: int) -> None:
    """Wait until a collector has the spans of so many requests more, and of all their calls."""
    until_s = time.monotonic() + ARRIVED_WITHIN_S
    while True:
        found = received(collector)
        if found.get("SPAN_KIND_SERVER") == requests and found.get("SPAN_KIND_CLIENT", 0) == found["told"]:
            return
        if time.monotonic() > until_s:
            raise RuntimeError(f"of {requests} traces not all spans arrived: {found}")
        time.sleep(POLL_S)


def measured(
    program: Program, process: subprocess.Popen[str], url: str, scene: Scene, profile: Path, asked_before: int
) -> str:
    """The profile of the requests of this scene; `profile` is where callgrind writes."""
    items = items_of(scene.candidates)
    asked = Contestant.at(program.name, process, url, lambda user: request_body(user, items))

    def ask(times: int, before: int) -> None:
        for _ in range(times):
            asked.ask(next(users) if scene.cold else f"warm-user-{scene.candidates}")
        time.sleep(SETTLE_S)
        if program.collector is not None:
            arrived(program.collector, before + times)

    ask(scene.warm_ups, asked_before)
    control(process, "-z")
    control(process, "--instr=on")
    ask(scene.requests, asked_before + scene.warm_ups)
    control(process, "--instr=off")
    control(process, "-d")
    asked.connection.close()
    dumps = sorted(profile.parent.glob(f"{profile.name}.*"), key=lambda file: int(file.suffix[1:]))
    return dumps[-1].read_text(encoding="utf-8")


def count(program: Program, scenes: Mapping[str, Scene], out: Path | None) -> dict[str, float]:
    """Millions of instructions a request takes of a program, by scene."""
    found, asked = {}, 0
    with tempfile.TemporaryDirectory() as folder, counted(program, Path(folder)) as (process, url):
        for name, scene in scenes.items():
            text = measured(program, process, url, scene, Path(folder) / "callgrind.out", asked)
            asked += scene.warm_ups + scene.requests
            found[name] = sum(map(int, TOTALS.findall(text)[-1:])) / 1e6 / scene.requests
            if out is not None:
                (out / f"{program.name}-{name}.callgrind".replace(" ", "-")).write_text(text, encoding="utf-8")
    return found


def gateway(traces: str, collector: str) -> Program:
    """The gateway, with such traces."""
    variables = {**TRACES[traces], "OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    name = GATEWAY if traces == OFF else f"{GATEWAY}, traces {traces}"
    return Program(name, "gateway", ("serve", "--port", "0"), variables, collector if traces == "all" else None)


def run(names: Sequence[str], traces: Sequence[str], out: Path | None, *, floors: bool) -> dict[str, dict[str, float]]:
    """Everything that was asked for, by program and scene."""
    found = {}
    chosen = {name: SCENES[name] for name in names}
    whole = str(max(SCENES["large"].candidates, *(scene.candidates for scene in chosen.values())))
    with ExitStack() as stack:
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", whole))
        _, collector = stack.enter_context(started("loadtests.collector"))
        environment_for(upstream, "lean")
        programs = [(gateway(one, collector), chosen) for one in traces]
        if floors:
            programs += [
                (
                    Program(name, f"loadtests.client_cost.{module}", (upstream, str(SCENES["large"].candidates))),
                    {"large": SCENES["large"]},
                )
                for name, module in ((AIOHTTP_FLOOR, "aiohttp_floor"), (RAW_FLOOR, "raw_floor"))
            ]
        for program, scenes in programs:
            found[program.name] = count(program, scenes, out)
    return found


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SCENES, default=USUAL)
    parser.add_argument("--traces", nargs="+", choices=TRACES, default=[OFF])
    parser.add_argument("--floors", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = run(options.only, options.traces, options.out, floors=options.floors)
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    first = next(iter(found.values()))
    for program, scenes in found.items():
        for name, millions in scenes.items():
            ratio = f", {millions / first[name]:.3f}x" if scenes is not first else ""
            print(f"{program:>25} {name:>9} {millions:10.3f} million instructions a request{ratio}")


if __name__ == "__main__":
    main()

"""The run: processes, phases, rounds, and the verdict. What it measures, and why so, stands in the package."""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import orjson

import loadtests.slow_heads
from loadtests.client_cost.contestants import environment_for, started
from loadtests.slow_heads.attacker import NOWHERE, Seen
from loadtests.slow_heads.caller import CANDIDATES, Caller, Ranking

HEAD_TIMEOUT_S: Final = 5.0
GRACE_S: Final = 1.0
"""How late the last connection may be culled."""

PHASE_S: Final = 6.5
"""Opening, head timeout, culling, and some room."""

PARTS: Final = (
    ("while they are opened", 0.0, 1.0),
    ("while all are there", 1.0, HEAD_TIMEOUT_S),
    ("while they are culled", HEAD_TIMEOUT_S, HEAD_TIMEOUT_S + GRACE_S),
)
WARM_UP_S: Final = 2.0
SETTLE_S: Final = 0.3
NICENESS: Final = 19
RATIO_MAX: Final = 1.2
PATIENCE_S: Final = 30.0
"""Ends the attack on a gateway that does not end it."""

BACKLOG: Final = Path("/proc/sys/net/core/somaxconn")

Phases = dict[str, list[list[Ranking]]]
"""Of every kind of phase, the rankings of each round."""


class Attacker:
    """The other process."""

    def __init__(self, process: "subprocess.Popen[bytes]", sockets: int) -> None:
        self.process, self._sockets = process, sockets

    def begin(self, port: int, patience_s: float) -> None:
        """Attack; `seen` has to be asked for."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        self.process.stdin.write(b"%d %d %f\n" % (port, self._sockets, patience_s))
        self.process.stdin.flush()

    def seen(self) -> Seen:
        """What came of it, when it is over."""
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the attacker has failed")
        return Seen(**orjson.loads(line))


@contextmanager
def attacking(sockets: int) -> Iterator[Attacker]:
    """The attacker, ready; it ends with its input."""
    arguments = [sys.executable, "-m", "loadtests.slow_heads.attacker", str(NICENESS)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Attacker(process, sockets)


def apart(gateway: int, others: Sequence[int]) -> bool:
    """Give the gateway a core to itself, and the others the rest; tells whether this machine lets us."""
    with suppress(OSError, AttributeError):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(gateway, cores[:1])
            for other in others:
                os.sched_setaffinity(other, cores[1:])
            return True
    return False


def measure(sockets: int, rounds: int) -> tuple[Phases, list[Seen], bool]:
    """All rounds: the rankings of every phase, what the attacker saw, and whether the gateway had its own core."""
    variables = {
        "GATEWAY_SERVER__HEAD_TIMEOUT_S": str(HEAD_TIMEOUT_S),
        "GATEWAY_SERVER__CONNECTIONS_MAX": str(sockets + 10),
    }
    with ExitStack() as stack:
        upstream, address = stack.enter_context(started("loadtests.client_cost.upstream", str(CANDIDATES)))
        environment_for(address)
        gateway, url = stack.enter_context(started("gateway", "serve", "--port", "0", variables=variables))
        attacker = stack.enter_context(attacking(sockets))
        pinned = apart(gateway.pid, [os.getpid(), upstream.pid, attacker.process.pid])
        caller = Caller(url, gateway.pid)
        stack.callback(caller.close)
        caller.rank(WARM_UP_S)
        phases: Phases = {"alone": [], "elsewhere": [], "attack": []}
        seen = []
        for _ in range(rounds):
            phases["alone"].append(caller.rank(PHASE_S))
            attacker.begin(NOWHERE, HEAD_TIMEOUT_S)
            phases["elsewhere"].append(caller.rank(PHASE_S))
            attacker.seen()
            time.sleep(SETTLE_S)
            attacker.begin(urlsplit(url).port or NOWHERE, PATIENCE_S)
            phases["attack"].append(caller.rank(PHASE_S))
            seen.append(attacker.seen())
            time.sleep(SETTLE_S)
    for name, from_s, to_s in PARTS:
        phases[name] = [[one for one in attack if from_s <= one.asked_s < to_s] for attack in phases["attack"]]
    return phases, seen, pinned


def p99s(rounds: list[list[Ranking]], clock: str) -> list[float]:
    """The 99th percentile of every round, in milliseconds."""
    return [float(np.percentile([getattr(one, clock) for one in rankings], 99)) for rankings in rounds]


def against(phases: Phases, name: str, other: str, clock: str) -> list[float]:
    """The ratio of one phase's p99 to another's, of every round."""
    pairs = zip(p99s(phases[name], clock), p99s(phases[other], clock), strict=True)
    return [one / base for one, base in pairs]


def figures(phases: Phases) -> dict[str, Any]:
    """Of every kind of phase how many rankings there were and what they took, and its ratios to the quiet ones."""
    return {
        name: {
            "rankings": sum(map(len, rounds)),
            "medianMs": median(float(np.median([one.wall_ms for one in rankings])) for rankings in rounds),
            "p99Ms": median(p99s(rounds, "wall_ms")),
            "cpuP99Ms": median(p99s(rounds, "cpu_ms")),
            "toAlone": against(phases, name, "alone", "wall_ms"),
            "toElsewhere": against(phases, name, "elsewhere", "wall_ms"),
            "cpuToElsewhere": against(phases, name, "elsewhere", "cpu_ms"),
        }
        for name, rounds in phases.items()
    }


def verdict(phases: Phases, seen: list[Seen], sockets: int) -> dict[str, Any]:
    """What is judged. `ratio` is by the clock and against the attack elsewhere, `wallRatio` against no attack."""
    ended = sum(one.ended for one in seen)
    lasted_s = [min(one.lasted_s[0] for one in seen), max(one.lasted_s[1] for one in seen)]
    return {
        "ratio": median(against(phases, "attack", "elsewhere", "wall_ms")),
        "wallRatio": median(against(phases, "attack", "alone", "wall_ms")),
        "cpuRatio": median(against(phases, "attack", "elsewhere", "cpu_ms")),
        "culled": ended,
        "of": len(seen) * sockets,
        "told": sum(one.told for one in seen),
        "lastedS": lasted_s,
        "inTime": ended == len(seen) * sockets and lasted_s[1] < HEAD_TIMEOUT_S + GRACE_S,
        "openedS": max(one.opened_s for one in seen),
        "attackerCpuS": median(one.cpu_s for one in seen),
    }


def tell(found: dict[str, Any]) -> None:
    """The figures as a table on standard error."""

    def ranged(ratios: list[float]) -> str:
        return f"{median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"

    print(f"{'':<23}rankings  median     p99  p99 to elsewhere    p99 to alone        by CPU", file=sys.stderr)
    for name, row in found["phases"].items():
        ratios = "  ".join(ranged(row[which]) for which in ("toElsewhere", "toAlone", "cpuToElsewhere"))
        print(f"{name:<23}{row['rankings']:>8} {row['medianMs']:>7.2f} {row['p99Ms']:>7.2f}  {ratios}", file=sys.stderr)
    if not found["pinned"]:
        print("the gateway had no core to itself: these figures hold the attacker's work", file=sys.stderr)


def main() -> None:
    """Run, and end with the verdict."""
    about = loadtests.slow_heads.__doc__
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="one JSON object beside the table")
    options = parser.parse_args()
    if BACKLOG.exists() and options.sockets > int(BACKLOG.read_text(encoding="ascii")):
        parser.error(f"the attack elsewhere needs {BACKLOG} to be as many")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    phases, seen, pinned = measure(options.sockets, options.rounds)
    found = {**verdict(phases, seen, options.sockets), "pinned": pinned, "phases": figures(phases)}
    tell(found)
    shortest_s, longest_s = found["lastedS"]
    words = (
        f"p99 under attack {found['ratio']:.2f}x (limit {RATIO_MAX}); culled {found['culled']:,} of {found['of']:,}; "
        f"they lasted {shortest_s:.1f} to {longest_s:.1f} s (limit {HEAD_TIMEOUT_S + GRACE_S:g})"
    )
    print(orjson.dumps(found).decode() if options.json else words)
    sys.exit(0 if found["inTime"] and found["ratio"] <= RATIO_MAX else 1)


if __name__ == "__main__":
    main()

"""Slowloris: thousands of connections whose heads never end, and what the other callers notice of them.

    python -m loadtests.slow_heads [--sockets 2000] [--rounds 4] [--json]

A gateway on a real socket with a head timeout of 5 s. A caller ranks 100 items over and over: alone, beside the slow
connections (they are in another process, and each sends one more byte a second), and while those are culled; then alone
again, in rounds, so that a busy machine is as busy for one phase as for another. Of each ranking two times are told:
by the wall, and the CPU time that the gateway's thread spent until the answer was there, with all that it did for the
slow ones meanwhile; only that is the gateway's doing. Figures are medians of the rounds, with the range of the 99th
percentile: a ratio that is smaller than the range of the phases alone says nothing. Ends by itself; exit code 1 if a
slow connection was not culled in time, or if the CPU time's p99 beside them is above `RATIO_MAX` of that alone.
"""

import argparse
import asyncio
import resource
import sys
import time
from contextlib import suppress
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import uvloop
from structlog.testing import capture_logs

from gateway.web.connections import Guard
from tests.web.listening import Wire, guard, listening, until, wire
from tests.web.parts import NATIVE, head, items, native

HEAD_TIMEOUT_S = 5.0
GRACE_S = 1.0
PHASE_S = 3.0
RATIO_MAX = 1.2


Spent = tuple[float, float]
"""What a ranking took: milliseconds by the wall, and of CPU of this thread."""


async def rankings(caller: Wire, seconds: float) -> list[Spent]:
    """Rankings, one after the other."""
    body = orjson.dumps(native(items(100)))
    request, took, ends_s = head(NATIVE, length=len(body)) + body, [], time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < ends_s:
        cpu_s = time.thread_time()
        caller.send(request)
        await caller.answer()
        took.append((1e3 * (time.perf_counter() - began_s), 1e3 * (time.thread_time() - cpu_s)))
        await asyncio.sleep(0.002)
    return took


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Read to the end, or to the reset that a byte too late is answered with."""
    with suppress(ConnectionResetError):
        await reader.read()


async def slow(port: int) -> float:
    """One slow connection; how long it lasted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began_s = time.perf_counter()
    writer.write(b"POST /v1/rerank HTTP/1.1\r\nX-Slow: ")
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(until_closed(reader))
        while not ended.done():
            await asyncio.wait([ended], timeout=1.0)
            if not writer.is_closing():
                writer.write(b"x")
    writer.transport.abort()
    return time.perf_counter() - began_s


async def attack(port: int, sockets: int) -> None:
    """The other process: all slow connections; prints how long they lasted."""
    async with asyncio.TaskGroup() as group:
        attackers = []
        for number in range(sockets):
            attackers.append(group.create_task(slow(port)))
            if number % 50 == 49:
                await asyncio.sleep(0.01)
    lasted = [task.result() for task in attackers]
    print(f"{min(lasted):.2f} {max(lasted):.2f}")


def p99(took: list[Spent], which: int) -> float:
    """The 99th percentile, by the wall (0) or of CPU (1)."""
    return float(np.percentile([one[which] for one in took], 99))


def told(name: str, phases: list[list[Spent]], alone: list[list[Spent]]) -> dict[str, float]:
    """A line of figures on standard error, each the median of the rounds; and by each clock the ratio to alone."""
    figures, ratios = [], {}
    for which, clock in enumerate(("wall", "CPU")):
        middle = median(float(np.median([one[which] for one in phase])) for phase in phases)
        tails = [p99(phase, which) for phase in phases]
        ratios[clock] = median(tails) / median(p99(phase, which) for phase in alone)
        figures.append(
            f"{clock}: median {middle:5.2f}, p99 {median(tails):6.2f} ({min(tails):.2f} to {max(tails):.2f}) ms,"
            f" {ratios[clock]:.2f}x"
        )
    print(f"{name:<22}{sum(map(len, phases)):>6} rankings   {'   '.join(figures)}", file=sys.stderr)
    return ratios


async def measure(sockets: int, rounds: int) -> dict[str, Any]:
    """Alone, beside them, and while they are culled; again and again."""
    limits: Guard = guard(head_timeout_s=HEAD_TIMEOUT_S, connections_max=sockets + 10)
    alone, beside, culling, lasted = [], [], [], []
    async with listening(limits) as site, wire(site) as caller:
        arguments = ["-m", "loadtests.slow_heads", "--attack", str(urlsplit(site.name).port), "--sockets", str(sockets)]
        await rankings(caller, 1.0)
        for _ in range(rounds):
            alone.append(await rankings(caller, PHASE_S))
            attackers = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
            await until(lambda: limits.open > sockets)
            beside.append(await rankings(caller, PHASE_S))
            culling.append(await rankings(caller, HEAD_TIMEOUT_S + GRACE_S - PHASE_S))
            printed, _ = await attackers.communicate()
            lasted += map(float, printed.split())
    told("alone", alone, alone)
    ratios = told(f"beside {sockets:,}", beside, alone)
    told("while they are culled", culling, alone)
    found = {
        "ratio": ratios["CPU"],
        "wallRatio": ratios["wall"],
        "culled": limits.culled,
        "of": rounds * sockets,
        "lastedS": [min(lasted), max(lasted)],
    }
    return found | {"inTime": limits.culled == found["of"] and max(lasted) < HEAD_TIMEOUT_S + GRACE_S}


def main() -> None:
    """Run, and end with the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="one JSON object beside the table")
    parser.add_argument("--attack", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.attack:
        uvloop.run(attack(options.attack, options.sockets))
        return
    with capture_logs():
        found = uvloop.run(measure(options.sockets, options.rounds))
    shortest_s, longest_s = found["lastedS"]
    words = f"culled {found['culled']:,} of {found['of']:,}; they lasted {shortest_s:.1f} to {longest_s:.1f} s"
    print(orjson.dumps(found).decode() if options.json else words)
    sys.exit(0 if found["inTime"] and found["ratio"] <= RATIO_MAX else 1)


if __name__ == "__main__":
    main()

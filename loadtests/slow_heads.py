"""Slowloris: thousands of connections whose heads never end, and what the other callers notice of them.

    python -m loadtests.slow_heads [--sockets 2000] [--seconds 8]

A gateway on a real socket with a head timeout of 5 s. A caller ranks 100 items over and over, first alone, then beside
the slow ones: they are in another process, and each sends one more byte a second. Ends by itself when all of them were
culled; exit code 1 if one was not in time.
"""

import argparse
import asyncio
import resource
import sys
import time
from contextlib import suppress
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


async def latencies_ms(caller: Wire, seconds: float) -> list[float]:
    """How long each ranking took, one after the other."""
    body = orjson.dumps(native(items(100)))
    request, took, ends_s = head(NATIVE, length=len(body)) + body, [], time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < ends_s:
        caller.send(request)
        await caller.answer()
        took.append(1e3 * (time.perf_counter() - began_s))
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


def told(name: str, took: list[float]) -> None:
    """A line of figures."""
    median, p99 = np.percentile(took, [50, 99])
    print(f"{name:<24}{len(took):>6} rankings, median {median:.2f} ms, p99 {p99:.2f} ms, worst {max(took):.2f} ms")


async def measure(sockets: int, seconds: float) -> bool:
    """Alone, beside them, and while they are culled."""
    limits: Guard = guard(head_timeout_s=HEAD_TIMEOUT_S, connections_max=sockets + 10)
    async with listening(limits) as site, wire(site) as caller:
        await latencies_ms(caller, 1.0)
        told("alone", await latencies_ms(caller, seconds))
        arguments = ["-m", "loadtests.slow_heads", "--attack", str(urlsplit(site.name).port), "--sockets", str(sockets)]
        attackers = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        await until(lambda: limits.open > sockets)
        told(f"beside {sockets:,}", await latencies_ms(caller, HEAD_TIMEOUT_S - 2.0))
        told("while they are culled", await latencies_ms(caller, 4.0))
        printed, _ = await attackers.communicate()
    shortest_s, longest_s = map(float, printed.split())
    print(f"culled {limits.culled:,} of {sockets:,}; they lasted {shortest_s:.1f} to {longest_s:.1f} s")
    return limits.culled == sockets and longest_s < HEAD_TIMEOUT_S + GRACE_S


def main() -> None:
    """Run, and end with the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--attack", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.attack:
        uvloop.run(attack(options.attack, options.sockets))
        return
    with capture_logs():
        well = uvloop.run(measure(options.sockets, options.seconds))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()

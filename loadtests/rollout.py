"""Restarts under load, for real: how many requests are lost.

    python -m loadtests.rollout [--callers 24] [--seconds 3] [--json]

Real processes: the emulator, `serve`, and (Debian's) haproxy with `deploy/haproxy/haproxy.cfg`. Callers go round and
round, a request under way each; what can become of a request stands in `tests/process/callers.py`.

    one      SIGTERM to one gateway; its callers honour `Connection: close` and reconnect until nobody listens
    rolling  three gateways behind haproxy, ended by SIGTERM and started anew one after the other
    naive    (control) the same, ended by SIGKILL: no lame duck, nothing finished

Takes less than a minute where no others work; exit code 1 if `one` or `rolling` lost a request, or if `naive` did not.
"""

import argparse
import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import uvloop

from tests.process.callers import Caller, Told, busy
from tests.process.parts import Running, environment, listens, running, signed, until
from tests.redis.servers import free_port

CONFIG: Final = Path(__file__).parents[1] / "deploy/haproxy/haproxy.cfg"
GATEWAYS: Final = 3
FLYING: Final = 300
"""Rankings answered before anything is ended: frames are there, connections are open."""

UP_S: Final = 1.0
"""From a gateway's ready line until haproxy has seen it twice (`inter` x `rise`), with room to spare."""

Outcome = dict[str, Any]


class Fleet:
    """Gateways on ports of their own, each of which can be ended and started anew."""

    def __init__(self, stack: ExitStack, emulator: str) -> None:
        self._variables = signed(emulator, GATEWAY_LOG__LEVEL="warning")
        self._stack = stack
        self.ports = [free_port() for _ in range(GATEWAYS)]
        with ThreadPoolExecutor() as pool:
            self.running = list(pool.map(self._start, self.ports))

    async def restart_all(self, number: signal.Signals) -> None:
        """One after the other: end it, wait, start it, wait until haproxy must have seen it."""
        for place, port in enumerate(self.ports):
            gateway = self.running[place]
            gateway.process.send_signal(number)
            await asyncio.to_thread(gateway.process.wait)
            self.running[place] = await asyncio.to_thread(self._start, port)
            await asyncio.sleep(UP_S)

    def _start(self, port: int) -> Running:
        return self._stack.enter_context(running("serve", "--port", str(port), env=self._variables))


@contextmanager
def balanced(ports: list[int]) -> Iterator[int]:
    """haproxy in front of the gateways; gives its port."""
    front = free_port()
    addresses = {f"GATEWAY_{place}": f"127.0.0.1:{port}" for place, port in enumerate(ports, start=1)}
    variables = environment(BIND=f"127.0.0.1:{front}", **addresses)
    arguments = [shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin") or "haproxy", "-f", str(CONFIG), "-db", "-q"]
    process = subprocess.Popen(arguments, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(front), "haproxy")
        yield front
    finally:
        process.terminate()
        process.wait()


async def under_load(port: int, callers: int, seconds: float, work: Any) -> Outcome:
    """Callers go round while `work` is done, and for a while before and after it."""
    told, ends, began_s = Told(), asyncio.Event(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(busy(Caller(port, told), ends))
        await asyncio.to_thread(until, lambda: told.outcomes["answered"] >= FLYING, "the load")
        await asyncio.sleep(seconds / 2)
        await work()
        await asyncio.sleep(seconds / 2)
        ends.set()
    took_s = time.perf_counter() - began_s
    p50, p99 = map(float, np.percentile(told.took_s, [50, 99]))
    return {
        "requests": told.outcomes.total() - told.outcomes["refused"],
        "lost": told.outcomes["lost"],
        "wrong": told.outcomes["wrong"],
        "refused": told.outcomes["refused"],
        "per_s": round(told.outcomes["answered"] / took_s),
        "p50_ms": round(1e3 * p50, 1),
        "p99_ms": round(1e3 * p99, 1),
        "worst_ms": round(1e3 * max(told.took_s), 1),
    }


def one(emulator: str, callers: int, seconds: float) -> Outcome:
    """SIGTERM to one gateway."""
    variables = signed(emulator, GATEWAY_LOG__LEVEL="warning")
    with running("serve", "--port", "0", env=variables) as gateway:

        async def end() -> None:
            gateway.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(gateway.process.wait)

        return uvloop.run(under_load(gateway.port, callers, seconds, end))


def fleet(emulator: str, callers: int, seconds: float) -> Iterator[Outcome]:
    """Three gateways behind haproxy, restarted one after the other: gently, then not."""
    with ExitStack() as stack:
        gateways = Fleet(stack, emulator)
        front = stack.enter_context(balanced(gateways.ports))
        time.sleep(UP_S)
        for number in (signal.SIGTERM, signal.SIGKILL):
            yield uvloop.run(under_load(front, callers, seconds, partial(gateways.restart_all, number)))


def measure(callers: int, seconds: float) -> Iterator[tuple[str, Outcome]]:
    """All three, one after the other."""
    with running("emulate", "--port", "0", env=environment()) as emulator:
        yield "one", one(emulator.url, callers, seconds)
        yield from zip(("rolling", "naive"), fleet(emulator.url, callers, seconds), strict=True)


def failed(outcome: Outcome, *, alone: bool) -> int:
    """Requests that a caller would call failed; a gateway that has no others beside it may refuse at its end."""
    return int(outcome["lost"] + outcome["wrong"] + (0 if alone else outcome["refused"]))


def main() -> None:
    """Run, print, and end with the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load before and after the restarts, in all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told: dict[str, Outcome] = {}
    for name, outcome in measure(options.callers, options.seconds):
        told[name] = outcome
        if not options.json:
            print(f"{name:<8} " + ", ".join(f"{what} {figure:,}" for what, figure in outcome.items()), flush=True)
    if options.json:
        print(orjson.dumps(told).decode())
    lost = {name: failed(outcome, alone=name == "one") for name, outcome in told.items()}
    sys.exit(0 if lost["one"] == lost["rolling"] == 0 < lost["naive"] else 1)


if __name__ == "__main__":
    main()

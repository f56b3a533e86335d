"""Idle, and after 100,000 mixed requests: what a gateway holds, and whether it still grows.

    python -m loadtests.mixed [--requests 100000] [--callers 16] [--seed 1] [--json]

A gateway with frames in memory (a small part of it, so that it is full when the warm-up is over) in front of the
emulator. Callers on kept connections ask as fast as they are answered (`mixed_kinds`): mostly small rankings that are
known, some cold ones of up to 10,000 candidates for users nobody has seen, pages, shelves, pinned rankings,
recommendations, events, and requests that are wrong in many ways. They come in legs; between two of them nothing is
under way, and the gateway is looked at (`vitals`). The first three of ten are the warm-up. Exit code 1 if an answer had
another status than its request deserves; those of a machine that is busy otherwise are told, and are right.

What an allocator keeps is what the busiest moment needed. In the mix that grows by chance: now and then two of the
largest rankings meet, and the more it is asked, the more of them have. So at the end all callers ask for the largest at
once, again and again: from the second such leg on the busiest moment has been, and what grows still is a leak (in one
run of three the second takes 6 MiB more than the first; in eleven runs those behind it took 3 more at most).
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvloop

from loadtests.client_cost.contestants import started
from loadtests.mixed_kinds import LARGEST, Asked, Shopper
from loadtests.resilience.stage import ARN, KEYS
from loadtests.vitals import Vitals, growths, in_words

LEGS: Final = 10
WARM_UP_LEGS: Final = 3

REST_S: Final = 1.0
"""After a leg: what is stored and forgotten behind an answer is done by then."""

CACHE_MIB: Final = 8
"""Full before the warm-up is over: what it may hold is no growth."""
LEG_WITHIN_S: Final = 300.0

PEAKS: Final = 4
PEAKS_WARM_UP: Final = 1
PEAK_REQUESTS: Final = 4
"""Legs of the largest requests alone, how many of them are the warm-up, and what each caller asks for in one."""
REFUSALS: Final = frozenset({429, 503, 504})


class Caller:
    """One kept connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, shopper: Shopper) -> None:
        self._reader, self._writer = reader, writer
        self._shopper = shopper
        self.wrong: Counter[str] = Counter()
        self.refused = 0

    async def leg(self, requests: int, kind: str | None = None) -> None:
        """So many requests, one after the other; of one kind, or mixed."""
        for _ in range(requests):
            await self._ask(self._shopper.next() if kind is None else self._shopper.made(kind))

    async def _ask(self, asked: Asked) -> None:
        self._writer.write(asked.bytes)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        body = await self._reader.readexactly(int(length))
        status = int(head[9:12])
        if status == asked.status:
            self._shopper.answered(asked, body)
        elif status in REFUSALS:
            self.refused += 1
        else:
            self.wrong[f"{asked.kind}: {status}"] += 1

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@contextmanager
def opened() -> Iterator[tuple[int, str]]:
    """The processes; the gateway's id and address."""
    with started("gateway", "emulate", "--port", "0") as (_, emulator):
        names = {"demo": "demo", **{name: f"demo-{name}" for name in ("recommendations", "related", "actions")}}
        seen = {
            **{name: value for name, value in KEYS.items() if not name.startswith("GATEWAY_CACHE")},
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": emulator,
            "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": emulator,
            "GATEWAY_CACHE__MEMORY_MIB": str(CACHE_MIB),
            "GATEWAY_SERVER__DEADLINE_MS": "30000",
            **{f"GATEWAY_CAMPAIGNS__{name.upper()}__ARN": ARN % arn for name, arn in names.items()},
        }
        with started("gateway", "serve", "--port", "0", variables=seen) as (process, gateway):
            yield process.pid, gateway


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """All legs."""
    with opened() as (pid, gateway):
        await asyncio.sleep(REST_S)
        idle = Vitals.of(pid, gateway, 0.0)
        where = urlsplit(gateway)
        callers = [
            Caller(*await asyncio.open_connection(where.hostname, where.port), Shopper(f"{options.seed}/{number}"))
            for number in range(options.callers)
        ]
        each = -(-options.requests // (LEGS * options.callers))
        began_s = time.monotonic()

        async def after(requests: int, kind: str | None) -> Vitals:
            async with asyncio.timeout(LEG_WITHIN_S), asyncio.TaskGroup() as group:
                for caller in callers:
                    group.create_task(caller.leg(requests, kind))
            await asyncio.sleep(REST_S)
            return Vitals.of(pid, gateway, time.monotonic() - began_s)

        samples = [await after(each, None) for _ in range(LEGS)]
        peaks = [await after(PEAK_REQUESTS, LARGEST) for _ in range(PEAKS)]
        for caller in callers:
            caller.close()
    warm, last = samples[WARM_UP_LEGS - 1], samples[-1]
    return {
        "requests": each * options.callers * LEGS,
        "warmUp": each * options.callers * WARM_UP_LEGS,
        "tookS": last.at_s,
        "refused": sum(caller.refused for caller in callers),
        "wrong": dict(sum((caller.wrong for caller in callers), Counter())),
        "idle": idle.told(),
        "samples": [one.told() for one in samples],
        "grownMib": round(last.resident_mib - warm.resident_mib, 1),
        "grown": growths(samples),
        "peaksMib": [one.resident_mib for one in peaks],
        "peaksGrownMib": round(peaks[-1].resident_mib - peaks[PEAKS_WARM_UP].resident_mib, 2),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = uvloop.run(run(options))
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print(f"{found['requests']:,} requests in {found['tookS']:.0f} s, {found['refused']} refused; ", end="")
        print(f"wrong: {found['wrong'] or 'none'}")
        for one in (found["idle"], *found["samples"]):
            print(f"  after {in_words(one)}")
        print(
            f"grown since the first {found['warmUp']:,}: {found['grownMib']} MiB; not flat: {found['grown'] or 'none'}"
        )
        at_once = f"{options.callers} rankings of 10,000 at once, {PEAK_REQUESTS} times, and again"
        print(f"{at_once}: {', '.join(format(one, '.1f') for one in found['peaksMib'])} MiB")
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()

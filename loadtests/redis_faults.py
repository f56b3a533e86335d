"""Redis is never allowed to hurt: steady rankings through a gateway while its Valkey or Redis is broken in every way.

    python -m loadtests.redis_faults [--seconds 6] [--only sigstop-10s ...] [--new-share 1] [--json]

For each fault: a gateway of its own on a server of its own, an emulator behind it, 8 clients that rank 300 candidates
for random users at a steady pace and check every answer against the ideal ranking. Reported: error answers and wrong
orders (both must be 0), the latency before, while the server is broken and after, and how long after its return the
first answer came out of the cache again. Some of the rankings are of users nobody has seen, which are learnt with and
without a cache: by how much those are slower, in the first moment of a fault and once its breaker is open, is what the
fault itself costs (with `--new-share 1`, so that the work is the same before and meanwhile). Bounded in time.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import aiohttp
import orjson

from gateway import settings
from gateway.cli.client import fetch
from gateway.cli.processes import running
from loadtests.client_cost.contestants import local
from loadtests.client_cost.task import ARN
from loadtests.redis_breaks import Fault, faults_of, stores
from tests.redis.servers import Server, a_binary

USERS = [f"user-{number}" for number in range(1, 41)]
CANDIDATES = 300
CLIENTS = 8
PAUSE_S = 0.04
"""Between two requests of a client: about 150 rankings a second in all, a third of what this gateway can do here."""

NEW_SHARE = 0.25
"""Of the rankings, those of users nobody has seen, unless said."""

OPENING_S = 0.2
OPEN_AFTER_S = 1.0
"""The breaker of a cache that does not answer opens within the first, and is open for certain after the other."""


@dataclass
class Seen:
    """What the clients saw, as (time, milliseconds, whether out of the cache, whether of a new user)."""

    answers: list[tuple[float, float, bool, bool]] = field(default_factory=list)
    errors: int = 0
    wrong: int = 0

    def between(self, begin_s: float, end_s: float, *, new: bool = False) -> list[float]:
        """Latencies in a span of time, of users that were seen before or of new ones."""
        return [ms for at_s, ms, _, is_new in self.answers if begin_s <= at_s < end_s and is_new == new]


async def _client(
    session: aiohttp.ClientSession,
    gateway: str,
    candidates: list[str],
    ideal: dict[str, set[str]],
    seen: Seen,
    random: Random,
    until_s: list[float],
    new_share: float,
) -> None:
    """Rank for random users until told to end."""
    while time.monotonic() < until_s[0]:
        new = random.random() < new_share
        user = f"new-{random.getrandbits(60)}" if new else random.choice(USERS)
        asked = orjson.dumps({"campaign": "demo", "userId": user, "inputList": candidates})
        began_s = time.monotonic()
        async with session.post(
            f"{gateway}/v1/rerank", data=asked, headers={"Content-Type": "application/json"}
        ) as response:
            body = await response.read()
        took_ms = 1e3 * (time.monotonic() - began_s)
        if response.status != 200:
            seen.errors += 1
        else:
            answer = orjson.loads(body)
            order = [one["itemId"] for one in answer["personalizedRanking"]]
            right = len(order) == CANDIDATES and not answer["degraded"]
            seen.wrong += not right or (not new and set(order[:100]) != ideal[user])
            seen.answers.append((began_s, took_ms, answer["usage"]["cached"] == CANDIDATES, new))
        await asyncio.sleep(PAUSE_S)


async def strain(
    emulator: str, gateway: str, fault: Fault, seconds: float, new_share: float
) -> tuple[Seen, float, float]:
    """Run the clients through before, fault and after; returns what they saw and when it broke and was mended."""
    async with aiohttp.ClientSession() as session:
        listing = await fetch(session, f"{emulator}/_emulator/items?limit={CANDIDATES}")
        candidates = [item["itemId"] for item in listing["items"]]
        ideal: dict[str, set[str]] = {}
        for user in USERS:
            asked = {"campaignArn": ARN, "userId": user, "inputList": candidates}
            oracle = await fetch(session, f"{emulator}/_emulator/oracle", asked)
            ideal[user] = {one["itemId"] for one in oracle["personalizedRanking"][:100]}
        seen, until_s = Seen(), [time.monotonic() + 3_600.0]
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                random = Random(number)
                group.create_task(_client(session, gateway, candidates, ideal, seen, random, until_s, new_share))
            await asyncio.sleep(seconds)
            broken_s = time.monotonic()
            await asyncio.to_thread(fault.break_it)
            await asyncio.sleep(fault.lasts_s)
            await asyncio.to_thread(fault.mend_it)
            mended_s = time.monotonic()
            await asyncio.sleep(seconds)
            until_s[0] = 0.0
        return seen, broken_s, mended_s


def figures(name: str, seen: Seen, broken_s: float, mended_s: float) -> dict[str, Any]:
    """What one fault did."""
    before = seen.between(0.0, broken_s) or [0.0]
    during = seen.between(broken_s, mended_s) or [0.0]
    after = seen.between(mended_s + 2.0, mended_s + 60.0) or [0.0]
    new_ms = median(seen.between(0.0, broken_s, new=True) or [0.0])
    opening = seen.between(broken_s, broken_s + OPENING_S, new=True)
    opened = seen.between(broken_s + OPEN_AFTER_S, mended_s, new=True)
    return {
        "fault": name,
        "answers": len(seen.answers),
        "errors": seen.errors,
        "wrong": seen.wrong,
        "beforeMs": round(median(before), 2),
        "duringMs": round(median(during), 2),
        "worstMs": round(max(during), 1),
        "afterMs": round(median(after), 2),
        "untilOpenMs": round(median(opening) - new_ms, 2) if opening else None,
        "openMs": round(median(opened) - new_ms, 2) if opened else None,
        "hitsAgainS": next((round(at - mended_s, 2) for at, _, hit, _ in seen.answers if at >= mended_s and hit), None),
    }


def line(one: Mapping[str, Any]) -> str:
    """One line of the table."""
    added = " | ".join("" if one[what] is None else f"{one[what]:+.1f}" for what in ("untilOpenMs", "openMs"))
    return (
        f"| {one['fault']} | {one['answers']:,} | {one['errors']} | {one['wrong']} | {one['beforeMs']:.1f} "
        f"| {one['duringMs']:.1f} | {one['worstMs']:.0f} | {one['afterMs']:.1f} | {added} "
        f"| {'never' if one['hitsAgainS'] is None else one['hitsAgainS']} |"
    )


def main() -> None:
    """Print a Markdown table, a row a fault."""
    names = [*faults_of(Server(Path(), Path())), "sentinel-failover", "cluster-failover"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="of load before the fault, and after it")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--new-share", type=float, default=NEW_SHARE, help="rankings of users nobody has seen")
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    options = parser.parse_args()
    if not options.json:
        print(
            "| fault | answers | errors | wrong | p50 before, ms | during | worst | after | new users: at first "
            "| breaker open | hits again, s |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    found = []
    for name in options.only:
        with (
            tempfile.TemporaryDirectory() as folder,
            stores(Path(folder), a_binary(), name) as (url, fault),
            running("emulate", "--port", "0") as emulator,
        ):
            settings.export(
                {
                    **local(emulator),
                    "GATEWAY_CACHE__URL": url,
                    "GATEWAY_LOG__LEVEL": "error",
                }
            )
            with running("serve", "--port", "0") as gateway:
                one = figures(name, *asyncio.run(strain(emulator, gateway, fault, options.seconds, options.new_share)))
            found.append(one)
            if not options.json:
                print(line(one), flush=True)
    if options.json:
        print(orjson.dumps(found).decode())


if __name__ == "__main__":
    main()

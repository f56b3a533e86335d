"""Redis is never allowed to hurt: steady rankings through a gateway while its Valkey or Redis is broken in every way.

    python -m loadtests.redis_faults [--seconds 6] [--only sigstop-10s ...] [--new-share 1] [--json]

For each fault: a gateway of its own on a server of its own, an emulator behind it, 8 clients that rank 300 candidates
for random users at a steady pace and check every answer against the ideal ranking. Reported: error answers and wrong
orders (both must be 0), the latency before, while the server is broken and after, and how long after its return the
first answer came out of the cache again. Some of the rankings are of users nobody has seen, which are learnt with and
without a cache. Each client asks the same of a second gateway, whose server is well: by how much those rankings are
slower than its own at that very time, in the first moment of a fault and once its breaker is open, is what the fault
itself costs (with `--new-share 1`, so that the work is the same; "before" should be nothing). Bounded in time.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
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
PAUSE_S = 0.08
"""Between two pairs of requests of a client: about 80 rankings a second of each gateway, a third of what both can do
here on one machine."""

NEW_SHARE = 0.25
"""Of the rankings, those of users nobody has seen, unless said."""

OPENING_S = 0.2
OPEN_AFTER_S = 1.0
"""The breaker of a cache that does not answer opens within the first, and is open for certain after the other."""

ADDED = ("asWellMs", "untilOpenMs", "openMs")
"""What is told of the difference to the gateway that is well: before the fault, and in those two spans of it."""


@dataclass
class Seen:
    """What the clients saw of a gateway, as (time, milliseconds, whether out of the cache, whether of a new user)."""

    gateway: str

    answers: list[tuple[float, float, bool, bool]] = field(default_factory=list)
    errors: int = 0
    wrong: int = 0

    def between(self, begin_s: float, end_s: float, *, new: bool = False) -> list[float]:
        """Latencies in a span of time, of users that were seen before or of new ones."""
        return [ms for at_s, ms, _, is_new in self.answers if begin_s <= at_s < end_s and is_new == new]


@dataclass(frozen=True)
class Task:
    """What all clients ask, and what is right: the best 100 of every known user. `both` are the gateway whose server
    breaks and the one whose server is well."""

    session: aiohttp.ClientSession
    candidates: list[str]
    ideal: Mapping[str, set[str]]
    new_share: float
    both: Sequence[Seen]

    async def rank(self, seen: Seen, user: str) -> None:
        """One ranking, checked."""
        asked = orjson.dumps({"campaign": "demo", "userId": user, "inputList": self.candidates})
        began_s = time.monotonic()
        async with self.session.post(
            f"{seen.gateway}/v1/rerank", data=asked, headers={"Content-Type": "application/json"}
        ) as response:
            body = await response.read()
        took_ms = 1e3 * (time.monotonic() - began_s)
        if response.status != 200:
            seen.errors += 1
            return
        answer = orjson.loads(body)
        order = [one["itemId"] for one in answer["personalizedRanking"]]
        right = len(order) == CANDIDATES and not answer["degraded"]
        seen.wrong += not right or (user in self.ideal and set(order[:100]) != self.ideal[user])
        seen.answers.append((began_s, took_ms, answer["usage"]["cached"] == CANDIDATES, user not in self.ideal))

    async def client(self, random: Random, ended: asyncio.Event) -> None:
        """Rank for random users until told to end, each on both gateways, in any order."""
        while not ended.is_set():
            new, known = random.random() < self.new_share, random.choice(USERS)
            for seen in random.sample(self.both, len(self.both)):  # the emulator knows whom it was asked for before
                await self.rank(seen, f"new-{random.getrandbits(60)}" if new else known)
            await asyncio.sleep(PAUSE_S)


async def strain(
    emulator: str, both: Sequence[Seen], fault: Fault, seconds: float, new_share: float
) -> tuple[float, float]:
    """Run the clients through before, fault and after; returns when it broke and was mended."""
    async with aiohttp.ClientSession() as session:
        listing = await fetch(session, f"{emulator}/_emulator/items?limit={CANDIDATES}")
        candidates = [item["itemId"] for item in listing["items"]]
        ideal: dict[str, set[str]] = {}
        for user in USERS:
            asked = {"campaignArn": ARN, "userId": user, "inputList": candidates}
            oracle = await fetch(session, f"{emulator}/_emulator/oracle", asked)
            ideal[user] = {one["itemId"] for one in oracle["personalizedRanking"][:100]}
        task, ended = Task(session, candidates, ideal, new_share, both), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(task.client(Random(number), ended))
            await asyncio.sleep(seconds)
            broken_s = time.monotonic()
            await asyncio.to_thread(fault.break_it)
            await asyncio.sleep(fault.lasts_s)
            await asyncio.to_thread(fault.mend_it)
            mended_s = time.monotonic()
            await asyncio.sleep(seconds)
            ended.set()
        return broken_s, mended_s


def figures(name: str, both: Sequence[Seen], broken_s: float, mended_s: float) -> dict[str, Any]:
    """What one fault did to the first gateway; the second one's server was well."""
    seen, well = both

    def added_ms(begin_s: float, end_s: float) -> float | None:
        of_one, of_other = (one.between(begin_s, end_s, new=True) for one in (seen, well))
        return round(median(of_one) - median(of_other), 2) if of_one and of_other else None

    before = seen.between(0.0, broken_s) or [0.0]
    during = seen.between(broken_s, mended_s) or [0.0]
    after = seen.between(mended_s + 2.0, mended_s + 60.0) or [0.0]
    return {
        "fault": name,
        "answers": len(seen.answers),
        "errors": seen.errors + well.errors,
        "wrong": seen.wrong + well.wrong,
        "beforeMs": round(median(before), 2),
        "duringMs": round(median(during), 2),
        "worstMs": round(max(during), 1),
        "afterMs": round(median(after), 2),
        "asWellMs": added_ms(0.0, broken_s),
        "untilOpenMs": added_ms(broken_s, broken_s + OPENING_S),
        "openMs": added_ms(broken_s + OPEN_AFTER_S, mended_s),
        "hitsAgainS": next((round(at - mended_s, 2) for at, _, hit, _ in seen.answers if at >= mended_s and hit), None),
    }


def line(one: Mapping[str, Any]) -> str:
    """One line of the table."""
    added = " | ".join(
        "" if one[what] is None else f"{one[what]:+.1f}" for what in ("asWellMs", "untilOpenMs", "openMs")
    )
    return (
        f"| {one['fault']} | {one['answers']:,} | {one['errors']} | {one['wrong']} | {one['beforeMs']:.1f} "
        f"| {one['duringMs']:.1f} | {one['worstMs']:.0f} | {one['afterMs']:.1f} | {added} "
        f"| {'never' if one['hitsAgainS'] is None else one['hitsAgainS']} |"
    )


def measured(name: str, seconds: float, new_share: float) -> dict[str, Any]:
    """The figures of one fault: two gateways, each with a store of its own, in front of one emulator."""
    with (
        tempfile.TemporaryDirectory() as folder,
        stores(Path(folder), a_binary(), name) as (url, fault),
        stores(Path(tempfile.mkdtemp(dir=folder)), a_binary(), "restart") as (well_url, _),
        running("emulate", "--port", "0") as emulator,
        ExitStack() as stack,
    ):
        both = []
        for store in (url, well_url):
            settings.export({**local(emulator), "GATEWAY_CACHE__URL": store, "GATEWAY_LOG__LEVEL": "error"})
            both.append(Seen(stack.enter_context(running("serve", "--port", "0"))))
        broken_s, mended_s = asyncio.run(strain(emulator, both, fault, seconds, new_share))
        return figures(name, both, broken_s, mended_s)


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
            "| fault | answers | errors | wrong | p50 before, ms | during | worst | after | new users: before "
            "| at first | breaker open | hits again, s |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    found = []
    for name in options.only:
        one = measured(name, options.seconds, options.new_share)
        found.append(one)
        if not options.json:
            print(line(one), flush=True)
    if options.json:
        print(orjson.dumps(found).decode())


if __name__ == "__main__":
    main()

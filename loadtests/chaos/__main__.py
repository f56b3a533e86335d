"""`python -m loadtests.chaos`: see the package."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import msgspec
import orjson
import uvloop

import loadtests.chaos as package
from loadtests.chaos.schedule import LATENCY, Episode, schedule
from loadtests.chaos.stillness import Slot, Watch, lost_at_edges
from loadtests.chaos.verdict import Seen, item, kinds, verdict, waited
from loadtests.redis_breaks import scribble
from loadtests.resilience.stage import Stage, stage
from tests.redis.servers import Server, binaries

ITEMS: Final = 6_000
USERS: Final = 60
COUNTS: Final = (50, 400, 1_200, 3_000)
DEADLINES_MS: Final = (200, 500, 1_000)
PAUSE_S: Final = (0.0, 0.2)
GIVE_UP_S: Final = 20.0


@contextmanager
def opened() -> Iterator[tuple[Stage, Server]]:
    """All processes; frames live for seconds, so that there are fresh, stale and no frames all the time."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "cache", next(iter(binaries().values()))).start()
        try:
            with stage(GATEWAY_CACHE__URL=server.url, GATEWAY_CACHE__FRESH_S="5", GATEWAY_CACHE__STALE_S="10") as there:
                there.break_it(latency=LATENCY)
                yield there, server
        finally:
            server.kill()


def breaking(server: Server) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """How each fault of the cache begins and ends."""
    admin = server.admin
    return {
        "frozen": (server.freeze, server.thaw),
        "killed": (server.kill, server.start),
        "read-only": (partial(admin, "REPLICAOF", "127.0.0.1", 1), partial(admin, "REPLICAOF", "NO", "ONE")),
        "full": (partial(admin, "CONFIG", "SET", "maxmemory", 1), partial(admin, "CONFIG", "SET", "maxmemory", 0)),
        "garbage": (partial(scribble, server), lambda: None),
    }


async def play(episodes: Sequence[Episode], there: Stage, server: Server, began_s: float) -> None:
    """Let the faults of one victim come and go at their times."""
    of_cache = breaking(server)
    for one in episodes:
        begin, end = of_cache.get(one.name, (None, None))
        await asyncio.sleep(max(0.0, began_s + one.begins_s - time.monotonic()))
        await asyncio.to_thread(begin or partial(there.break_it, **{"latency": LATENCY, **one.faults}))
        await asyncio.sleep(max(0.0, began_s + one.ends_s - time.monotonic()))
        await asyncio.to_thread(end or partial(there.break_it, latency=LATENCY))


async def call(session: aiohttp.ClientSession, url: str, random: Random, began_s: float, until_s: float) -> list[Seen]:
    """One caller: questions out of its own seed, one after the other."""
    history = []
    while time.monotonic() < until_s:
        count = random.choice(COUNTS)
        first = random.randrange(0, ITEMS - count, 50)
        user, deadline_ms = f"user-{random.randrange(USERS)}", random.choice(DEADLINES_MS)
        body = orjson.dumps({
            "campaign": "demo", "userId": user, "deadlineMs": deadline_ms,
            "inputList": [item(number) for number in range(first, first + count)],
        })  # fmt: skip
        sent_s = time.monotonic()
        async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
            answer = await response.read()
        seen = Seen(sent_s - began_s, user, first, count, deadline_ms / 1e3, time.monotonic() - sent_s, response.status)
        history.append(_with_answer(seen, answer, retry_after="Retry-After" in response.headers))
        await asyncio.sleep(random.uniform(*PAUSE_S))
    return history


def _with_answer(seen: Seen, body: bytes, *, retry_after: bool) -> Seen:
    if seen.status != 200:
        return msgspec.structs.replace(seen, retry_after=retry_after)
    answer = orjson.loads(body)
    ranked = answer["personalizedRanking"]
    return msgspec.structs.replace(
        seen,
        degraded=answer["degraded"],
        order=[int(one["itemId"][5:]) for one in ranked],
        scored=sum("score" in one for one in ranked),
    )


def with_lost(seen: Seen, slots: Sequence[Slot], began_s: float) -> Seen:
    """The answer, with what was lost while it was on its way; nothing has to be known of one that came in time."""
    if seen.late_s <= 0:
        return seen
    sent_s = began_s + seen.sent_s
    lost_s = lost_at_edges(slots, sent_s, sent_s + seen.deadline_s, sent_s + seen.took_s)
    return msgspec.structs.replace(seen, lost_s=round(lost_s, 4))


async def run(options: argparse.Namespace) -> tuple[list[Episode], list[Seen], dict[str, Any]]:
    """The whole run: its schedule, its history, and how the gateway stands afterwards."""
    episodes = schedule(options.seed, options.seconds)
    with opened() as (there, server):
        before_mib = there.resident_mib()
        watch = Watch(there.process.pid)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(GIVE_UP_S)) as session:
            began_s = time.monotonic()
            url, until_s = f"{there.gateway}/v1/rerank", began_s + options.seconds
            async with watch.looking(), asyncio.TaskGroup() as group:
                for victim in ("upstream", "cache"):
                    own = [one for one in episodes if one.victim == victim]
                    group.create_task(play(own, there, server, began_s))
                callers = [
                    group.create_task(call(session, url, Random(f"{options.seed}/caller/{number}"), began_s, until_s))
                    for number in range(options.callers)
                ]
        answers = (with_lost(seen, watch.slots, began_s) for caller in callers for seen in caller.result())
        history = sorted(answers, key=lambda one: one.sent_s)
        stands = {
            "residentMib": [round(before_mib, 1), round(there.resident_mib(), 1)],
            "lostShare": round(sum(one.lost_s for one in watch.slots) / options.seconds, 3),
        }
    return episodes, history, stands


def main() -> None:
    """Run, write the history down, judge it."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--history", type=Path, help="write it there, a line of JSON a request, behind the schedule")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    episodes, history, stands = uvloop.run(run(options))
    broken = verdict(history)
    if options.history is not None:
        lines = [msgspec.json.encode(one) for one in (*episodes, *history)]
        options.history.write_bytes(b"\n".join(lines) + b"\n")
    found = {
        "seed": options.seed,
        "seconds": options.seconds,
        "faults": len(episodes),
        "answers": len(history),
        "kinds": kinds(history),
        "broken": broken,
        "lateWhileLost": waited(history),
        **stands,
    }
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print(f"seed {options.seed}: {len(episodes)} faults in {options.seconds:g} s, {len(history):,} answers")
        print("  " + ", ".join(f"{count:,} x {kind}" for kind, count in found["kinds"].items()))
        print(f"  resident {stands['residentMib']} MiB; broken promises: {broken or 'none'}")
        late = [one["lateMs"] for one in found["lateWhileLost"]]
        if late:
            print(
                f"  {len(late)} more were late by at most {max(late):.0f} ms, while the machine stood still for longer"
            )
        print(f"  the gateway or the checker had no core for {stands['lostShare']:.1%} of the time")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()

"""Real listeners, real artists: how well the gateway's order agrees with the ideal one on the Last.fm data set.

Emulator (its model learnt from the interactions), gateway and this client are processes that talk HTTP. For each of a
number of users all artists are candidates, most popular first; the ideal order is the emulator's oracle (one softmax
over all, unrounded). Beside it: the naive merge of the same chunks.

    python -m loadtests.lastfm --items items.csv.gz --interactions interactions.csv.gz [--users 20]
"""

import argparse
import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import aiohttp
import orjson

from gateway import settings
from gateway.cli.agreement import Agreement, agreement
from gateway.cli.client import fetch
from gateway.cli.naive import naive_merge
from gateway.cli.processes import running
from loadtests.client_cost.contestants import local
from loadtests.client_cost.task import ARN

DEADLINE_MS = 30_000
ITEMS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One user's figures."""

    candidates: int
    calls: int
    bridges: int
    resolved_through: int
    ours: Agreement
    naive: Agreement


async def measure(emulator: str, gateway: str, users_max: int) -> list[Measured]:
    """Rank every item for each of the first users, through the gateway and naively."""
    async with aiohttp.ClientSession() as session:
        listing = await fetch(session, f"{emulator}/_emulator/items?limit={ITEMS_MAX}")
        users = (await fetch(session, f"{emulator}/_emulator/users?limit={users_max}"))["users"]
        candidates = [item["itemId"] for item in listing["items"]]
        return [await _measure_one(session, emulator, gateway, user, candidates) for user in users]


async def _measure_one(
    session: aiohttp.ClientSession, emulator: str, gateway: str, user: str, candidates: list[str]
) -> Measured:
    asked = {"userId": user, "inputList": candidates}
    oracle = await fetch(session, f"{emulator}/_emulator/oracle", {"campaignArn": ARN, **asked})
    ideal = [one["itemId"] for one in oracle["personalizedRanking"]]
    answer = await fetch(session, f"{gateway}/v1/rerank", {"campaign": "demo", "deadlineMs": DEADLINE_MS, **asked})
    naive, _ = await naive_merge(ARN, user, candidates)
    return Measured(
        candidates=len(candidates),
        calls=answer["usage"]["upstreamCalls"],
        bridges=answer["usage"]["bridges"],
        resolved_through=answer["resolvedThrough"],
        ours=agreement([one["itemId"] for one in answer["personalizedRanking"]], ideal),
        naive=agreement(naive, ideal),
    )


def run(items: Path, interactions: Path, users_max: int) -> list[Measured]:
    """Start emulator and gateway, measure, end them."""
    with running("emulate", "--port", "0", "--items", str(items), "--interactions", str(interactions)) as emulator:
        settings.export(
            {
                **local(emulator),
                "GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE": "0",  # counted are the plan's calls, not a busy machine's
                "GATEWAY_LOG__LEVEL": "warning",
            }
        )
        with running("serve", "--port", "0") as gateway:
            return asyncio.run(measure(emulator, gateway, users_max))


def main() -> None:
    """Print one line a user and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=Path, required=True)
    parser.add_argument("--interactions", type=Path, required=True)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    options = parser.parse_args()
    measured = run(options.items, options.interactions, options.users)
    if options.json:
        print(orjson.dumps([asdict(one) for one in measured]).decode())
        return
    print(f"{'calls':>5} {'bridges':>7} {'resolved':>8}   {'gateway':<36} naive merge")
    for one in measured:
        print(f"{one.calls:>5} {one.bridges:>7} {one.resolved_through:>8}   {one.ours!s:<36} {one.naive}")
    print(f"\n{len(measured)} users, {measured[0].candidates:,} candidates each, most popular first:")
    print(f"  top-100 all found for {sum(one.ours.top == 1.0 for one in measured)} users,", end=" ")
    print(f"worst {min(one.ours.top for one in measured):.1%};", end=" ")
    print(f"naive median {median(one.naive.top for one in measured):.1%}")
    print(f"  Kendall tau worst {min(one.ours.tau for one in measured):.4f};", end=" ")
    print(f"naive median {median(one.naive.tau for one in measured):.4f}")


if __name__ == "__main__":
    main()

"""How long one ranking keeps the event loop from turning: 10,000 and 100,000 candidates, with metadata and without.

    python -m loadtests.stalls [--only NAME] [--repeat 5] [--json]

The gateway as `wiring` makes it, on a real socket in this process; the campaign is a process, the caller a thread, so
that the loop has nothing to do but the gateway's work. For each ranking: the longest stretch in which the loop
did not turn, in CPU time of its thread (what the gateway is to blame for; the least and the median of the repeats,
since a busy machine only ever adds to it) and by the wall. Exit code 1 if the least stretch is above its goal.
"""

import asyncio
import gc
import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvloop
from structlog.testing import capture_logs

from gateway import settings
from gateway.serving import COLLECT_AFTER
from gateway.web.app import build_app
from gateway.wiring import open_service
from loadtests.beat import Beat, Pauses, options
from loadtests.client_cost.contestants import started
from loadtests.resilience.stage import ARN, KEYS
from tests.web.listening import guard, listening

WIRE, NATIVE = "/personalize-ranking", "/v1/rerank"
COLUMNS: Final = {"ITEMS": ["TITLE", "PRICE"]}
GOALS_MS: Final = {10_000: 5.0, 100_000: 20.0}
ANSWER_WITHIN_S: Final = 60.0
SETTLE_S: Final = 0.12
"""Pause round a ranking: what it leaves to the background, and what it lets linger, is its doing too."""


@dataclass(frozen=True)
class Ranking:
    """One kind of ranking: a cold one is of a user that nobody has asked for; `described` has columns that nobody has
    asked for, unless it is warm."""

    path: str
    warm: bool = False
    described: bool = False
    more: dict[str, Any] = field(default_factory=dict)


RANKINGS: Final[dict[str, Ranking]] = {
    "cold": Ranking(NATIVE),
    "cold, a page of 48": Ranking(NATIVE, more={"limit": 48}),
    "cold, explained": Ranking(NATIVE, more={"explain": True}),
    "cold, pinned": Ranking(NATIVE, more={"limit": 48, "pin": True}),
    "warm": Ranking(NATIVE, warm=True),
    "cold, a page of 48 with metadata": Ranking(NATIVE, described=True, more={"limit": 48}),
    "cold, all with metadata (wire)": Ranking(WIRE, described=True),
    "warm, all with metadata (wire)": Ranking(WIRE, described=True, warm=True),
}


def body_of(ranking: Ranking, items: list[str], number: int) -> bytes:
    """The request; its user and its columns are new, or always the same."""
    user = "always" if ranking.warm else f"user-{number}"
    names = [name if ranking.warm else f"{name}_{number}" for name in COLUMNS["ITEMS"]]
    members = {"userId": user, "inputList": items, **ranking.more}
    members["campaign" if ranking.path == NATIVE else "campaignArn"] = "demo"
    if ranking.described:
        members["metadataColumns"] = {"ITEMS": names}
    return orjson.dumps(members)


def exchange(port: int, path: str, body: bytes) -> int:
    """One request; the length of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200 or response.getheader("Gateway-Degraded"):
            raise RuntimeError(f"{response.status} {response.getheader('Gateway-Degraded')}: {answer[:300]!r}")
        return len(answer)
    finally:
        connection.close()


async def measure(only: str, repeat: int, *, tell: bool) -> list[dict[str, Any]]:
    """Run the rankings; their figures, told as they come if asked for."""
    rows: list[dict[str, Any]] = []
    numbers = count(1)
    if tell:
        print(f"{'ranking':<42}{'answer':>10}{'CPU stretch: least':>20}{'median':>9}{'wall: least':>13}")
    loaded = settings.load()
    async with open_service(loaded) as service, listening(guard(), app=build_app(service, loaded.server)) as site:
        port = urlsplit(site.name).port or 0
        gc.collect()
        gc.freeze()  # as `serving` does when it begins to serve
        gc.set_threshold(*COLLECT_AFTER)
        beat = Beat()
        for size, goal_ms in GOALS_MS.items():
            items = [f"item-{place:09}" for place in range(size)]
            for name, ranking in RANKINGS.items():
                title = f"{size:,} {name}"
                if only not in title:
                    continue
                bodies = [body_of(ranking, items, next(numbers)) for _ in range(repeat + 1)]
                rows.append({"name": title, "goalMs": goal_ms, **await measured(beat, port, ranking.path, bodies)})
                if tell:
                    print(line(rows[-1]), flush=True)
        beat.on = False
    return rows


async def measured(beat: Beat, port: int, path: str, bodies: list[bytes]) -> dict[str, Any]:
    """The figures of a ranking; the first request, which warms up, has none."""
    pauses, length = Pauses(), 0
    for turn, body in enumerate(bodies):
        gc.collect()
        await asyncio.sleep(SETTLE_S)
        beat.reset()
        length = await asyncio.to_thread(exchange, port, path, body)
        await asyncio.sleep(SETTLE_S)
        if turn:
            pauses.keep(beat)
    return {"answerKib": length / 1024, **pauses.figures()}


def line(row: dict[str, Any]) -> str:
    """The figures of a ranking, for people."""
    return (
        f"{row['name']:<42}{row['answerKib']:>6.0f} KiB{row['cpuLeastMs']:>17.1f} ms{row['cpuMedianMs']:>6.1f} ms"
        f"{row['wallLeastMs']:>10.1f} ms{'  TOO LONG' if row['cpuLeastMs'] > row['goalMs'] else ''}"
    )


@contextmanager
def upstream() -> Iterator[None]:
    """A campaign in a process of its own, and the settings of a gateway in front of it."""
    with started("tests.support.model_upstream") as (_, url):
        settings.export(
            {
                **KEYS,
                "GATEWAY_CACHE__FRESH_S": "600",
                "GATEWAY_CACHE__STALE_S": "600",
                "GATEWAY_CAMPAIGNS__DEMO__ARN": ARN % "demo",
                "GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE": "0",
                "GATEWAY_SERVER__DEADLINE_MS": "30000",
                "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": url,
            }
        )
        yield


def main() -> None:
    """Run, and end with the verdict."""
    given = options(__doc__, repeat=5)
    with upstream(), capture_logs():
        rows = uvloop.run(measure(given.only, given.repeat, tell=not given.json))
    if given.json:
        print(orjson.dumps({"rows": rows}).decode())
    sys.exit(0 if all(row["cpuLeastMs"] <= row["goalMs"] for row in rows) else 1)


if __name__ == "__main__":
    main()

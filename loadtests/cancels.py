"""Callers that hang up, by the million: no answer of another user, and no connection paid for a cancelled command.

    python -m loadtests.cancels [--cancels 1000000] [--json]

A real server holds a frame for each of 200 users that names its owner; 48 workers load random users' frames and cancel
nine of ten loads at random moments. Beside it the positive control: a client that shares one connection wrongly, which
the very same check must catch. Ends by itself when so many loads were cancelled, or after --minutes.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import frame_of, key_of
from tests.redis.naive_client import NaiveClient
from tests.redis.servers import Server, a_binary
from tests.redis.test_redis_cancel import USERS, storm

SLICE = 20_000
"""Cancels between two looks at the clock."""


async def measure(server: Server, cancels: int, minutes: float) -> dict[str, Any]:
    """Storm the store, then the control; what came of it."""
    async with RedisStore(RedisOptions(server.url, timeout_ms=2_000)) as store:
        for user in range(USERS):
            await store.save(key_of(user), frame_of(20, prefix=f"user{user}"), 3_600.0)
        await storm(store.load, 100)  # opens every connection there will be
        opened = server.info("stats")["total_connections_received"]
        began_s = time.monotonic()
        cancelled = answered = wrong = 0
        while cancelled < cancels and time.monotonic() - began_s < 60.0 * minutes:
            more = await storm(store.load, min(SLICE, cancels - cancelled))
            cancelled, answered, wrong = cancelled + more[0], answered + more[1], wrong + more[2]
        new = server.info("stats")["total_connections_received"] - opened - 1  # the second INFO's own
        took_s = time.monotonic() - began_s
        found = {
            "cancels": cancelled,
            "answers": answered,
            "cancelsPerS": round(cancelled / took_s),
            "wrong": wrong,
            "rejected": store.stats.rejects.total(),
            "connections": new,
        }
    naive = await NaiveClient.connect(server.port)
    lost, _, mixed = await storm(naive.load, 2_000)
    await naive.aclose()
    return {**found, "control": {"cancels": lost, "wrong": mixed + naive.foreign}}


def lines(found: dict[str, Any]) -> list[str]:
    """The report for people."""
    control = found["control"]
    return [
        f"cancelled {found['cancels']:,}, answered {found['answers']:,} ({found['cancelsPerS']:,} cancels/s)",
        f"  answers of another user: {found['wrong']}; rejected values: {found['rejected']}",
        f"  new connections: {found['connections']} ({1_000 * found['connections'] / found['cancels']:.3f} per 1,000)",
        f"control, a shared connection: {control['cancels']:,} cancelled, {control['wrong']:,} answers of another user",
    ]


def main() -> None:
    """Start a server of its own, and end it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cancels", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), a_binary()).start()
        try:
            found = uvloop.run(measure(server, options.cancels, options.minutes))
        finally:
            server.kill()
    print(orjson.dumps(found).decode() if options.json else "\n".join(lines(found)))


if __name__ == "__main__":
    main()

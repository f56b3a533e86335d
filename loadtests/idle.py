"""What a connection holds that was used once and is kept open: nothing of the ranking that it asked for.

    python -m loadtests.idle [--connections 200] [--candidates 10000] [--json]

Storefront backends keep their connections, a pool of them in each of many processes. First a gateway ranks as often as
there are connections, and 60 times at least, all over one more; its memory is then what its frames and its busiest
moment take. Then each of them asks for one ranking, one after the other, and stays open: what the memory has grown by
is theirs. All rankings are cold, in front of `client_cost`'s upstream. Exit code 1 if a connection holds more than
`KIB_MAX`.
"""

import argparse
import http.client
import select
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count as numbers
from typing import Final
from urllib.parse import urlsplit

import orjson

from loadtests.client_cost.contestants import ANSWER_WITHIN_S, environment_for, started
from loadtests.client_cost.task import items_of, request_body
from loadtests.vitals import memory_mib

KIB_MAX: Final = 64
"""A connection's own: its socket, the library's protocol, parser and last request. An answer of 10,000 takes 570."""

CACHE: Final = {"GATEWAY_CACHE__MEMORY_MIB": "64"}
WARM_UPS_MIN: Final = 60
"""Frames of 10,000 that are more than that memory holds: it is full at the first look, so that they do not count."""

REST_S: Final = 1.0

users = (f"user-{number}" for number in numbers())


def ask(connection: http.client.HTTPConnection, items: list[str]) -> int:
    """One cold ranking; the length of its answer in bytes."""
    connection.request("POST", "/v1/rerank", request_body(next(users), items), {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"answered {response.status}: {answer[:300]!r}")
    return len(answer)


def still_open(connections: Sequence[http.client.HTTPConnection]) -> bool:
    """Whether the gateway has closed none of these, nor sent anything unasked."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def run(connections: int, candidates: int) -> dict[str, float]:
    """Memory before and after, and what that is for each connection."""
    items = items_of(candidates)
    with ExitStack() as stack:
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", str(candidates)))
        environment_for(upstream)
        process, url = stack.enter_context(started("gateway", "serve", "--port", "0", variables=CACHE))
        netloc = urlsplit(url).netloc
        first, *others = (http.client.HTTPConnection(netloc, timeout=ANSWER_WITHIN_S) for _ in range(1 + connections))
        for connection in (first, *others):
            stack.callback(connection.close)
        warm_ups = max(WARM_UPS_MIN, connections)
        for _ in range(warm_ups):
            answer_bytes = ask(first, items)
        time.sleep(REST_S)
        before = memory_mib(pid=process.pid)
        for connection in others:
            ask(connection, items)
        time.sleep(REST_S)
        after = memory_mib(pid=process.pid)
        if not still_open(others):
            raise RuntimeError("the gateway has closed connections meanwhile: fewer of them, or a quicker machine")
    return {
        "warmUps": warm_ups,
        "connections": connections,
        "candidates": candidates,
        "answerKib": round(answer_bytes / 1024, 1),
        "beforeMib": round(before, 1),
        "afterMib": round(after, 1),
        "eachKib": round(1024 * (after - before) / connections, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if min(options.connections, options.candidates) < 1:
        parser.error("there must be a connection, and a candidate")
    found = run(options.connections, options.candidates)
    met = found["eachKib"] <= KIB_MAX
    if options.json:
        print(orjson.dumps(found | {"met": met}, option=orjson.OPT_INDENT_2).decode())
    else:
        print(
            f"{found['beforeMib']} MiB after {found['warmUps']} rankings over one connection, {found['afterMib']} "
            f"after one more over each of {options.connections} that stay open:\n{found['eachKib']} KiB a connection "
            f"(an answer has {found['answerKib']}), goal <= {KIB_MAX}: {'met' if met else 'not met'}"
        )
    sys.exit(not met)


if __name__ == "__main__":
    main()

"""How many calls does a ranking cost? The gateway's own word, the emulator's count and the formula, side by side.

    python -m loadtests.exact_calls [--candidates 100 500 501 ...] [--json]

Calls are `ceil(missing / (500 - anchors))`, none where nothing is missing. A list that nobody knows reserves 3 anchors
in each call, which are candidates themselves; one that a frame knows a part of reserves 8 of the frame's, or fewer (3,
1) where that saves a call. Every ranking is of a user of its own: first the known share of the list, then all of it.
Bridges, calls besides where anchors were too weak to join the others, would be among them, and too many.
Exit code 1 if a count differs.
"""

import argparse
import sys
from http.client import HTTPConnection
from math import ceil
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from loadtests.client_cost.contestants import started
from loadtests.resilience.stage import ARN, KEYS

SIZES: Final = (1, 100, 499, 500, 501, 1_000, 1_500, 2_500, 5_000, 10_000)
SHARES: Final = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)
CALL: Final = 500
COLD_ANCHORS: Final = 3
FRAME_ANCHORS: Final = (8, 3, 1)
DEADLINE_MS: Final = 30_000


def expected(missing: int, known: int) -> int:
    """The formula."""
    if not missing:
        return 0
    if known:
        return min(ceil(missing / (CALL - min(anchors, known))) for anchors in FRAME_ANCHORS)
    if missing <= CALL:
        return 1
    return ceil((missing - COLD_ANCHORS) / (CALL - COLD_ANCHORS))


class Counted:
    """A gateway in front of an emulator that counts."""

    def __init__(self, gateway: str, emulator: str) -> None:
        self._gateway, self._emulator = (
            HTTPConnection(urlsplit(one).netloc, timeout=60) for one in (gateway, emulator)
        )
        self._users = 0

    def row(self, count: int, share: float) -> dict[str, Any]:
        """One list of which a share is known."""
        items = [f"p{number:05}" for number in range(1, count + 1)]
        known = items[: round(count * share)]
        self._users += 1
        user = f"user-{self._users}"
        if known:
            self._rank(user, known)
        usage, counted = self._rank(user, items)
        return {
            "candidates": count,
            "missing": count - len(known),
            "expected": expected(count - len(known), len(known)),
            "said": usage["upstreamCalls"],
            "counted": counted,
            "bridges": usage["bridges"],
        }

    def _rank(self, user: str, items: list[str]) -> tuple[dict[str, Any], int]:
        """What a ranking says that it cost, and the calls that came."""
        before = self._calls()
        body = {"campaign": "demo", "userId": user, "inputList": items, "deadlineMs": DEADLINE_MS, "limit": 1}
        answer = _asked(self._gateway, "POST", "/v1/rerank", orjson.dumps(body))
        if answer["degraded"] is not None:
            raise RuntimeError(f"a degraded answer: {answer['degraded']}")
        return answer["usage"], self._calls() - before

    def _calls(self) -> int:
        return int(_asked(self._emulator, "GET", "/_emulator/stats")["calls"])


def _asked(of: HTTPConnection, method: str, path: str, body: bytes | None = None) -> Any:
    of.request(method, path, body, {"Content-Type": "application/json"})
    response = of.getresponse()
    said = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {said[:300]!r}")
    return orjson.loads(said)


def run(sizes: list[int]) -> list[dict[str, Any]]:
    """All sizes and shares; a frame is known for long, nothing is hedged, and nothing is learnt behind an answer."""
    with started("gateway", "emulate", "--port", "0") as (_, emulator):
        seen = {
            **{name: value for name, value in KEYS.items() if not name.startswith("GATEWAY_CACHE")},
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": emulator,
            "GATEWAY_CAMPAIGNS__DEMO__ARN": ARN % "demo",
            "GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE": "0",
            "GATEWAY_CACHE__FRESH_S": "3600",
        }
        with started("gateway", "serve", "--port", "0", variables=seen) as (_, gateway):
            counted = Counted(gateway, emulator)
            lists = dict.fromkeys((count, round(count * share)) for count in sizes for share in SHARES)
            return [counted.row(count, known / count) for count, known in lists]


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = run(options.candidates)
    if options.json:
        print(orjson.dumps({"rows": rows}, option=orjson.OPT_INDENT_2).decode())
    else:
        print("| candidates | missing | formula | usage says | emulator counted | bridges among them |")
        print("|---:|---:|---:|---:|---:|---:|")
        for row in rows:
            print("|", " | ".join(f"{value:,}" for value in row.values()), "|")
    sys.exit(0 if all(row["expected"] == row["said"] == row["counted"] for row in rows) else 1)


if __name__ == "__main__":
    main()

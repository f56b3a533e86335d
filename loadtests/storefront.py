"""The storefront's peak, and whether every answer stays right at 80 % of it: Locust on the whole gateway.

    python -m loadtests.storefront [--ramp-s 60] [--hold-s 300] [--users 24] [--share 0.8] [--candidates 2000] [--json]

Emulator, Valkey and gateway as processes of their own; Locust headless in front, with the checks of `correctness`.
First a ramp of users that do not pause finds the peak: the best five seconds in a row in which hardly an answer was
refused. Then as many requests per second as `--share` of it, for `--hold-s`. Memory and descriptors of the gateway are
read along the way. Exit code 1 if any answer was wrong. Locust runs in the very same environment (`make bench`).
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from loadtests.client_cost.contestants import started
from loadtests.resilience.stage import ARN, KEYS
from loadtests.vitals import descriptors, memory_mib
from tests.redis.servers import Server, binaries

LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
WINDOW_S: Final = 5
REFUSED_MAX: Final = 0.01
"""Share of the requests of a window that may fail while it still counts as carried."""

GRACE_S: Final = 60
"""What Locust may take beyond its time, at start and end."""


@dataclass(frozen=True)
class Shop:
    """The addresses, and the gateway's process id."""

    gateway: str
    emulator: str
    pid: int


@contextmanager
def opened(url: str | None = None) -> Iterator[Shop]:
    """All processes; `url` is the cache's, else a Valkey of its own."""
    with ExitStack() as stack:
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = Server(folder / "cache", next(iter(binaries().values()))).start()
            stack.callback(server.kill)
            url = server.url
        _, emulator = stack.enter_context(started("gateway", "emulate", "--port", "0"))
        seen = {
            **{name: value for name, value in KEYS.items() if not name.startswith("GATEWAY_CACHE")},
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": emulator,
            "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": emulator,
            "GATEWAY_CAMPAIGNS__DEMO__ARN": ARN % "demo",
            "GATEWAY_REDIS_URL": url,
        }
        process, gateway = stack.enter_context(started("gateway", "serve", "--port", "0", variables=seen))
        yield Shop(gateway, emulator, process.pid)


def locust(shop: Shop, seconds: float, *options: str) -> dict[str, Any]:
    """One run: Locust's figures by name of the request, requests per second over time, and whether all was right."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = str(Path(folder) / "run")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--skip-log", "--json"),
                *("--host", shop.gateway, "--oracle", shop.emulator, "--csv", prefix, *options),
            ],
            capture_output=True,
            text=True,
            timeout=seconds + GRACE_S,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"locust ended with {done.returncode}: {done.stderr[-2000:]}")
        begin = done.stdout.index("[")
        rows, _, said = done.stdout[begin:].rpartition("]")
        with Path(f"{prefix}_stats_history.csv").open(encoding="utf-8", newline="") as file:
            history = [row for row in csv.DictReader(file) if row["Name"] == "Aggregated"]
    return {
        "rows": {one["name"]: one for one in orjson.loads(rows + "]")},
        "history": history,
        "violations": done.returncode == 1,
        "said": (done.stdout[:begin] + said).strip(),
    }


def peak_of(history: Sequence[dict[str, str]]) -> float:
    """The most requests per second that were carried for some seconds in a row."""
    carried = [
        float(row["Requests/s"]) - float(row["Failures/s"])
        for row in history
        if float(row["Failures/s"]) <= REFUSED_MAX * max(1.0, float(row["Requests/s"]))
    ]
    windows = [carried[begin : begin + WINDOW_S] for begin in range(max(1, len(carried) - WINDOW_S + 1))]
    return max((min(window) for window in windows if window), default=0.0)


def figures(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By name of the request: how many, how many failed, and quantiles of the time in milliseconds."""
    found = {}
    for name, row in rows.items():
        times = sorted((float(ms), count) for ms, count in row["response_times"].items())
        found[name] = {
            "requests": row["num_requests"],
            "failures": row["num_failures"],
            **{f"p{round(100 * share)}Ms": _quantile(times, share) for share in (0.5, 0.95, 0.99)},
        }
    return found


def _quantile(times: Sequence[tuple[float, int]], share: float) -> float:
    wanted = share * sum(count for _, count in times)
    for ms, count in times:
        wanted -= count
        if wanted <= 0:
            return ms
    return float("nan")


def peak(shop: Shop, options: argparse.Namespace) -> tuple[float, dict[str, Any]]:
    """A ramp of users who do not pause: the requests per second that were carried, and the run."""
    ramp = locust(
        shop,
        options.ramp_s,
        *("--shape", "ramp", "--shape-users", str(options.users), "--shape-s", str(options.ramp_s)),
        *("--pace", "0", "--candidates", str(options.candidates)),
    )
    return peak_of(ramp["history"]), ramp


def held(shop: Shop, per_s: float, options: argparse.Namespace) -> dict[str, Any]:
    """So many requests per second by all users together, for `hold_s`: the run."""
    users = str(options.users)
    return locust(
        shop,
        options.hold_s,
        *("-u", users, "-r", users, "-t", f"{options.hold_s}s"),
        *("--pace", f"{per_s / options.users:.4f}", "--candidates", str(options.candidates)),
    )


def told(peak_per_s: float, ramp: dict[str, Any], hold: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """What both runs found."""
    by_name = figures(hold["rows"])
    requests = sum(one["requests"] for one in by_name.values())
    return {
        "candidates": options.candidates,
        "peakPerS": round(peak_per_s, 1),
        "heldPerS": round(requests / options.hold_s, 1),
        "holdS": options.hold_s,
        "requests": requests,
        "failures": sum(one["failures"] for one in by_name.values()),
        "violations": ramp["violations"] or hold["violations"],
        "said": [ramp["said"], hold["said"]],
        "byName": by_name,
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The ramp and the hold."""
    with opened() as shop:
        peak_per_s, ramp = peak(shop, options)
        before = memory_mib(pid=shop.pid), descriptors(shop.pid)
        hold = held(shop, options.share * peak_per_s, options)
        after = memory_mib(pid=shop.pid), descriptors(shop.pid)
    return {
        **told(peak_per_s, ramp, hold, options),
        "residentMib": [round(before[0], 1), round(after[0], 1)],
        "descriptors": [before[1], after[1]],
    }


def options_for(about: str | None, *, hold_s: int, share: float) -> argparse.ArgumentParser:
    """The command line of a ramp and a hold; how long is held, and what share of the peak, if nobody says."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ramp-s", type=int, default=60)
    parser.add_argument("--hold-s", type=int, default=hold_s)
    parser.add_argument("--users", type=int, default=24)
    parser.add_argument("--share", type=float, default=share)
    parser.add_argument("--candidates", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    return parser


def in_words(found: dict[str, Any]) -> str:
    """What both runs found, in a line."""
    return (
        f"peak {found['peakPerS']}/s; held {found['heldPerS']}/s for {found['holdS']} s: "
        f"{found['requests']:,} requests, {found['failures']} refused or degraded; {'; '.join(found['said'])}"
    )


def main() -> None:
    """Run and print."""
    options = options_for(__doc__, hold_s=300, share=0.8).parse_args()
    found = run(options)
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        print(in_words(found))
        for name, one in found["byName"].items():
            print(f"  {name:14} {one['requests']:7,}  p50 {one['p50Ms']:.0f}  p95 {one['p95Ms']:.0f} ms")
        print(
            f"gateway: {found['residentMib'][0]} -> {found['residentMib'][1]} MiB, descriptors {found['descriptors']}"
        )
    sys.exit(1 if found["violations"] else 0)


if __name__ == "__main__":
    main()

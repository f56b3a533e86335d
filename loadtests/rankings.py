"""Cold and warm rankings over their size: CPU, peak memory and time of the gateway, beside the least that they take.

    python -m loadtests.rankings [--candidates 100 1000 10000 100000] [--rounds 7] [--json]

Warm: everything is cached, in memory or in a Valkey; the *floor* decodes the same request, sorts the same scores and
encodes the same answer on a bare protocol (with one GET of the same frame's bytes, for the Valkey). Cold: a user nobody
has seen, in front of the canned campaign of `client_cost`. Contestants take turns in every round. Peak memory is the
most that the process held during a ranking (the kernel's high-water mark, Linux) beyond what it held when it was idle,
before the first one; the gateway on a Valkey keeps no frames of earlier rankings.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count as numbers
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from loadtests.client_cost.contestants import Contestant, environment_for, started
from loadtests.client_cost.task import items_of, request_body, shape_of
from loadtests.vitals import memory_mib
from tests.redis.servers import Server, a_binary

SIZES: Final = (100, 1_000, 10_000, 100_000)
WARM: Final = "warm-user"
WARM_UPS: Final = 2
SECONDS_A_ROUND: Final = 0.25
"""Rankings of a round are repeated for about so long: the CPU of one small ranking is below the clock's noise."""

FLOORS: Final = {"gateway, memory": "warm floor", "gateway, Valkey": "warm floor, GET"}

users = (f"user-{number}" for number in numbers())


@dataclass
class Cost:
    """What rankings of one kind took, one value a round."""

    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """Medians."""
        values = {"cpuMs": self.cpu_ms, "wallMs": self.wall_ms, "peakMib": self.peak_mib}
        return {name: round(median(one), 3) for name, one in values.items() if one}


def measure(contestant: Contestant, asked: Sequence[str], cost: Cost, idle_mib: float) -> None:
    """One round: a ranking for each user, in a row."""
    pid = contestant.process.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # sets the mark to what it holds now
    spent = contestant.measure(asked)
    cost.cpu_ms.append(spent.cpu_ms)
    cost.wall_ms.append(spent.wall_ms)
    cost.peak_mib.append(memory_mib("VmHWM", pid) - idle_mib)


@contextmanager
def contestants_for(count: int) -> Iterator[tuple[dict[str, Contestant], dict[str, Contestant]]]:
    """The gateways (cold and warm) and the floors (warm alone), by name, in front of one upstream and one Valkey."""
    items = items_of(count)

    def ranking(user: str) -> bytes:
        return request_body(user, items)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Server(folder / "cache", a_binary()).start()
        stack.callback(server.kill)
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", str(count)))
        environment_for(upstream)
        gateways, floors = {}, {}
        for name, url in (("gateway, memory", "memory://"), ("gateway, Valkey", server.url)):
            variables = {"GATEWAY_REDIS_URL": url, "GATEWAY_CACHE__FRESH_S": "3600", "GATEWAY_LOG__LEVEL": "error"}
            process, address = stack.enter_context(started("gateway", "serve", "--port", "0", variables=variables))
            gateways[name] = Contestant.at(name, process, address, ranking)
        for name, more in (("warm floor", ()), ("warm floor, GET", (server.url,))):
            process, address = stack.enter_context(started("loadtests.warm_floor", str(count), *more))
            floors[name] = Contestant.at(name, process, address, ranking)
        yield gateways, floors


def check(contestant: Contestant, count: int, calls: int | None) -> None:
    """Make sure that a contestant does the work."""
    answer = orjson.loads(contestant.ask(WARM))
    if len(answer["personalizedRanking"]) != count or (calls is not None and answer["usage"]["upstreamCalls"] != calls):
        raise RuntimeError(f"{contestant.name} does not do the work")


def of_size(count: int, rounds: int) -> dict[str, Any]:
    """All rounds of one size."""
    calls = shape_of(count)[1]
    with contestants_for(count) as (gateways, floors):
        everybody = {**gateways, **floors}
        idle_mib = {name: memory_mib("VmRSS", one.process.pid) for name, one in everybody.items()}
        for contestant in gateways.values():
            for _ in range(WARM_UPS):
                contestant.ask(next(users))
            check(contestant, count, calls)
            check(contestant, count, 0)
        for contestant in floors.values():
            check(contestant, count, None)
        cold = {name: Cost() for name in gateways}
        warm = {name: Cost() for name in (*gateways, *floors)}
        many = max(1, min(100, round(SECONDS_A_ROUND * 1e6 / (25 * count + 1_000))))
        for _ in range(rounds):
            for name, contestant in gateways.items():
                measure(contestant, [next(users) for _ in range(max(1, many // 4))], cold[name], idle_mib[name])
            for name, contestant in everybody.items():
                measure(contestant, [WARM] * many, warm[name], idle_mib[name])
        for contestant in gateways.values():
            check(contestant, count, 0)
    ratios = {name: median(warm[name].cpu_ms) / median(warm[floor].cpu_ms) for name, floor in FLOORS.items()}
    return {
        "candidates": count,
        "calls": calls,
        "cold": {name: one.told() for name, one in cold.items()},
        "warm": {name: one.told() for name, one in warm.items()},
        "warmOverFloor": {name: round(ratio, 3) for name, ratio in ratios.items()},
    }


def growth(sizes: Sequence[Mapping[str, Any]], smaller: int = 10_000, larger: int = 100_000) -> dict[str, float]:
    """How many times more a ranking of 100,000 takes than one of 10,000."""
    found = {one["candidates"]: one for one in sizes}
    if not {smaller, larger} <= set(found):
        return {}
    pairs = {
        f"{kind} {what}": (found[larger][kind][name][what], found[smaller][kind][name][what])
        for kind in ("cold", "warm")
        for name, what in (("gateway, memory", "cpuMs"), ("gateway, Valkey", "peakMib"))
    }
    return {name: round(more / less, 2) for name, (more, less) in pairs.items() if less}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = [of_size(count, options.rounds) for count in options.candidates]
    found = {"sizes": sizes, "growth": growth(sizes)}
    if options.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    print("| candidates | | contestant | CPU, ms | time, ms | peak memory, MiB | x floor |")
    print("|---:|---|---|---:|---:|---:|---:|")
    for one in sizes:
        for kind in ("cold", "warm"):
            for name, cost in one[kind].items():
                ratio = one["warmOverFloor"].get(name, "") if kind == "warm" else ""
                print(
                    f"| {one['candidates']:,} | {kind} | {name} | {cost['cpuMs']:.2f} | {cost['wallMs']:.2f} "
                    f"| {cost['peakMib']:.1f} | {ratio} |"
                )
    print(f"\n100,000 against 10,000: {found['growth']}")


if __name__ == "__main__":
    main()

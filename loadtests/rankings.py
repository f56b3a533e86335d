"""Cold and warm rankings over their size: CPU, peak memory and time of the gateway, beside the least that they take.

    python -m loadtests.rankings [--candidates 100 1000 10000 100000] [--rounds 7] [--json]

Warm: everything is cached, in memory or in a Valkey; the *floor* decodes the same request, sorts the same scores and
encodes the same answer on a bare protocol (with one GET of the same frame's bytes, for the Valkey). Cold: a user nobody
has seen, in front of the canned campaign of `client_cost`. All sizes and contestants take turns in every round, and a
ratio is the median of those of the rounds: a machine changes its speed by up to twice within seconds. Peak memory is
the most that the process held during a ranking (the kernel's high-water mark, Linux) beyond what it held when it was
idle, before the first one; the gateway on a Valkey keeps no frames of earlier rankings.
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

IN_MEMORY, ON_VALKEY = "gateway, memory", "gateway, Valkey"
FLOORS: Final = {IN_MEMORY: "warm floor", ON_VALKEY: "warm floor, GET"}

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
        for name, url in ((IN_MEMORY, "memory://"), (ON_VALKEY, server.url)):
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


@dataclass
class OfSize:
    """The contestants for one size, and what their rankings took."""

    count: int
    calls: int
    gateways: Mapping[str, Contestant]
    everybody: Mapping[str, Contestant]
    idle_mib: Mapping[str, float]
    cold: Mapping[str, Cost]
    warm: Mapping[str, Cost]

    @classmethod
    @contextmanager
    def ready(cls, count: int) -> Iterator["OfSize"]:
        """Started and warm, each seen to do the work; the gateways once more at the end."""
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
            cold, warm = {name: Cost() for name in gateways}, {name: Cost() for name in everybody}
            yield cls(count, calls, gateways, everybody, idle_mib, cold, warm)
            for contestant in gateways.values():
                check(contestant, count, 0)

    def measure(self) -> None:
        """One round."""
        many = max(1, min(100, round(SECONDS_A_ROUND * 1e6 / (25 * self.count + 1_000))))
        for name, contestant in self.gateways.items():
            asked = [next(users) for _ in range(max(1, many // 4))]
            measure(contestant, asked, self.cold[name], self.idle_mib[name])
        for name, contestant in self.everybody.items():
            measure(contestant, [WARM] * many, self.warm[name], self.idle_mib[name])

    def told(self) -> dict[str, Any]:
        """Medians, and the warm gateways against their floors."""
        return {
            "candidates": self.count,
            "calls": self.calls,
            "cold": {name: one.told() for name, one in self.cold.items()},
            "warm": {name: one.told() for name, one in self.warm.items()},
            "warmOverFloor": {
                name: round(ratio(self.warm[name].cpu_ms, self.warm[floor].cpu_ms), 3) for name, floor in FLOORS.items()
            },
        }


def ratio(of: Sequence[float], against: Sequence[float]) -> float:
    """The median of the ratios of the rounds."""
    return median(one / other for one, other in zip(of, against, strict=True))


def growth(sizes: Sequence[OfSize], smaller: int = 10_000, larger: int = 100_000) -> dict[str, float]:
    """How many times more a ranking of 100,000 takes than one of 10,000."""
    found = {one.count: one for one in sizes}
    if not {smaller, larger} <= set(found):
        return {}
    less, more = found[smaller], found[larger]
    grown = {}
    for kind, small, large in (("cold", less.cold, more.cold), ("warm", less.warm, more.warm)):
        grown[f"{kind} cpuMs"] = round(ratio(large[IN_MEMORY].cpu_ms, small[IN_MEMORY].cpu_ms), 2)
        grown[f"{kind} peakMib"] = round(ratio(large[ON_VALKEY].peak_mib, small[ON_VALKEY].peak_mib), 2)
    return grown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        of_sizes = [stack.enter_context(OfSize.ready(count)) for count in options.candidates]
        for _ in range(options.rounds):
            for one_size in of_sizes:
                one_size.measure()
    sizes = [one_size.told() for one_size in of_sizes]
    found = {"sizes": sizes, "growth": growth(of_sizes)}
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

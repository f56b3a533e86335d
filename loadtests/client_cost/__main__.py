"""`python -m loadtests.client_cost`: see the package."""

import argparse
import pstats
import signal
import sys
import tempfile
from collections.abc import Sequence
from itertools import count as numbers
from pathlib import Path
from typing import Final

import orjson

import loadtests.client_cost as package
from loadtests.client_cost.contestants import (
    NAIVE,
    TRANSPORTS,
    Contestant,
    Spent,
    all_started,
    environment_for,
    gateway_name,
    started,
    transports,
)
from loadtests.client_cost.figures import figures, table
from loadtests.client_cost.task import ideal_of, items_of, request_body, shape_of

ROUNDS: Final = 20
QUICK_ROUNDS: Final = 6
RANKINGS_A_ROUND: Final = 5
"""In a row, as under load: after a pause everybody's caches are cold, which says more about the machine."""
WARM_UPS: Final = 3
PROFILED: Final = 40
TOP: Final = 100

users = (f"user-{number}" for number in numbers())
"""A new one for every request, so that nothing is cached."""


def check(contestant: Contestant, count: int, calls: int) -> None:
    """Make sure that a contestant does the work: measuring a wrong answer would be worth nothing."""
    answer = orjson.loads(contestant.ask(next(users)))
    if contestant.name == NAIVE:
        right = answer == count
    else:
        ranked = [one["itemId"] for one in answer["personalizedRanking"]]
        right = sorted(ranked) == sorted(items_of(count))
        if "usage" in answer:  # the gateway; the floors sort scores that cannot be compared
            right = right and ranked[:TOP] == ideal_of(count)[:TOP] and answer["usage"]["upstreamCalls"] == calls
    if not right:
        raise RuntimeError(f"{contestant.name} does not do the work")


def run(rounds: int, count: int) -> dict[str, list[Spent]]:
    """All rounds: every contestant in turn, in each."""
    _, calls = shape_of(count)
    with all_started(count) as contestants:
        for contestant in contestants:
            for _ in range(WARM_UPS):
                check(contestant, count, calls)
        spent: dict[str, list[Spent]] = {contestant.name: [] for contestant in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                spent[contestant.name].append(contestant.measure([next(users) for _ in range(RANKINGS_A_ROUND)]))
        return spent


def profile(count: int, lines: int) -> None:
    """Print where the gateway spends its time, own time first, for each of its transports."""
    items = items_of(count)
    with tempfile.TemporaryDirectory() as folder, started("loadtests.client_cost.upstream", str(count)) as upstream:
        for transport in transports():
            environment_for(upstream[1], transport)
            name, file = gateway_name(transport), str(Path(folder) / f"{transport}.profile")
            with started("loadtests.client_cost.profiled", file) as (process, url):
                contestant = Contestant.at(name, process, url, lambda user: request_body(user, items))
                for _ in range(WARM_UPS):
                    contestant.ask(next(users))
                process.send_signal(signal.SIGUSR1)
                for _ in range(PROFILED):
                    contestant.ask(next(users))
                contestant.connection.close()
            print(f"{name}: {PROFILED} rankings")
            pstats.Stats(file, stream=sys.stdout).sort_stats("tottime").print_stats(lines)


def skipped() -> Sequence[str]:
    """What cannot be measured, and why."""
    if set(transports()) >= set(TRANSPORTS):
        return []
    return [f"{gateway_name(TRANSPORTS[0])}: this version of the gateway has no setting `transport`"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds: 20 s instead of 60 s")
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--profile", action="store_true", help="profile the gateway instead of measuring")
    parser.add_argument("--lines", type=int, default=30, help="of the profile")
    options = parser.parse_args()
    if options.profile:
        profile(options.candidates, options.lines)
        return
    spent = run(QUICK_ROUNDS if options.quick else options.rounds, options.candidates)
    found = figures(spent, skipped(), options.candidates, shape_of(options.candidates)[1])
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if options.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()

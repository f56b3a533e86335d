"""How right is the order? Simulated users, calls that round to 7 decimals, and four ways to merge them.

Logits are normal with standard deviation sigma. Calls answer with a softmax of their items, rounded as the service
rounds. Candidates arrive in random order, or sorted by an upstream relevance (the logit plus noise as large as
itself). Shown are the worst seed's top-100 agreement with the ideal ranking and Kendall's tau, for

    naive       chunks of 500 in the order of the list, all scores sorted
    striped     candidates dealt round-robin over the chunks, all scores sorted
    finalists   as naive; then the best of every chunk in one more call, which ranks the head
    gateway     its plan and calibration, with its calls and bridges

    python -m loadtests.fidelity [--seeds 10] [--candidates 501 2000 10000 50000] [--json]
"""

import argparse
import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import orjson

from gateway.cli.agreement import Agreement, agreement
from gateway.core.answer import Answer
from gateway.core.bridge import plan_bridges
from gateway.core.calibration import ERROR_MAX, calibrate
from gateway.core.model import Floats, Ints
from gateway.core.ordering import order_candidates
from gateway.core.plan import CALL_LIMIT, plan_ranking

DECIMALS = 7
OURS = "gateway"


def call(logits: Floats, chunk: Ints) -> Answer:
    """What one call answers for these places."""
    order = np.argsort(-logits[chunk], kind="stable")
    falling = logits[chunk[order]]
    weights = np.exp(falling - falling[0])
    scores = np.round(weights / weights.sum(), DECIMALS)
    return Answer(order, scores, np.zeros(len(order), dtype=np.bool_), "simulated")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One seed's figures."""

    merges: dict[str, Agreement]
    calls: int
    bridges: int
    resolved_through: int


def rank(logits: Floats) -> Outcome:
    """Rank everything both ways."""
    names = [str(place) for place in range(len(logits))]
    ideal = [names[place] for place in np.argsort(-logits, kind="stable").tolist()]
    plan = plan_ranking(names)
    answers = [call(logits, chunk) for chunk in plan.chunks]
    calibration = calibrate(plan, answers)
    bridges = plan_bridges(plan, answers) if calibration.error > ERROR_MAX else []
    if bridges:
        calibration = calibrate(plan, answers, bridges, [call(logits, bridge.chunk) for bridge in bridges])
    ranking = order_candidates(calibration.log, calibration.grade)
    orders = {"naive": naive(logits), "striped": striped(logits), "finalists": finalists(logits), OURS: ranking.order}
    return Outcome(
        merges={name: agreement([names[place] for place in order.tolist()], ideal) for name, order in orders.items()},
        calls=len(plan.chunks) + len(bridges),
        bridges=len(bridges),
        resolved_through=ranking.resolved_through,
    )


def naive(logits: Floats) -> Ints:
    """Chunks of 500 in the order of the list, all scores sorted."""
    places = np.arange(len(logits))
    return _by_score(logits, [places[start : start + CALL_LIMIT] for start in range(0, len(places), CALL_LIMIT)])


def striped(logits: Floats) -> Ints:
    """Candidates dealt round-robin over as many chunks, all scores sorted."""
    calls = math.ceil(len(logits) / CALL_LIMIT)
    return _by_score(logits, [np.arange(first, len(logits), calls) for first in range(calls)])


def finalists(logits: Floats) -> Ints:
    """As naive; then the best of every chunk, as many as fit, are ranked by one more call and put first."""
    order = naive(logits)
    chunk = order // CALL_LIMIT
    each = CALL_LIMIT // (int(chunk.max()) + 1)
    standing = np.zeros(len(order), dtype=np.intp)  # how many of its chunk stand before an item
    for number in range(int(chunk.max()) + 1):
        own = np.flatnonzero(chunk == number)
        standing[own] = np.arange(len(own))
    final = order[standing < each]
    head = final[call(logits, final).positions]
    return np.concatenate((head, order[standing >= each]))


def _by_score(logits: Floats, chunks: list[Ints]) -> Ints:
    answers = [call(logits, chunk) for chunk in chunks]
    order = np.concatenate([chunk[answer.positions] for chunk, answer in zip(chunks, answers, strict=True)])
    return order[np.argsort(-np.concatenate([answer.scores for answer in answers]), kind="stable")]


def simulate(candidates: int, sigma: float, *, relevance: bool, seed: int) -> Outcome:
    """One user."""
    random = np.random.default_rng(seed)
    logits = random.normal(0.0, sigma, candidates)
    if relevance:
        logits = logits[np.argsort(-(logits + random.normal(0.0, sigma, candidates)))]
    return rank(logits)


def row(candidates: int, sigma: float, seeds: int, *, relevance: bool) -> dict[str, Any]:
    """The worst of all seeds."""
    runs = [simulate(candidates, sigma, relevance=relevance, seed=seed) for seed in range(seeds)]
    return {
        "candidates": candidates,
        "arrive": "by relevance" if relevance else "at random",
        "sigma": sigma,
        "merges": {
            name: {what: min(getattr(run.merges[name], what) for run in runs) for what in ("top", "tau")}
            for name in runs[0].merges
        },
        "calls": sorted({run.calls for run in runs}),
        "bridges": sum(run.bridges for run in runs) / len(runs),
        "resolvedShare": min(run.resolved_through for run in runs) / candidates,
    }


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", type=int, nargs="+", default=[501, 2_000, 10_000, 50_000])
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    options = parser.parse_args()
    if not options.json:
        print("| candidates | arrive | sigma | naive: top, tau | striped | finalists | gateway | calls | resolved |")
        print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    found = []
    for candidates, relevance, sigma in product(options.candidates, (False, True), (1, 2, 3, 4)):
        one = row(candidates, sigma, options.seeds, relevance=relevance)
        found.append(one)
        if not options.json:
            merges = " | ".join(f"{each['top']:.0%}, {each['tau']:.4f}" for each in one["merges"].values())
            print(
                f"| {candidates:,} | {one['arrive']} | {sigma} | {merges} "
                f"| {' or '.join(map(str, one['calls']))} | {one['resolvedShare']:.0%} |",
                flush=True,
            )
    if options.json:
        print(orjson.dumps(found).decode())


if __name__ == "__main__":
    main()

"""How right is the order? Simulated users, calls that round to 7 decimals, and two ways to merge them.

Logits are normal with standard deviation sigma. Calls answer with a softmax of their items, rounded as the service
rounds. Candidates arrive in random order, or sorted by an upstream relevance (the logit plus noise as large as
itself). Shown are the worst seed's top-100 agreement with the ideal ranking and Kendall's tau, for the naive merge
(chunks of 500, all scores sorted) and for the gateway's plan and calibration, with its calls and bridges.

    python -m loadtests.fidelity [--seeds 10] [--candidates 501 2000 10000 50000]
"""

import argparse
from dataclasses import dataclass

import numpy as np

from gateway.cli.agreement import Agreement, agreement
from gateway.core.answer import Answer
from gateway.core.bridge import plan_bridges
from gateway.core.calibration import ERROR_MAX, calibrate
from gateway.core.model import Floats, Ints
from gateway.core.ordering import order_candidates
from gateway.core.plan import CALL_LIMIT, plan_ranking

DECIMALS = 7


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

    naive: Agreement
    ours: Agreement
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
    return Outcome(
        naive=agreement([names[place] for place in naive(logits).tolist()], ideal),
        ours=agreement([names[place] for place in ranking.order.tolist()], ideal),
        calls=len(plan.chunks) + len(bridges),
        bridges=len(bridges),
        resolved_through=ranking.resolved_through,
    )


def naive(logits: Floats) -> Ints:
    """Chunks of 500 in the order of the list, all scores sorted."""
    places = np.arange(len(logits))
    chunks = [places[start : start + CALL_LIMIT] for start in range(0, len(places), CALL_LIMIT)]
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


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", type=int, nargs="+", default=[501, 2_000, 10_000, 50_000])
    options = parser.parse_args()
    print("| candidates | arrive | sigma | naive: top-100 | tau | gateway: top-100 | tau | calls | resolved |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for candidates in options.candidates:
        for relevance in (False, True):
            for sigma in (1, 2, 3, 4):
                runs = [simulate(candidates, sigma, relevance=relevance, seed=seed) for seed in range(options.seeds)]
                naive_top, naive_tau = (min(getattr(run.naive, what) for run in runs) for what in ("top", "tau"))
                our_top, our_tau = (min(getattr(run.ours, what) for run in runs) for what in ("top", "tau"))
                calls = sorted({run.calls for run in runs})
                print(
                    f"| {candidates:,} | {'by relevance' if relevance else 'at random'} | {sigma} "
                    f"| {naive_top:.0%} | {naive_tau:.3f} | {our_top:.0%} | {our_tau:.4f} "
                    f"| {' or '.join(map(str, calls))} | {min(run.resolved_through for run in runs) / candidates:.0%} |"
                )


if __name__ == "__main__":
    main()

"""How well an order agrees with the ideal one: the two figures that the project is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass

TOP = 100


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share of the ideal first hundred that an order has among its own first hundred, and Kendall's tau over all."""

    top: float
    tau: float

    def __str__(self) -> str:
        return f"top-{TOP} {self.top:.1%}, Kendall tau {self.tau:.4f}"


def agreement(order: Sequence[str], ideal: Sequence[str]) -> Agreement:
    """Compare two orders of the same distinct items (tau-b by scipy: Knight's n log n algorithm)."""
    from scipy.stats import kendalltau

    place = {item: rank for rank, item in enumerate(ideal)}
    shared = len(set(order[:TOP]) & set(ideal[:TOP])) / min(TOP, len(ideal))
    tau = kendalltau([place[item] for item in order], range(len(order))).statistic
    return Agreement(shared, float(tau))

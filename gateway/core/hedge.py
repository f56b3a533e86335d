"""When a call that is still out is worth a second one: the rules of hedging, as a table.

A hedge trades one more billed call for the tail. It may be sent when the call is out longer than the running 96th
percentile, and only if none of the rules says no. What it costs is bounded by the budget that it shares with retries
(`extras`), which decides the percentile: at the 95th, healthy noise takes half of it, and with 5 % of the calls slow
nothing is left for chance. (Simulated, p99 against healthy with 5 % slow: 1.52x at the 95th, 1.49x at the 96th; later
ones come too late to help.)
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.core.latency import Quantiles

LATEST: Final = 2.0
"""A hedge is due at so many 90th percentiles at the latest. Where more than 4 % of the calls are slow, the 96th
percentile is a slow one, so no hedge would come in time, and all slow calls would be counted: it would stay so."""

GATE_LOADED: Final = 0.8
"""Share of the limit beyond which room is for first attempts alone."""

THROTTLE_MEMORY_S: Final = 1.0
"""A campaign that throttled so recently gets nothing that it was not asked to do."""

OVERDUE: Final = 3.0
"""A call out for so many times the age at which a hedge is due is compared with those to other ARNs."""


class Standing(NamedTuple):
    """How a campaign stands at the moment at which a hedge is due."""

    since_throttle_s: float
    waiting: int
    in_flight: int
    limit: int
    target_well: bool


RULES: Final[tuple[tuple[str, Callable[[Standing], bool]], ...]] = (
    ("throttled", lambda standing: standing.since_throttle_s < THROTTLE_MEMORY_S),
    ("calls are waiting", lambda standing: standing.waiting > 0),
    ("loaded", lambda standing: standing.in_flight >= GATE_LOADED * standing.limit),
    ("no ARN is well", lambda standing: not standing.target_well),
)
"""Why not to hedge: the first rule that holds."""


def due_s(quantiles: Quantiles) -> float:
    """The age at which a call that is still out is worth a hedge."""
    return min(quantiles.p96, LATEST * quantiles.p90)


def why_not(standing: Standing) -> str | None:
    """The reason not to hedge now, None if there is none."""
    return next((name for name, holds in RULES if holds(standing)), None)

"""When a call that is still out is worth a second one: the rules of hedging, as a table.

A hedge trades one more billed call for the tail. It may be sent when the call is out longer than the running 95th
percentile (at the 90th the budget would go on healthy noise), and only if none of the rules says no. What it costs is
bounded by the budget that it shares with retries (`extras`).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

GATE_LOADED: Final = 0.8
"""Share of the limit beyond which room is for first attempts alone."""

THROTTLE_MEMORY_S: Final = 1.0
"""A campaign that throttled so recently gets nothing that it was not asked to do."""

OVERDUE: Final = 3.0
"""A call out longer than so many 95th percentiles, while another ARN answers, speaks against its own ARN."""


class Standing(NamedTuple):
    """How a campaign stands at the moment at which a hedge is due."""

    since_throttle_s: float
    waiting: int
    in_flight: int
    limit: int
    target_closed: bool


RULES: Final[tuple[tuple[str, Callable[[Standing], bool]], ...]] = (
    ("throttled", lambda standing: standing.since_throttle_s < THROTTLE_MEMORY_S),
    ("calls are waiting", lambda standing: standing.waiting > 0),
    ("loaded", lambda standing: standing.in_flight >= GATE_LOADED * standing.limit),
    ("no ARN is well", lambda standing: not standing.target_closed),
)
"""Why not to hedge: the first rule that holds."""


def why_not(standing: Standing) -> str | None:
    """The reason not to hedge now, None if there is none."""
    return next((name for name, holds in RULES if holds(standing)), None)

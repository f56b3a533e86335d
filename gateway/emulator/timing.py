"""How long calls take: what can be set about it, and the draws."""

from typing import Annotated, Final

import msgspec

# Ten minutes outlast every client.
LatencyMs = Annotated[float, msgspec.Meta(ge=0.0, le=600_000.0)]

# A sigma of 3 already spreads the middle 95 % of the latencies over five orders of magnitude: more is a typing error.
Sigma = Annotated[float, msgspec.Meta(ge=0.0, le=3.0)]

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

# The service ends at 500 for a campaign; nobody emulates a million.
Tps = Annotated[float, msgspec.Meta(ge=0.0, le=1_000_000.0)]

SLOW_MS: Final = 1000.0


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of latencies.

    `latency_ms` is the median time that a call takes (None: as is set one level up; at the top, none at all),
    `latency_sigma` the standard deviation of its logarithm (0: every call takes exactly the median). A share of
    `slow_share` takes `slow_ms` longer. Only together with `latency_ms` do the others count.
    """

    latency_ms: LatencyMs | None = None
    latency_sigma: Sigma = 0.0
    slow_share: Share = 0.0
    slow_ms: LatencyMs = SLOW_MS

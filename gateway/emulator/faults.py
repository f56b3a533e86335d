"""What can be made to go wrong, and the seeded dice that decide for each call.

Every member of `Faults` but the last five is the share of calls that this happens to; at most one happens to a call:

    throttle_share   ThrottlingException, with `throttle_status`
    error_share      a 5xx, with `error_status`: 500 InternalFailure or 503 ServiceUnavailable
    hang_share       no answer until the client leaves
    reset_share      the connection is reset instead of an answer
    torn_share       the head of an answer and a part of its body, then the end of the connection
    garbage_share    200 with a body that is not JSON
    foreign_share    one item of the answer is replaced by one that nobody asked for
    duplicate_share  one item of the answer comes twice
    nan_share        one score is the bare word NaN
    tps, scale_up_s  the floor of capacity.py (0: none), and its pace
    seed             of the dice: the same seed and order of calls give the same faults again
    latency_*, slow_*  as in Timing, in place of the campaign's

The dice fall the same number of times for every call, so what happens to the tenth call does not depend on the nine
before it.
"""

from typing import Annotated, Final, Literal, NamedTuple

import msgspec
import numpy as np

from gateway.emulator.timing import Share, Timing, Tps

Kind = Literal["throttle", "error", "hang", "reset", "torn", "garbage", "foreign", "duplicate", "nan"]
KINDS: Final[tuple[Kind, ...]] = (
    "throttle",
    "error",
    "hang",
    "reset",
    "torn",
    "garbage",
    "foreign",
    "duplicate",
    "nan",
)

ROUNDING: Final = 1e-9  # ten shares of 0.1 may be this much more than 1

# The service scales within 5 to 10 minutes; nobody waits an hour.
ScaleUpS = Annotated[float, msgspec.Meta(gt=0.0, le=3600.0)]
SCALE_UP_S: Final = 30.0


class Faults(Timing, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What goes wrong; see above. By default nothing does."""

    throttle_share: Share = 0.0
    error_share: Share = 0.0
    hang_share: Share = 0.0
    reset_share: Share = 0.0
    torn_share: Share = 0.0
    garbage_share: Share = 0.0
    foreign_share: Share = 0.0
    duplicate_share: Share = 0.0
    nan_share: Share = 0.0
    tps: Tps = 0.0
    scale_up_s: ScaleUpS = SCALE_UP_S
    throttle_status: Literal[400, 429] = 400
    error_status: Literal[500, 503] = 503
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if sum(self.shares()) > 1 + ROUNDING:
            raise ValueError("The shares of faults must not add up to more than 1")

    def shares(self) -> list[float]:
        """The share of each kind, in the order of KINDS."""
        return [float(getattr(self, f"{kind}_share")) for kind in KINDS]


class Fault(NamedTuple):
    """What happens to one call, if anything; `where` (0 to 1) says to which item or byte."""

    kind: Kind | None
    where: float


class Dice:
    """Decides for one call after the other."""

    def __init__(self, faults: Faults, stream: int) -> None:
        """`stream` keeps the dice of several campaigns apart that share one seed."""
        self._rng = np.random.Generator(np.random.PCG64([faults.seed, stream]))
        self._ends = np.cumsum(faults.shares())

    def fall(self) -> Fault:
        """What happens to the next call."""
        lot, where = self._rng.random(2).tolist()
        place = int(np.searchsorted(self._ends, lot, side="right"))
        return Fault(KINDS[place] if place < len(KINDS) else None, where)

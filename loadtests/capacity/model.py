"""A load -> what it needs: plain arithmetic, every rule of it in the runbook's "Sizing" under the same name.

It is right to some ten per cent at best: figures are of one machine, shares of rankings are means. Where it must err
it errs upwards (every ranking reads a frame, the budget for retries and hedges is always spent), except for the time
that a call takes, which nobody knows before the campaign is there.
"""

import math
from dataclasses import dataclass
from typing import Final

from gateway.core.extras import EXTRA_SHARE
from gateway.core.plan import CALL_LIMIT, calls_needed, cold_calls
from loadtests.capacity.figures import Figures

CAMPAIGN_TPS: Final = 500
ACCOUNT_TPS: Final = 2_500
"""Requests a second that AWS lets one campaign, and one account in a region, have; neither can be raised."""

BUSY: Final = 0.6
"""Share of its core that a pod may have in use: the chart's `autoscaling.cpuAverage`. It is also what lets one of three
zones go: the others are at 0.9 then."""

FRAME_BYTES: Final = 74
CALL_BYTES: Final = 41
ITEM_BYTES: Final = 8
"""Of a frame: its head, each call's recommendation id, and each item beside its id (`gateway/adapters/codec.py`)."""

ALLOCATOR: Final = 1.2
"""What a value takes in a server against its bytes: 1.08 to 1.21 measured (Redis 7.0, jemalloc's size classes)."""

CONNECTIONS: Final = 16
"""Of a pod to each server: `cache.connections_max`."""

REDIS_BUSY: Final = 0.7
"""Share of a node's memory and bandwidth that is planned for."""

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Load:
    """What callers ask for at the peak.

    `warm_share` of the rankings need no call, `partial_share` need calls for `missing` candidates only, all others are
    cold. `users` are those active within `kept_s`; None: as many as there are cold rankings in that time.
    """

    rankings_per_s: float
    candidates: int
    warm_share: float
    partial_share: float = 0.0
    missing: int = 0
    users: float | None = None
    frames_per_user: float = 1.0
    id_chars: int = 9
    kept_s: float = 360.0
    page: int = 48
    call_ms: float = 100.0
    shared_cache: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.warm_share + self.partial_share <= 1.0 or min(self.warm_share, self.partial_share) < 0.0:
            raise ValueError("the shares of warm and partial rankings must lie within 0 and 1")
        if self.candidates < 1 or not 0 <= self.missing <= self.candidates:
            raise ValueError("there must be a candidate, and no more may be missing than there are")

    @property
    def cold_share(self) -> float:
        """The rankings of which nothing is known."""
        return 1.0 - self.warm_share - self.partial_share


@dataclass(frozen=True, slots=True)
class Prices:
    """Money, in any currency; None where it is not asked for. `mean_share` is a day's mean load against its peak."""

    per_1000_calls: float | None = None
    per_core_hour: float | None = None
    per_gib_hour: float | None = None
    mean_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """One server of the cache, as it is sold."""

    gib: float = 25.0
    gbit_per_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes. `attempts_per_s` are calls with all retries and hedges that the budget allows: what quotas see."""

    calls_per_ranking: float
    calls_per_s: float
    attempts_per_s: float
    campaigns: int
    accounts: int
    calls_under_way: float
    cpu_ms: float
    cores: float
    pods: int
    frame_bytes: int
    frames: float
    cache_bytes: float
    cache_read_bytes_per_s: float
    cache_written_bytes_per_s: float
    cache_nodes: int
    connections_per_node: int
    doors_bytes_per_s: float
    money_per_day: dict[str, float]


def frame_bytes(candidates: int, id_chars: int) -> int:
    """Bytes of a frame without compression, as a cold ranking leaves it."""
    return FRAME_BYTES + CALL_BYTES * cold_calls(candidates) + (ITEM_BYTES + id_chars) * candidates


def partial_calls(missing: int) -> int:
    """Calls for candidates that a frame does not know, beside it: one anchor in each is enough to save a call."""
    return calls_needed(missing, CALL_LIMIT, 1) if missing else 0


def calls_per_ranking(load: Load) -> float:
    """First attempts of a mean ranking."""
    return load.cold_share * cold_calls(load.candidates) + load.partial_share * partial_calls(load.missing)


def cpu_ms_per_ranking(load: Load, figures: Figures) -> float:
    """CPU of a mean ranking. One with missing candidates costs a warm one, and its calls what they cost a cold one."""
    warm_ms = figures.at("warm, Redis" if load.shared_cache else "warm, memory", load.candidates)
    cold_ms = figures.at("cold", load.candidates)
    call_ms = max(0.0, cold_ms - warm_ms) / cold_calls(load.candidates)
    partial_ms = warm_ms + call_ms * partial_calls(load.missing)
    return load.cold_share * cold_ms + load.partial_share * partial_ms + load.warm_share * warm_ms


def frames_kept(load: Load) -> float:
    """Frames that are kept at once: of the active users, and never more than were stored in that time."""
    stored = load.rankings_per_s * (1.0 - load.warm_share) * load.kept_s
    return stored if load.users is None else min(stored, load.users * load.frames_per_user)


def doors_bytes_per_ranking(load: Load) -> int:
    """Bytes of a request and of its answer: ids in quotes with commas, items with their scores, heads."""
    return load.candidates * (load.id_chars + 3) + load.page * (load.id_chars + 45) + 1_000


def need(load: Load, figures: Figures, prices: Prices | None = None, node: Node | None = None) -> Need:
    """What the load needs."""
    node = node or Node()
    calls = calls_per_ranking(load)
    calls_per_s = load.rankings_per_s * calls
    attempts_per_s = calls_per_s * (1.0 + EXTRA_SHARE)
    cpu_ms = cpu_ms_per_ranking(load, figures)
    cores = load.rankings_per_s * cpu_ms / 1e3
    pods = _whole(cores / BUSY)
    size = frame_bytes(load.candidates, load.id_chars)
    frames = frames_kept(load)
    shared = float(load.shared_cache)
    cache_bytes = frames * size * ALLOCATOR
    read = shared * load.rankings_per_s * size
    written = shared * load.rankings_per_s * (1.0 - load.warm_share) * size
    by_memory = cache_bytes / (REDIS_BUSY * node.gib * 2**30)
    by_wire = max(read, written) * 8 / (REDIS_BUSY * node.gbit_per_s * 1e9)
    return Need(
        calls_per_ranking=calls,
        calls_per_s=calls_per_s,
        attempts_per_s=attempts_per_s,
        campaigns=_whole(attempts_per_s / CAMPAIGN_TPS),
        accounts=_whole(attempts_per_s / ACCOUNT_TPS),
        calls_under_way=attempts_per_s * load.call_ms / 1e3,
        cpu_ms=cpu_ms,
        cores=cores,
        pods=pods,
        frame_bytes=size,
        frames=frames,
        cache_bytes=cache_bytes,
        cache_read_bytes_per_s=read,
        cache_written_bytes_per_s=written,
        cache_nodes=_whole(max(by_memory, by_wire)) if load.shared_cache else 0,
        connections_per_node=CONNECTIONS * pods if load.shared_cache else 0,
        doors_bytes_per_s=load.rankings_per_s * doors_bytes_per_ranking(load),
        money_per_day=_money(attempts_per_s, pods, cache_bytes, prices or Prices()),
    )


def _money(attempts_per_s: float, pods: int, cache_bytes: float, prices: Prices) -> dict[str, float]:
    """A day's money, for what has a price. Pods and memory are there at the peak; calls follow the load."""
    quantities = {
        "calls": (prices.per_1000_calls, attempts_per_s * prices.mean_share * DAY_S / 1e3),
        "cores": (prices.per_core_hour, 24.0 * pods),
        "cache": (prices.per_gib_hour, 24.0 * cache_bytes / 2**30),
    }
    return {name: price * quantity for name, (price, quantity) in quantities.items() if price is not None}


def _whole(quantity: float) -> int:
    """As many as are needed, one at least; what a float adds to a whole number is not one more."""
    return max(1, math.ceil(quantity - 1e-9))

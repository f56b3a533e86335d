"""What breaks when: a schedule out of a seed, as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

Faults = Mapping[str, Any]
"""Members of the model upstream's `Faults`."""

LATENCY: Final = {"kind": "lognormal", "median_s": 0.02, "sigma": 0.35}

LASTS_S: Final = (1.0, 8.0)
PAUSE_S: Final = (0.0, 4.0)
"""Between the end of a fault and the next one of the same kind of victim."""


def _played(*plays: str) -> Callable[[Random], Faults]:
    """A share of the calls is played as one of these."""
    return lambda random: {"rules": [{"play": random.choice(plays), "share": round(random.uniform(0.02, 1.0), 2)}]}


UPSTREAM: Final[dict[str, Callable[[Random], Faults]]] = {
    "slow": lambda random: {"slow_share": round(random.uniform(0.01, 0.3), 3), "slow_s": 1.0},
    "sluggish": lambda random: {"latency": {"kind": "uniform", "low_s": 0.05, "high_s": random.uniform(0.1, 0.6)}},
    "capacity": lambda random: {"tps": random.randint(5, 60)},
    "errors": _played("throttled", "bare-429", "error"),
    "torn": _played("torn-json", "truncated", "reset", "close"),
    "lies": _played("duplicate", "unknown-item", "worst-first", "nan", "short", "garbage", "above-one"),
    "hangs": _played("hang", "drip"),
}
"""What an upstream can do wrong; each draws its strength."""

CACHE: Final = ("frozen", "killed", "read-only", "full", "garbage")
"""What a cache can do wrong (`stage`)."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault: whose, which, from when to when (seconds since the beginning), how."""

    victim: str
    name: str
    begins_s: float
    ends_s: float
    faults: Faults = field(default_factory=dict)


def schedule(seed: int, seconds: float) -> list[Episode]:
    """The faults of a run by their beginning; those of one victim come one after the other."""
    episodes = []
    for victim, names in (("upstream", tuple(UPSTREAM)), ("cache", CACHE)):
        random = Random(f"{seed}/{victim}")
        at_s = random.uniform(*PAUSE_S)
        while at_s < seconds:
            name = random.choice(names)
            ends_s = min(seconds, at_s + random.uniform(*LASTS_S))
            faults = UPSTREAM[name](random) if victim == "upstream" else {}
            episodes.append(Episode(victim, name, round(at_s, 2), round(ends_s, 2), faults))
            at_s = ends_s + random.uniform(*PAUSE_S)
    return sorted(episodes, key=lambda one: one.begins_s)

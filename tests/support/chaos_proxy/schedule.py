"""When what is done to whom: steps, written down or drawn. Everything here is a pure function of its arguments."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

Side = Literal["down", "up"]
"""Which way bytes flow: down from the server to the client, or up."""

STEP: Final = re.compile(
    r"(?P<toxic>[a-z-]+)(?P<parameters>(:[a-z_]+=[\d.e-]+)*)"
    r"(@(?P<begin>[\d.]+)-(?P<end>[\d.]+)?)?(%(?P<share>[\d.]+))?(?P<side>/up)?"
)
"""`toxic:parameter=value:...@begin-end%share/up`; all but the toxic may be left out."""

USUAL: Final[dict[str, dict[str, float]]] = {
    "latency": {"delay_s": 0.05, "jitter_s": 0.05},
    "reset": {"after_bytes": 200},
    "half-close": {"after_bytes": 200},
    "truncate": {"after_bytes": 200},
    "slice": {"piece_bytes": 7, "pause_s": 0.0005},
    "drip": {"every_s": 0.02},
    "blackhole": {},
    "swap": {"hold_s": 0.05},
}
"""Parameters of a toxic that is drawn: strong enough to be noticed in a second."""


@dataclass(frozen=True, slots=True)
class Step:
    """One toxic on bytes that pass between `begin_s` and `end_s`, on a `share` of the connections, flowing to `side`.

    Seconds count from the start of the proxy.
    """

    toxic: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    begin_s: float = 0.0
    end_s: float = math.inf
    share: float = 1.0
    side: Side = "down"


def active(steps: Iterable[Step], *, seed: int, connection: int, side: Side, now_s: float) -> list[Step]:
    """What is done now to bytes of the connection with this number; whom a share meets depends on the seed."""
    return [
        step
        for number, step in enumerate(steps)
        if step.side == side
        and step.begin_s <= now_s < step.end_s
        and (step.share >= 1.0 or Random(f"{seed}/{number}/{connection}").random() < step.share)
    ]


def drawn(
    seed: int, seconds: float, *, toxics: Iterable[str] = tuple(USUAL), gap_s: float = 1.0, lasts_s: float = 0.5
) -> list[Step]:
    """A schedule of `seconds`: steps of about `lasts_s` every `gap_s` or so, each on some of the connections."""
    random, names = Random(seed), sorted(toxics)
    steps: list[Step] = []
    at_s = random.expovariate(1.0 / gap_s)
    while at_s < seconds:
        toxic = random.choice(names)
        end_s = min(seconds, at_s + random.uniform(0.5, 1.5) * lasts_s)
        steps.append(Step(toxic, USUAL[toxic], at_s, end_s, random.choice((0.3, 0.6, 1.0))))
        at_s += random.expovariate(1.0 / gap_s)
    return steps


def parsed(text: str) -> list[Step]:
    """A schedule as it is written on a command line, steps between semicolons. Raises `ValueError` for any other."""
    return [_step(word.strip()) for word in text.split(";") if word.strip()]


def _step(word: str) -> Step:
    found = STEP.fullmatch(word)
    if found is None or found["toxic"] not in USUAL:
        raise ValueError(f"not a step of a schedule: {word}")
    pairs = (pair.split("=") for pair in found["parameters"].split(":") if pair)
    return Step(
        found["toxic"],
        {name: float(value) for name, value in pairs},
        float(found["begin"] or 0.0),
        float(found["end"] or math.inf),
        float(found["share"] or 1.0),
        "up" if found["side"] else "down",
    )

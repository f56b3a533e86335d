"""What an ARN is told to do wrong, as values; and the decision for one attempt, which is pure but for a seeded draw.

`Faults` travel as JSON, too: `POST /_faults` takes `{"ARN": {...}, "*": {...}}`, `"*"` for all that are not named.
"""

import math
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Final

import msgspec
from msgspec import Meta

ALL: Final = "*"
"""In place of an ARN: every ARN without faults of its own."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0, le=3600.0)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attempts that are played as `play` (see `plays`) instead of being answered well.

    Of the attempts that fit: a `share`, drawn; only the `first` ones; only those that ask for the item `holding`; only
    those that came over a connection that had been used before (`reused`). The rest are the play's parameters.
    """

    play: str
    share: Share = 1.0
    first: int | None = None
    holding: str | None = None
    reused: bool = False
    status: int = 0
    retry_after_s: int | None = None
    seconds: Seconds = 0.0


class Lognormal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lognormal"):
    """Latencies whose logarithm is normal."""

    median_s: Seconds
    sigma: Annotated[float, Meta(ge=0.0, le=5.0)] = 0.0

    def draw_s(self, random: Random) -> float:
        """The next latency."""
        return self.median_s * math.exp(random.gauss(0.0, self.sigma)) if self.sigma else self.median_s


class Uniform(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="uniform"):
    """Latencies evenly between two bounds."""

    low_s: Seconds
    high_s: Seconds

    def draw_s(self, random: Random) -> float:
        """The next latency."""
        return random.uniform(self.low_s, self.high_s)


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that is wrong with an ARN; as it stands here, nothing.

    Every attempt takes `latency`, a `slow_share` of them `slow_s` more. Attempts above `tps` (after a burst of one
    second's worth) are throttled with status `tps_status`. Then the first of the `rules` that fits decides.
    """

    seed: int = 0
    latency: Lognormal | Uniform | None = None
    slow_share: Share = 0.0
    slow_s: Seconds = 1.0
    tps: Annotated[float, Meta(gt=0.0)] | None = None
    tps_status: int = 400
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one attempt gets: after `delay_s` the play of `rule`, or a good answer."""

    delay_s: float = 0.0
    rule: Rule | None = None


WELL: Final = Decision()


@dataclass(slots=True)
class Conduct:
    """An ARN that follows its faults: how many attempts fitted each rule, and the attempts it may take now."""

    faults: Faults = field(default_factory=Faults)
    _random: Random = field(init=False, repr=False)
    _played: list[int] = field(init=False)
    _tokens: float = field(init=False)
    _at_s: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.faults.seed)
        self._played = [0] * len(self.faults.rules)
        self._tokens = 0.0

    def decide(self, body: bytes, *, reused: bool, now_s: float) -> Decision:
        """What becomes of an attempt with this body that arrives now."""
        faults = self.faults
        if faults.tps is not None and not self._take(faults.tps, now_s):
            return Decision(0.0, Rule(play="throttled", status=faults.tps_status))
        rule = next((rule for number, rule in enumerate(faults.rules) if self._fits(number, rule, body, reused)), None)
        delay_s = faults.latency.draw_s(self._random) if faults.latency is not None else 0.0
        if faults.slow_share and self._random.random() < faults.slow_share:
            delay_s += faults.slow_s
        return Decision(delay_s, rule) if rule is not None or delay_s else WELL

    def _fits(self, number: int, rule: Rule, body: bytes, reused: bool) -> bool:
        if rule.reused and not reused:
            return False
        if rule.holding is not None and b'"%b"' % rule.holding.encode() not in body:
            return False
        if rule.first is not None and self._played[number] >= rule.first:
            return False
        if rule.share < 1.0 and self._random.random() >= rule.share:
            return False
        self._played[number] += 1
        return True

    def _take(self, per_s: float, now_s: float) -> bool:
        full = max(1.0, per_s)
        self._tokens = min(full, self._tokens + (now_s - self._at_s) * per_s)
        self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

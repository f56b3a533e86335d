"""Campaigns under load on the virtual clock: a scripted upstream, callers that come at random times, and what they saw.

The fan-out and the gates are the real ones; upstream is a function from a call to what comes of it. Everything random
is seeded, so a simulation gives the same numbers in every run and on every machine.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from gateway.core.answer import Answer
from gateway.core.budget import Budget
from gateway.core.model import Subject
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.fanout import Fans
from gateway.service.gate import Gate
from gateway.service.outcomes import FanOut
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.virtual_clock import VirtualClock

MEDIAN_S = 0.033
SPREAD = 0.35
"""A healthy call: lognormal, p50 33 ms, p95 59 ms, p99 75 ms."""

ARNS = (ARN, ARN.replace("demo", "demo-2"), ARN.replace("demo", "demo-3"))
SUBJECT = Subject("demo", USER)
ANSWER = Answer(np.arange(1), np.ones(1), np.zeros(1, dtype=np.bool_), "RID")

Outcome = tuple[float, Exception | None]
"""Seconds until a call ends, and the failure that it ends with; infinity for one that hangs."""


TYPICAL_S = 0.05
"""What calls take in a `race`, as far as the gate knows."""

HANGS: Outcome = (math.inf, None)


class Upstream:
    """A `Ranker` that does with each call what `script(attempt number, call, now)` says."""

    def __init__(self, script: Callable[[int, Call, float], Outcome]) -> None:
        self.script = script
        self.began: list[tuple[float, str]] = []
        self.in_flight = 0
        self.cancelled = 0

    async def rank(self, call: Call) -> Answer:
        now_s = asyncio.get_running_loop().time()
        takes_s, failure = self.script(len(self.began), call, now_s)
        self.began.append((now_s, call.arn))
        self.in_flight += 1
        try:
            if math.isinf(takes_s):
                await asyncio.get_running_loop().create_future()
            await asyncio.sleep(takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        if failure is not None:
            raise failure
        return ANSWER

    def times(self, arn: str | None = None) -> np.ndarray:
        """When attempts began, on one ARN or on all."""
        return np.array([began_s for began_s, asked in self.began if arn in (None, asked)])


@dataclass(slots=True)
class Seen:
    """What one caller saw."""

    came_s: float
    took_s: float
    fan: FanOut

    @property
    def whole(self) -> bool:
        """Whether every call was answered."""
        return not self.fan.failures


@dataclass(slots=True)
class Scene:
    """A campaign, its upstream, and everything that its callers saw."""

    upstream: Upstream
    gate: Gate
    fans: Fans
    seen: list[Seen] = field(default_factory=list)
    called: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, script: Callable[[int, Call, float], Outcome], campaign: Campaign | None = None) -> "Scene":
        """A scene on the running loop, made to spend no time between two moments."""
        loop = asyncio.get_running_loop()
        loop.setup_looptime(noop_cycles=0)  # type: ignore[attr-defined]
        clock, upstream = VirtualClock(), Upstream(script)
        return cls(upstream, Gate(campaign or Campaign("demo", ARN), clock), Fans(upstream, clock, Random(5)))

    async def ask(self, calls: int = 1, duration_s: float = 5.0) -> Seen:
        """One caller with so many calls."""
        now_s = self.fans.clock.now_s()
        self.called += [now_s] * calls
        fan = await self.fans.fan_out(self.gate, SUBJECT, [["a"]] * calls, Budget.of(now_s, duration_s, 500 * calls))
        seen = Seen(now_s, self.fans.clock.now_s() - now_s, fan)
        self.seen.append(seen)
        return seen

    async def load(
        self, per_s: float, for_s: float, *, calls: int = 1, duration_s: float = 5.0, seed: int = 1
    ) -> list[Seen]:
        """Callers that come at random, so many a second on average; what they saw."""
        random, began, ends_s = Random(seed), len(self.seen), self.fans.clock.now_s() + for_s
        async with asyncio.TaskGroup() as group:
            while self.fans.clock.now_s() < ends_s:
                group.create_task(self.ask(calls, duration_s))
                await asyncio.sleep(random.expovariate(per_s))
        return self.seen[began:]

    def amplification(self, window_s: float = 10.0) -> float:
        """The most attempts per call in any window that ends at an extra attempt and has ten calls or more."""
        attempts, calls = self.upstream.times(), np.array(self.called)
        ends = np.setdiff1d(attempts, calls)
        made = np.searchsorted(attempts, ends, side="right") - np.searchsorted(attempts, ends - window_s)
        wanted = np.searchsorted(calls, ends, side="right") - np.searchsorted(calls, ends - window_s)
        return float((made[wanted >= 10] / wanted[wanted >= 10]).max(initial=1.0))


def race(outcomes: Sequence[Outcome], replicas: int = 0, calls: int = 60) -> Scene:
    """A campaign whose calls are known to take 50 ms, with a budget, and what comes of the attempts to follow."""
    scene = Scene.of(lambda number, _, __: outcomes[number], Campaign("demo", ARN, ARNS[1 : 1 + replicas]))
    now_s = scene.gate.now_s
    for _ in range(calls):
        scene.gate.latencies.add(TYPICAL_S, now_s)
        scene.gate.extras.call(now_s)
    return scene


def healthy(seed: int, slow: float = 0.0, slow_s: float = 1.0) -> Callable[[int, Call, float], Outcome]:
    """Lognormal calls, a share of which is slow."""
    random = Random(seed)

    def script(_: int, __: Call, ___: float) -> Outcome:
        takes_s = random.lognormvariate(math.log(MEDIAN_S), SPREAD)
        return (takes_s + slow_s if random.random() < slow else takes_s), None

    return script


def quantile(seen: Sequence[Seen], share: float) -> float:
    """The quantile of what callers waited."""
    return float(np.quantile([one.took_s for one in seen], share))

"""When to stop asking something that is broken, and when to try again: a circuit breaker as pure arithmetic on times.

    closed ──tripped──> open ──rested──> half-open ──probe succeeded──> ramping ──ramped──> closed
                         ^                   │                             │
                         └───probe failed────┴───────────tripped───────────┘

`ask` before every call: a `Permit`, or None for "do not call". `tell` after it, with the permit and the verdict. The
rules it keeps:

- One probe at a time. A probe that never reports loses its place after `open_s`, so a lost verdict cannot wedge it.
- Only verdicts on calls of the present generation count: forty calls that were under way when the tenth failure
  tripped the breaker neither trip it again nor close it.
- A late success of a probe proves that somebody is there, not that he is quick: the next call is a probe again.
- No clock and no randomness: a ramp lets calls through by adding up their share, so that tests and replays agree.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

WINDOW_SLOTS: Final = 10
"""Slots that the window of the failure share slides by: its length is right to a tenth."""

RAMP_FROM: Final = 0.1
"""Share of calls let through at the start of a ramp."""


class State(StrEnum):
    """How the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    RAMPING = "ramping"


class Event(StrEnum):
    """What moves it."""

    TRIPPED = "tripped"
    RESTED = "rested"
    PROBE_SUCCEEDED = "probe succeeded"
    PROBE_FAILED = "probe failed"
    RAMPED = "ramped"


class Verdict(StrEnum):
    """How a call ended. LATE is an answer beyond its time; UNKNOWN is a call that ended without saying anything."""

    GOOD = "good"
    LATE = "late"
    FAILED = "failed"
    UNKNOWN = "unknown"


TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.CLOSED, Event.TRIPPED): State.OPEN,
    (State.OPEN, Event.RESTED): State.HALF_OPEN,
    (State.HALF_OPEN, Event.PROBE_FAILED): State.OPEN,
    (State.HALF_OPEN, Event.PROBE_SUCCEEDED): State.RAMPING,
    (State.RAMPING, Event.TRIPPED): State.OPEN,
    (State.RAMPING, Event.RAMPED): State.CLOSED,
}
"""An illegal step is a missing key."""


class Permit(NamedTuple):
    """Leave to make one call; hand it back with the verdict."""

    generation: int
    probe: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """When it trips: at so many failures in a row, or at a share of the calls of the last `window_s`.

    It stays open for `open_s`, then probes; after a good probe the share of calls let through rises over `ramp_s`.
    """

    failures_in_row: int
    failure_share: float = 0.5
    calls_min: int = 20
    window_s: float = 5.0
    open_s: float = 1.0
    ramp_s: float = 0.0

    def __post_init__(self) -> None:
        if self.failures_in_row < 1 or self.calls_min < 1:
            raise ValueError("a breaker needs at least one failure to trip")
        if not 0.0 < self.failure_share <= 1.0:
            raise ValueError("the failure share must be above 0 and at most 1")
        if self.window_s <= 0.0 or self.open_s <= 0.0 or self.ramp_s < 0.0:
            raise ValueError("the times of a breaker must be positive (the ramp may be 0)")


class Breaker:
    """One breaker; times are seconds of one monotonic clock."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.state = State.CLOSED
        self.since_s = -math.inf
        self.opened = 0
        self.in_row = 0
        self._generation = 0
        self._window = _Window(rules.window_s / WINDOW_SLOTS)
        self._probe_until_s = -math.inf
        self._credit = 0.0

    def __repr__(self) -> str:
        return f"<Breaker {self.state} opened={self.opened} in_row={self.in_row} {self._window!r}>"

    def ask(self, now_s: float) -> Permit | None:
        """Leave to make a call now, or None."""
        if self.state is State.OPEN and now_s - self.since_s >= self.rules.open_s:
            self._step(Event.RESTED, now_s)
        if self.state is State.RAMPING and now_s - self.since_s >= self.rules.ramp_s:
            self._step(Event.RAMPED, now_s)
        if self.state is State.HALF_OPEN:
            return self._probe(now_s)
        if self.state is State.OPEN or (self.state is State.RAMPING and not self._ramp_passes(now_s)):
            return None
        return Permit(self._generation, probe=False)

    def rests(self, now_s: float) -> bool:
        """Whether no call at all would be let through now; asking this changes nothing."""
        if self.state is State.OPEN:
            return now_s - self.since_s < self.rules.open_s
        return self.state is State.HALF_OPEN and now_s < self._probe_until_s

    def again(self, now_s: float) -> Permit | None:
        """Leave for one more call of a piece of work that a ramp has let through already."""
        return Permit(self._generation, probe=False) if self.state is State.RAMPING else self.ask(now_s)

    def tell(self, permit: Permit, verdict: Verdict, now_s: float) -> None:
        """Take the verdict on a call into account, if it still says anything."""
        if permit.generation != self._generation:
            return
        if permit.probe:
            self._judge_probe(verdict, now_s)
        elif verdict is not Verdict.UNKNOWN:
            self._count(now_s, failed=verdict is not Verdict.GOOD)

    def _probe(self, now_s: float) -> Permit | None:
        if now_s < self._probe_until_s:
            return None
        self._probe_until_s = now_s + self.rules.open_s
        self._generation += 1
        return Permit(self._generation, probe=True)

    def _judge_probe(self, verdict: Verdict, now_s: float) -> None:
        if verdict is Verdict.GOOD:
            self._step(Event.PROBE_SUCCEEDED, now_s)
            if not self.rules.ramp_s:
                self._step(Event.RAMPED, now_s)
        elif verdict is Verdict.FAILED:
            self._step(Event.PROBE_FAILED, now_s)
        else:
            self._probe_until_s = -math.inf

    def _count(self, now_s: float, *, failed: bool) -> None:
        self.in_row = self.in_row + 1 if failed else 0
        self._window.add(now_s, failed=failed)
        if failed and (self.in_row >= self.rules.failures_in_row or self._share_is_up()):
            self._step(Event.TRIPPED, now_s)

    def _share_is_up(self) -> bool:
        calls, failures = self._window.calls, self._window.failures
        return calls >= self.rules.calls_min and failures >= self.rules.failure_share * calls

    def _ramp_passes(self, now_s: float) -> bool:
        self._credit += max(RAMP_FROM, (now_s - self.since_s) / self.rules.ramp_s)
        passes = self._credit >= 1.0
        self._credit -= passes
        return passes

    def _step(self, event: Event, now_s: float) -> None:
        self.state = TRANSITIONS[self.state, event]
        self.since_s = now_s
        self.opened += self.state is State.OPEN
        self.in_row = 0
        self._generation += 1
        self._window = _Window(self._window.slot_s)
        self._probe_until_s = -math.inf
        self._credit = 0.0


class _Window:
    """Calls and failures of the last `WINDOW_SLOTS` slots."""

    def __init__(self, slot_s: float) -> None:
        self.slot_s = slot_s
        self.calls = 0
        self.failures = 0
        self._slots: deque[tuple[int, int, int]] = deque()

    def __repr__(self) -> str:
        return f"failures={self.failures}/{self.calls}"

    def add(self, now_s: float, *, failed: bool) -> None:
        slot = math.floor(now_s / self.slot_s)
        last, calls, failures = self._slots.pop() if self._slots else (slot, 0, 0)
        if last != slot:
            self._slots.append((last, calls, failures))
            calls = failures = 0
        self._slots.append((slot, calls + 1, failures + failed))
        self.calls += 1
        self.failures += failed
        while self._slots[0][0] <= slot - WINDOW_SLOTS:
            _, calls, failures = self._slots.popleft()
            self.calls -= calls
            self.failures -= failures

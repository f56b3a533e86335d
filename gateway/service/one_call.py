"""One call of a fan-out, with all its attempts, in tasks of the fan-out's group.

A call is attempted, perhaps hedged while it is out, and perhaps tried once more when it failed:

    first attempt ──answer───────────────────────────────> done
        │  still out at p95: a hedge, to another ARN if there is one; the first good answer wins and
        │                    cancels the other attempt
        └──failed, retryable, budget left──backoff──> second attempt ──> done

A failure is a value: what the call said. Only the caller's own fault is raised, since every other call would meet it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Generic, TypeVar

from gateway.core.attempt import Attempt, Kind, Outcome, Wanted
from gateway.core.budget import Budget, backoff_s
from gateway.core.errors import DeadlineExceeded, GatewayError, Throttled, UpstreamError
from gateway.core.hedge import OVERDUE
from gateway.ports import TRACE, Clock, Span
from gateway.service.gate import TIMER_S, Gate
from gateway.service.lane import Leave, Pass
from gateway.service.outcomes import FanOut, Said

KINDS: Final[tuple[Kind, ...]] = ("first", "retry")
"""One try and one retry; a hedge stands beside them."""

Make = Callable[[str], Awaitable[Said]]
"""Makes a call to an ARN, once; errors are those of `ports.Ranker`."""

Failure = TypeVar("Failure", bound=BaseException)


def without_frames(error: Failure) -> Failure:
    """An error without its frames. They hold what it is kept in (up to Python 3.12 `TaskGroup` keeps the one that ends
    it), and such rings go only when the collector comes by: after some hundred failed rankings of 3,000 it found 80 MB,
    and the loop stood still for 50 ms."""
    return error.with_traceback(None)


@dataclass(slots=True, eq=False)
class OneCall(Generic[Said]):
    """One call of a fan-out, with all its attempts."""

    clock: Clock
    random: Random
    fan: FanOut[Said]
    gate: Gate
    leave: Leave
    call: Wanted
    make: Make[Said]
    budget: Budget
    group: asyncio.TaskGroup
    tried: list[str] = field(default_factory=list)
    first: "asyncio.Task[None] | None" = None
    hedge: "asyncio.Task[None] | None" = None
    hedged: Said | None = None
    answered: bool = False
    span: Span = field(default_factory=TRACE.get)
    asked: Span | None = None

    async def run(self, place: int) -> None:
        """Attempt the call until it answers, or may not be tried again."""
        self.first = asyncio.current_task()
        try:
            for number, kind in enumerate(KINDS, 1):
                outcome = self.fan.outcomes[place] = await self._attempt(kind)
                if not isinstance(outcome, UpstreamError) or not outcome.retryable or number == len(KINDS):
                    return
                wait_s = self._wait_s(number, outcome)
                if not self.budget.allows_attempt(self.clock.now_s(), wait_s) or not self.gate.take_retry():
                    return
                await asyncio.sleep(wait_s)
        finally:
            self.first = self.hedge = None  # a task that was cancelled keeps its frames, and they this call

    def _wait_s(self, attempt: int, failure: UpstreamError) -> float:
        """Full jitter; a campaign that says when to come again is not asked sooner."""
        asked_s = failure.retry_after_s if isinstance(failure, Throttled) else None
        return (asked_s or 0.0) + backoff_s(attempt, self.random.random())

    async def _attempt(self, kind: Kind) -> Said | UpstreamError:
        """One attempt and, if it stays out for long, its hedge: the first good answer, else the attempt's failure."""
        attempt = Attempt(self.call, kind, self.clock.stopwatch_s())
        try:
            ticket = await self.gate.enter(self.leave, self.budget.calls_until_s, self.tried)
        except UpstreamError as refusal:
            self._refused(attempt, type(refusal))
            return without_frames(refusal)
        except asyncio.CancelledError:
            self._refused(attempt, DeadlineExceeded)
            raise
        if kind == "first":
            self.gate.count_call()
        else:
            self.gate.stats.retries += 1
        watch = self._watch(ticket)
        try:
            outcome = await self._ask(ticket, attempt)
        except asyncio.CancelledError:
            # Cancelled by the hedge that won, unless somebody else cancelled as well.
            if self.hedged is None or self.first is None or self.first.uncancel() > 0:
                raise
            return self.hedged
        finally:
            for timer in watch:
                timer.cancel()
        return await self._settled(outcome)

    async def _settled(self, outcome: Said | UpstreamError) -> Said | UpstreamError:
        """End the hedge of an attempt that is over: it has lost, or is the last hope."""
        if self.hedge is None or self.hedge.done():
            return outcome
        if not isinstance(outcome, UpstreamError):
            self.hedge.cancel()
            return outcome
        self.first = None  # nothing to cancel any more
        await asyncio.wait([self.hedge])
        self.first = asyncio.current_task()
        return outcome if self.hedged is None else self.hedged

    def _refused(self, attempt: Attempt, refusal: type[UpstreamError]) -> None:
        self.fan.log.append(attempt.refused(refusal, self.clock.stopwatch_s()))

    async def _ask(self, ticket: Pass, attempt: Attempt) -> Said | UpstreamError:
        """Make the call that a permit is for, and hand the permit back."""
        attempt.begin(ticket.lane.arn, self.clock.stopwatch_s())
        self.fan.log.append(attempt)
        self.tried.append(ticket.lane.arn)
        with self.span.attempt(attempt, self.asked if attempt.kind == "hedge" else None) as span:
            TRACE.set(span)  # for the task of this call, which does nothing else
            self.asked = span
            return await self._made(ticket, attempt)

    async def _made(self, ticket: Pass, attempt: Attempt) -> Said | UpstreamError:
        gate, clock = self.gate, self.clock
        try:
            outcome: Said | GatewayError = await self.make(ticket.lane.arn)
        except GatewayError as error:
            outcome = without_frames(error)
        except BaseException as end:
            attempt.end(self._cut_off_by(end), clock.stopwatch_s())
            gate.left(ticket, self.budget.calls_until_s, overtaken=self.hedged is not None)
            raise
        attempt.end_with(outcome, clock.stopwatch_s())
        gate.done(ticket, outcome, attempt.took_s)
        if isinstance(outcome, GatewayError) and not isinstance(outcome, UpstreamError):
            raise outcome
        self.answered = self.answered or not isinstance(outcome, UpstreamError)
        return outcome

    def _cut_off_by(self, end: BaseException) -> Outcome:
        """What ended an attempt that did not end by itself: mostly somebody who cancelled it."""
        if not isinstance(end, asyncio.CancelledError):
            return "failed"
        if self.answered:
            return "overtaken"
        return "late" if self.clock.now_s() >= self.budget.calls_until_s - TIMER_S else "cancelled"

    def _watch(self, ticket: Pass) -> list[asyncio.TimerHandle]:
        """Timers for when the attempt has been out for long, and for very long."""
        after_s = self.gate.hedge_after_s()
        if after_s is None:
            return []
        loop = asyncio.get_running_loop()
        timers = [] if self.hedge is not None else [loop.call_later(after_s, self._start_hedge)]
        if len(self.gate.lanes) > 1:
            timers.append(loop.call_later(OVERDUE * after_s, self.gate.overdue, ticket))
        return timers

    def _start_hedge(self) -> None:
        work = self._hedge()
        try:
            self.hedge = self.group.create_task(work)
        except RuntimeError:  # the group is ending, in this very turn
            work.close()

    async def _hedge(self) -> None:
        """Make the call a second time; a good answer ends the first attempt, a failure changes nothing."""
        ticket = self.gate.enter_now(self.tried)
        if ticket is None:
            return
        self.gate.stats.hedges += 1
        try:
            outcome = await self._ask(ticket, Attempt(self.call, "hedge", self.clock.stopwatch_s()))
            if not isinstance(outcome, UpstreamError):
                self.hedged = outcome
                if self.first is not None:
                    self.first.cancel()
        finally:
            self.gate.stats.hedges_won += self.hedged is not None
            self.gate.stats.hedges_lost += self.hedged is None

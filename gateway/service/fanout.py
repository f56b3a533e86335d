"""All calls of a plan at once (or the one call of a question), under one absolute deadline. Returns outcomes and raises
nothing that is expected.

Every attempt runs in a task of a group that ends with the request: a caller that leaves takes its calls along. A call
that fails is a value, so the others go on; only the caller's own fault ends them all, since every other call would meet
it as well.

A call is attempted, perhaps hedged while it is out, and perhaps tried once more when it failed:

    first attempt ──answer───────────────────────────────> done
        │  still out at p95: a hedge, to another ARN if there is one; the first good answer wins and
        │                    cancels the other attempt
        └──failed, retryable, budget left──backoff──> second attempt ──> done

Every attempt is kept in the log of its fan-out, from which all its numbers come.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final, Generic, TypeVar

import structlog

from gateway.core.answer import Answer
from gateway.core.attempt import Attempt, Kind, Outcome, Purpose, Wanted
from gateway.core.budget import Budget, backoff_s
from gateway.core.errors import Busy, CallerError, DeadlineExceeded, GatewayError, Throttled, UpstreamError
from gateway.core.hedge import OVERDUE
from gateway.core.model import Subject
from gateway.core.question import Listing, Question
from gateway.ports import TRACE, Call, Clock, Ranker, Span
from gateway.service.bill import Bill
from gateway.service.gate import TIMER_S, Gate
from gateway.service.lane import Leave, Pass

_log = structlog.get_logger("gateway.upstream")

KINDS: Final[tuple[Kind, ...]] = ("first", "retry")
"""One try and one retry; a hedge stands beside them."""


BEGUN_AT_ONCE: Final = 50
"""Calls that begin in one turn of the loop: about 3 ms to write and sign them."""

Said = TypeVar("Said")
"""What a call is answered with: an `Answer` or a `Listing`."""

Failure = TypeVar("Failure", bound=BaseException)

Make = Callable[[str], Awaitable[Said]]
"""Makes a call to an ARN, once; errors are those of `ports.Ranker`."""


@dataclass(slots=True)
class FanOut(Generic[Said]):
    """What came of a set of calls: outcomes in their order, and all attempts as they began."""

    outcomes: list[Said | UpstreamError]
    log: list[Attempt] = field(default_factory=list, repr=False)

    def sent(self) -> Counter[Kind]:
        """The attempts that were sent, each of which is billed, by kind."""
        return Counter([one.kind for one in self.log if one.sent])

    @property
    def attempts(self) -> int:
        """How many were sent."""
        return sum([one.sent for one in self.log])

    @property
    def retries(self) -> int:
        """How many of them were second tries."""
        return self.sent()["retry"]

    @property
    def hedges(self) -> int:
        """How many of them were hedges."""
        return self.sent()["hedge"]

    @property
    def queue_s(self) -> float:
        """The longest wait of a call for its permit."""
        return max((one.waited_s for one in self.log if one.sent), default=0.0)

    @property
    def answers(self) -> list[Said | None]:
        """The answers, None for a call that failed."""
        return [None if isinstance(outcome, UpstreamError) else outcome for outcome in self.outcomes]

    @property
    def failures(self) -> list[UpstreamError]:
        """Why calls failed, one error a failed call."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, UpstreamError)]


@dataclass(slots=True)
class Asked:
    """What became of calls whose answers are read at once and not kept: 2,000 of them, freed in one go when a request
    ends, would hold the loop up for 20 ms. How many there were, why some failed, and all attempts."""

    calls: int = 0
    failures: list[UpstreamError] = field(default_factory=list)
    log: list[Attempt] = field(default_factory=list, repr=False)

    def add(self, fan: FanOut[Any]) -> None:
        """Take note of more calls that are over."""
        self.calls += len(fan.outcomes)
        self.failures += fan.failures
        self.log += fan.log


@dataclass(frozen=True, slots=True)
class Fans:
    """Fans calls out to campaigns; `bill` has every attempt."""

    ranker: Ranker
    clock: Clock
    random: Random
    bill: Bill = field(default_factory=Bill)

    async def fan_out(
        self,
        gate: Gate,
        subject: Subject,
        lists: Sequence[list[str]],
        budget: Budget,
        columns: tuple[str, ...] = (),
        *,
        purpose: Purpose = "plan",
        earlier: int = 0,
    ) -> FanOut[Answer]:
        """Make one call for every list of items, with metadata of these columns; all are over when this returns, by the
        budget's deadline at the latest. The log numbers them from `earlier`, the calls that their plan had before.

        Raises `CallerError` as soon as one call says that the request itself is wrong.
        """

        async def rank(items: list[str], arn: str) -> Answer:
            return await self.ranker.rank(Call(arn, subject, items, columns))

        wanted = [Wanted(purpose, number, len(items)) for number, items in enumerate(lists, earlier)]
        return await self._all(gate, wanted, [partial(rank, items) for items in lists], budget, subject.tenant)

    async def ask(self, gate: Gate, question: Question, budget: Budget) -> FanOut[Listing]:
        """Make the one call of a question; everything else as of `fan_out`."""

        async def ask(arn: str) -> Listing:
            return await self.ranker.ask(arn, question)

        wanted = Wanted("listing", 0, 0, question.operation)
        return await self._all(gate, [wanted], [ask], budget, question.subject.tenant)

    async def _all(
        self, gate: Gate, wanted: Sequence[Wanted], calls: Sequence[Make[Said]], budget: Budget, tenant: str
    ) -> FanOut[Said]:
        fan: FanOut[Said] = FanOut([DeadlineExceeded("no answer before the deadline")] * len(calls))
        try:
            gate.admit(len(calls), budget)
        except Busy as refusal:
            fan.outcomes = [refusal] * len(calls)
            now_s = self.clock.stopwatch_s()
            fan.log = [Attempt(call, "first", now_s).refused(type(refusal), now_s) for call in wanted]
            return fan
        leave, fault = Leave(), None
        try:
            async with asyncio.timeout_at(budget.calls_until_s), asyncio.TaskGroup() as group:
                for place, (call, make) in enumerate(zip(wanted, calls, strict=True)):
                    one = _OneCall(self, fan, gate, leave, call, make, budget, group)
                    group.create_task(one.run(place))
                    if place % BEGUN_AT_ONCE == BEGUN_AT_ONCE - 1:
                        await asyncio.sleep(0)
        except TimeoutError as end:  # what has no outcome by now has that of the deadline
            _value(end.__cause__ or end)
        except asyncio.CancelledError as end:
            _value(end)
            raise
        except BaseExceptionGroup as raised:
            fault = _fault_in(raised)
            if fault is None:
                raise
        finally:
            self.bill.billed[tenant] += fan.attempts
        if fault is not None:
            raise fault
        if _log.is_enabled_for(logging.DEBUG):  # a line that is dropped takes 4 us
            _tell(fan, gate.campaign.key)
        return fan


def _tell(fan: FanOut[Any], campaign: str) -> None:
    _log.debug(
        "calls made",
        campaign=campaign,
        calls=len(fan.outcomes),
        attempts=fan.attempts,
        retries=fan.retries,
        hedges=fan.hedges,
        queue_ms=round(1e3 * fan.queue_s, 2),
        failures=[type(failure).__name__ for failure in fan.failures],
    )


def _value(error: Failure) -> Failure:
    """An error without its frames. They hold what it is kept in (up to Python 3.12 `TaskGroup` keeps the one that ends
    it), and such rings go only when the collector comes by: after some hundred failed rankings of 3,000 it found 80 MB,
    and the loop stood still for 50 ms."""
    return error.with_traceback(None)


def _fault_in(raised: BaseExceptionGroup[BaseException]) -> CallerError | None:
    """The caller's own fault, if that is what ended the calls."""
    fault = next((one for one in raised.exceptions if isinstance(one, CallerError)), None)
    if fault is not None:
        for one in (raised, *raised.exceptions):
            _value(one)
    return fault


@dataclass(slots=True, eq=False)
class _OneCall(Generic[Said]):
    """One call of a fan-out, with all its attempts."""

    fans: Fans
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
                if not self.budget.allows_attempt(self.fans.clock.now_s(), wait_s) or not self.gate.take_retry():
                    return
                await asyncio.sleep(wait_s)
        finally:
            self.first = self.hedge = None  # a task that was cancelled keeps its frames, and they this call

    def _wait_s(self, attempt: int, failure: UpstreamError) -> float:
        """Full jitter; a campaign that says when to come again is not asked sooner."""
        asked_s = failure.retry_after_s if isinstance(failure, Throttled) else None
        return (asked_s or 0.0) + backoff_s(attempt, self.fans.random.random())

    async def _attempt(self, kind: Kind) -> Said | UpstreamError:
        """One attempt and, if it stays out for long, its hedge: the first good answer, else the attempt's failure."""
        attempt = Attempt(self.call, kind, self.fans.clock.stopwatch_s())
        try:
            ticket = await self.gate.enter(self.leave, self.budget.calls_until_s, self.tried)
        except UpstreamError as refusal:
            self._refused(attempt, type(refusal))
            return _value(refusal)
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
        self.fan.log.append(attempt.refused(refusal, self.fans.clock.stopwatch_s()))

    async def _ask(self, ticket: Pass, attempt: Attempt) -> Said | UpstreamError:
        """Make the call that a permit is for, and hand the permit back."""
        attempt.begin(ticket.lane.arn, self.fans.clock.stopwatch_s())
        self.fan.log.append(attempt)
        self.tried.append(ticket.lane.arn)
        with self.span.attempt(attempt, self.asked if attempt.kind == "hedge" else None) as span:
            TRACE.set(span)  # for the task of this call, which does nothing else
            self.asked = span
            return await self._made(ticket, attempt)

    async def _made(self, ticket: Pass, attempt: Attempt) -> Said | UpstreamError:
        gate, clock = self.gate, self.fans.clock
        try:
            outcome: Said | GatewayError = await self.make(ticket.lane.arn)
        except GatewayError as error:
            outcome = _value(error)
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
        return "late" if self.fans.clock.now_s() >= self.budget.calls_until_s - TIMER_S else "cancelled"

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
            outcome = await self._ask(ticket, Attempt(self.call, "hedge", self.fans.clock.stopwatch_s()))
            if not isinstance(outcome, UpstreamError):
                self.hedged = outcome
                if self.first is not None:
                    self.first.cancel()
        finally:
            self.gate.stats.hedges_won += self.hedged is not None
            self.gate.stats.hedges_lost += self.hedged is None

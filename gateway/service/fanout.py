"""All calls of a plan at once (or the one call of a question), under one absolute deadline. Returns outcomes and raises
nothing that is expected.

Every attempt runs in a task of a group that ends with the request: a caller that leaves takes its calls along. A call
that fails is a value, so the others go on; only the caller's own fault ends them all, since every other call would meet
it as well.

How a call is attempted, hedged and tried again is `one_call`'s matter. Every attempt is kept in the log of its fan-out,
from which all its numbers come.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

import structlog

from gateway.core.answer import Answer
from gateway.core.attempt import Attempt, Purpose, Wanted
from gateway.core.budget import Budget
from gateway.core.errors import Busy, CallerError, DeadlineExceeded
from gateway.core.model import Subject
from gateway.core.question import Listing, Question
from gateway.ports import Call, Clock, Ranker
from gateway.service.bill import Bill
from gateway.service.gate import Gate
from gateway.service.lane import Leave
from gateway.service.one_call import Make, OneCall, without_frames
from gateway.service.outcomes import FanOut, Said

_log = structlog.get_logger("gateway.upstream")

BEGUN_AT_ONCE: Final = 50
"""Calls that begin in one turn of the loop: about 3 ms to write and sign them."""


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
                    one = OneCall(self.clock, self.random, fan, gate, leave, call, make, budget, group)
                    group.create_task(one.run(place))
                    if place % BEGUN_AT_ONCE == BEGUN_AT_ONCE - 1:
                        await asyncio.sleep(0)
        except TimeoutError as end:  # what has no outcome by now has that of the deadline
            without_frames(end.__cause__ or end)
        except asyncio.CancelledError as end:
            without_frames(end)
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


def _fault_in(raised: BaseExceptionGroup[BaseException]) -> CallerError | None:
    """The caller's own fault, if that is what ended the calls."""
    fault = next((one for one in raised.exceptions if isinstance(one, CallerError)), None)
    if fault is not None:
        for one in (raised, *raised.exceptions):
            without_frames(one)
    return fault

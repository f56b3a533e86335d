"""All calls of a plan at once, under one absolute deadline. Returns outcomes and raises nothing that is expected.

Every call is a task of a group that ends with the request: a caller that leaves takes its calls along. A call that
fails is a value, so the others go on; only the caller's own fault ends them all, since every other call would meet it
as well.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from gateway.core.answer import Answer
from gateway.core.budget import Budget, backoff_s
from gateway.core.errors import CallerError, DeadlineExceeded, UpstreamError
from gateway.core.model import Subject
from gateway.ports import Call, Clock, Ranker
from gateway.service.gate import Gate

ATTEMPTS_MAX: Final = 2
"""One try and one retry."""


@dataclass(slots=True)
class FanOut:
    """What came of a set of calls: outcomes in their order, attempts made (each is billed), and the longest wait."""

    outcomes: list[Answer | UpstreamError]
    attempts: int = 0
    retries: int = 0
    queue_s: float = 0.0

    @property
    def answers(self) -> list[Answer | None]:
        """The answers, None for a call that failed."""
        return [outcome if isinstance(outcome, Answer) else None for outcome in self.outcomes]

    @property
    def failures(self) -> list[UpstreamError]:
        """Why calls failed, one error a failed call."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, UpstreamError)]


@dataclass(frozen=True, slots=True)
class Fans:
    """Fans calls out to campaigns."""

    ranker: Ranker
    clock: Clock
    random: Random

    async def fan_out(self, gate: Gate, subject: Subject, lists: Sequence[list[str]], budget: Budget) -> FanOut:
        """Make one call for every list of items; all are over when this returns, by the budget's deadline at the
        latest.

        Raises `CallerError` as soon as one call says that the request itself is wrong.
        """
        fan = FanOut([DeadlineExceeded("the call was not made")] * len(lists))
        try:
            async with asyncio.TaskGroup() as group:
                for number, items in enumerate(lists):
                    group.create_task(self._call(fan, number, gate, subject, items, budget))
        except BaseExceptionGroup as raised:
            faults = raised.subgroup(CallerError)
            if faults is not None:
                raise faults.exceptions[0] from None
            raise
        return fan

    async def _call(
        self, fan: FanOut, number: int, gate: Gate, subject: Subject, items: list[str], budget: Budget
    ) -> None:
        """Attempt one call until it answers, may not be retried, or the time is up; writes its outcome into `fan`."""
        try:
            async with asyncio.timeout_at(budget.calls_until_s):
                for attempt in range(1, ATTEMPTS_MAX + 1):
                    outcome = fan.outcomes[number] = await self._attempt(fan, gate, subject, items, attempt)
                    if isinstance(outcome, Answer) or not outcome.retryable or attempt == ATTEMPTS_MAX:
                        return
                    wait_s = backoff_s(attempt, self.random.random())
                    if not budget.allows_attempt(self.clock.now_s(), wait_s):
                        return
                    await asyncio.sleep(wait_s)
        except TimeoutError:
            # A failure that came before the deadline says more than the deadline that cut its retry short.
            if isinstance(fan.outcomes[number], DeadlineExceeded):
                fan.outcomes[number] = DeadlineExceeded("no answer before the deadline")

    async def _attempt(
        self, fan: FanOut, gate: Gate, subject: Subject, items: list[str], attempt: int
    ) -> Answer | UpstreamError:
        began_s = self.clock.stopwatch_s()
        async with gate.permit() as arn:
            fan.queue_s = max(fan.queue_s, self.clock.stopwatch_s() - began_s)
            fan.attempts += 1
            fan.retries += attempt > 1
            try:
                return await self.ranker.rank(Call(arn, subject, items))
            except UpstreamError as error:
                return error

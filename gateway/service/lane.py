"""A lane is one ARN of a campaign: how many calls it may have under way, and whether it is asked at all.

A `Pass` is leave to make one call on a lane; it is handed back with what came of the call, and the lane learns from it.
"""

import math
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Final

import structlog

from gateway.core.breaker import Breaker, Permit, Rules, State, Verdict
from gateway.core.concurrency import ConcurrencyLimit
from gateway.core.episode import Episode
from gateway.core.errors import Throttled, UpstreamError
from gateway.core.hedge import THROTTLE_MEMORY_S
from gateway.core.histogram import Histogram

RULES_ALONE: Final = Rules(failures_in_row=20, failure_share=0.5, calls_min=20, window_s=10.0, open_s=1.0, ramp_s=1.0)
"""For the only ARN of a campaign: without it there is nothing, so it takes a fan-out's worth of failures."""

RULES_AMONG: Final = Rules(failures_in_row=5, failure_share=0.5, calls_min=10, window_s=10.0, open_s=1.0, ramp_s=1.0)
"""For one of several: the others can do its work, so it is left alone sooner."""

SILENT_CALLS: Final = 3
"""So many late calls, and no answer to anything that began with them, are no tail: the ARN is silent."""

TOGETHER_S: Final = 0.005
"""Calls of one fan-out begin within this."""

IN_DOUBT: Final = 2
"""After so many failures in a row, none of them is a blip that a retry would mend."""

_log = structlog.get_logger("gateway.upstream")


class Lane:
    """One ARN; times are seconds of one monotonic clock."""

    def __init__(self, arn: str, least: int, most: int, rules: Rules) -> None:
        self.arn = arn
        self.limit = ConcurrencyLimit(least, most)
        self.breaker = Breaker(rules)
        self.out: dict[Pass, None] = {}  # calls under way, the longest first
        self.answered = self.failed = self.throttled = self.timed_out = self.cancelled = self.overtaken = 0
        self.took_s = Histogram()
        self._broken, self._throttling = Episode(), Episode()
        self.good_began_s = self.good_came_s = self.throttled_s = -math.inf

    def __repr__(self) -> str:
        return f"<Lane {self.arn} in_flight={self.in_flight}/{self.limit.now} {self.breaker.state}>"

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self.out)

    @property
    def has_room(self) -> bool:
        """Whether one more call may be under way."""
        return self.in_flight < self.limit.now

    @property
    def in_doubt(self) -> bool:
        """Whether a call on it, made for nothing but a better chance, has hardly one."""
        return self.breaker.state is not State.CLOSED or self.breaker.in_row >= IN_DOUBT

    @property
    def load(self) -> float:
        """Share of its limit that is in use."""
        return self.in_flight / self.limit.now

    def throttles(self, now_s: float) -> bool:
        """Whether it throttled a moment ago, or did last and has yet to answer the one call that is to find out."""
        return self.throttled_s > now_s - THROTTLE_MEMORY_S or (bool(self.out) and self.throttled_s > self.good_came_s)

    def is_silent(self, late_since_s: float) -> bool:
        """Whether several calls that began at this time at the latest are out, and nothing that began with the first of
        them, or later, has been answered: a hedge would wait beside them."""
        late = list(islice(takewhile(lambda ticket: ticket.began_s <= late_since_s, self.out), SILENT_CALLS))
        return len(late) == SILENT_CALLS and self.good_began_s < late[0].began_s - TOGETHER_S

    def answered_with(self, outcome: object, ticket: "Pass", now_s: float) -> None:
        """Learn from a call that ended by itself. The caller's own fault is an answer like any other."""
        if isinstance(outcome, Throttled):
            self.throttled += 1
            self.throttled_s = now_s
            if self._throttling.bad(now_s):
                _log.warning("throttled", arn=self.arn, in_flight=self.in_flight)
            self.limit.push_back(now_s)
            self._tell(ticket, Verdict.UNKNOWN, now_s)
        elif isinstance(outcome, UpstreamError):
            self.failed += 1
            self._tell(ticket, Verdict.FAILED, now_s)
        else:
            self.answered += 1
            self.good_began_s = max(self.good_began_s, ticket.began_s)
            self.good_came_s = now_s
            self.limit.good(self.in_flight)
            self._tell(ticket, Verdict.GOOD, now_s)
            if self._throttling.under_way or self._broken.under_way:
                self._recovered(now_s)

    def ended_early(self, ticket: "Pass", now_s: float, *, its_fault: bool) -> None:
        """Learn from a call that was cancelled: at the deadline after a long wait, which speaks against the ARN; or
        because another attempt won or the caller left, which says nothing."""
        self.timed_out += its_fault
        self.cancelled += not its_fault
        if its_fault:
            self.limit.push_back(now_s)
        self._tell(ticket, Verdict.FAILED if its_fault else Verdict.UNKNOWN, now_s)

    def unused(self, ticket: "Pass", now_s: float) -> None:
        """Forget a call that was never made."""
        self._tell(ticket, Verdict.UNKNOWN, now_s)

    def is_ahead_of(self, ticket: "Pass") -> bool:
        """Whether it has answered all that began before a call to another ARN, and something that did not."""
        longest_s = next(iter(self.out)).began_s if self.out else math.inf
        return self.good_began_s >= ticket.began_s < longest_s

    def fell_behind(self, ticket: "Pass", now_s: float) -> None:
        """Learn that another ARN is ahead of a call.

        It speaks against this ARN if that has answered nothing since: it seems to hang. While it answers, it is only
        slower, or all of them have become slow, and of two slow calls either may come first.
        """
        if not ticket.judged and self.good_came_s < ticket.began_s:
            self.overtaken += 1
            self._tell(ticket, Verdict.FAILED, now_s)

    def _tell(self, ticket: "Pass", verdict: Verdict, now_s: float) -> None:
        if not ticket.judged:
            ticket.judged = verdict is not Verdict.UNKNOWN
            opened = self.breaker.opened
            self.breaker.tell(ticket.permit, verdict, now_s)
            if self.breaker.opened > opened and self._broken.bad(now_s):
                _log.warning("breaker opened", arn=self.arn, failed=self.failed, timed_out=self.timed_out)

    def _recovered(self, now_s: float) -> None:
        """Tell what is over, now that a call was answered."""
        if ended := self._throttling.good(now_s):
            _log.warning("no longer throttled", arn=self.arn, **ended.told())
        if self.breaker.state is State.CLOSED and (ended := self._broken.good(now_s)):
            _log.warning("breaker closed", arn=self.arn, **ended.told())


@dataclass(slots=True, eq=False)
class Pass:
    """Leave to make one call on a lane, since `began_s`. It speaks for or against the lane once."""

    lane: Lane
    permit: Permit
    began_s: float
    judged: bool = False


@dataclass(slots=True)
class Leave:
    """What the breakers said to one fan-out, so that they say the same to all its calls.

    A ramp lets a share of *rankings* through: a share of the calls of every ranking would leave all of them with holes.
    """

    _said: dict[str, bool] = field(default_factory=dict)

    def ask(self, lane: Lane, now_s: float) -> Permit | None:
        """A permit for one call on the lane, or None."""
        breaker = lane.breaker
        if breaker.state is State.CLOSED:
            return breaker.ask(now_s)
        said = self._said.get(lane.arn)
        permit = breaker.again(now_s) if said else None if said is False else breaker.ask(now_s)
        if breaker.state is State.RAMPING:
            self._said[lane.arn] = permit is not None
        return permit

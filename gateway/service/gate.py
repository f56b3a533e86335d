"""Permits: what stands between a call that is wanted and a call that is made, per campaign.

A gate has a lane for every ARN (`lane`), a ceiling on calls per second, a budget for extra attempts, and a queue. Calls
that find no room wait, the one with the earliest deadline first; a ranking that could not be made in time is refused
when it comes, not when its time is up. Decisions are those of the core; this is where they meet the event loop.
"""

import asyncio
import heapq
import math
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Final

import structlog

from gateway.core.admission import Load, admits
from gateway.core.breaker import State
from gateway.core.budget import ATTEMPT_MIN_S, Budget
from gateway.core.episode import Episode
from gateway.core.errors import Busy, DeadlineExceeded, GatewayError, Resting, UpstreamError
from gateway.core.extras import ExtraBudget
from gateway.core.hedge import OVERDUE, Standing, due_s, why_not
from gateway.core.latency import Latencies
from gateway.core.limit import RateCeiling
from gateway.core.routing import Campaign
from gateway.ports import Clock
from gateway.service.lane import RULES_ALONE, RULES_AMONG, Lane, Leave, Pass

HANGS_S: Final = 0.25
"""A call cut off after this long speaks against its ARN, as long as nobody knows how long its calls take."""

TIMER_S: Final = 0.002
"""The loop's clock and its timers are right to a millisecond: a timer for less would be a busy loop."""

LEFT_MAX: Final = 100
"""Places in the queue that may be held by calls that have left, beyond as many as wait."""

_log = structlog.get_logger("gateway.upstream")


@dataclass(order=True, slots=True)
class _Waiter:
    """A call in the queue, by its deadline, then by its coming."""

    until_s: float
    number: int
    leave: Leave = field(compare=False)
    avoid: Collection[str] = field(compare=False)
    granted: "asyncio.Future[Pass]" = field(compare=False)


@dataclass(slots=True)
class GateStats:
    """Numbers since the start. `busy` and `resting` count calls that were wanted and not made, `unaffordable` the
    retries and hedges that the budget had nothing left for."""

    calls: int = 0
    retries: int = 0
    hedges: int = 0
    hedges_won: int = 0
    hedges_lost: int = 0
    busy: int = 0
    resting: int = 0
    unaffordable: int = 0

    def add(self, other: "GateStats") -> None:
        """Add the numbers of another gate."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Gate:
    """The permits of one campaign."""

    def __init__(self, campaign: Campaign, clock: Clock) -> None:
        self.campaign = campaign
        self.extras = ExtraBudget(campaign.extra_share)
        self.latencies = Latencies()
        self.stats = GateStats()
        arns = campaign.arns
        rules = RULES_AMONG if len(arns) > 1 else RULES_ALONE
        self.lanes = [Lane(arn, campaign.concurrency_min, campaign.concurrency_max, rules) for arn in arns]
        self._clock = clock
        self._rate = RateCeiling(campaign.tps) if campaign.tps else None
        self._queue: list[_Waiter] = []  # a heap; who has left stays in it until it comes to the top
        self._numbers = self._turn = 0
        self.waiting = 0
        self._crowded = Episode()
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Gate {self.campaign.key} waiting={self.waiting} {self.lanes} {self.extras} {self.latencies}>"

    @property
    def now_s(self) -> float:
        """The time that its numbers are of."""
        return self._clock.now_s()

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return sum(lane.in_flight for lane in self.lanes)

    @property
    def limit(self) -> int:
        """Calls that may be under way."""
        return sum(lane.limit.now for lane in self.lanes)

    def admit(self, calls: int, budget: Budget) -> None:
        """Let so many calls queue up; raises `Busy` if the last of them could not be answered in time."""
        if not self.waiting and not self._crowded.under_way:
            return
        now_s = self._clock.now_s()
        if self.waiting and not self._has_time_for(calls, budget, now_s):
            self.stats.busy += calls
            if self._crowded.bad(now_s, calls):
                _log.warning("calls are refused, too many wait", campaign=self.campaign.key, waiting=self.waiting)
            raise Busy("more calls are waiting for the campaign than can be made in time")
        if ended := self._crowded.good(now_s):
            _log.warning("calls are no longer refused", campaign=self.campaign.key, **ended.told())

    def _has_time_for(self, calls: int, budget: Budget, now_s: float) -> bool:
        takes = self.latencies.quantiles(now_s)
        ahead = sum(one.until_s <= budget.calls_until_s and not one.granted.cancelled() for one in self._queue)
        load = Load(self.waiting, ahead, self.limit, takes, self.campaign.tps)
        return admits(load, calls, budget.calls_until_s - now_s)

    async def enter(self, leave: Leave, until_s: float, avoid: Collection[str]) -> Pass:
        """Wait for a permit for one call, by preference not to an ARN in `avoid`.

        Raises `Resting` when no ARN is to be asked now, `DeadlineExceeded` when it is too late.
        """
        if not self.waiting and (ticket := self._grant(leave, avoid)) is not None:
            return ticket
        self._numbers += 1
        waiter = _Waiter(until_s, self._numbers, leave, avoid, asyncio.get_running_loop().create_future())
        heapq.heappush(self._queue, waiter)
        self.waiting += 1
        self._pump()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self.waiting -= 1
                self._tidy()
            elif waiter.granted.exception() is None:
                self._give_back(waiter.granted.result())  # it was given and never used
            raise

    def enter_now(self, avoid: Collection[str]) -> Pass | None:
        """A permit for a hedge, to an ARN that is well and, if there is one, not in `avoid`; None if the rules say no,
        or the budget."""
        now_s = self._clock.now_s()
        late_since_s = now_s - (self.hedge_after_s() or 0.0)
        well = [one for one in self.lanes if one.breaker.state is State.CLOSED and not one.is_silent(late_since_s)]
        throttled_s = min(lane.throttled_s for lane in self.lanes)  # one that did not throttle can take the hedge
        standing = Standing(
            now_s - throttled_s, self.waiting, self.in_flight, self.limit, any(lane.has_room for lane in well)
        )
        if why_not(standing) is not None:
            return None
        if self.extras.left(now_s) < 1:
            self.stats.unaffordable += 1
            return None
        ticket = self._grant(Leave(), avoid, among=well)
        if ticket is not None:
            self.extras.take(now_s)
        return ticket

    def take_retry(self) -> bool:
        """Count a retry, if one is worth it and within the budget: it is for blips, not for outages."""
        if all(lane.in_doubt for lane in self.lanes):
            return False
        affordable = self.extras.take(self._clock.now_s())
        self.stats.unaffordable += not affordable
        return affordable

    def hedge_after_s(self) -> float | None:
        """How long a call is out before it is worth a hedge; None as long as nobody knows."""
        quantiles = self.latencies.quantiles(self._clock.now_s())
        return None if quantiles is None else due_s(quantiles)

    def count_call(self) -> None:
        """Note that a call is made, whose retries and hedges will be extras."""
        self.stats.calls += 1
        self.extras.call(self._clock.now_s())

    def done(self, ticket: Pass, outcome: object, took_s: float) -> None:
        """Hand a permit back with what came of the call: its answer, or a `GatewayError`."""
        now_s = self._clock.now_s()
        if not isinstance(outcome, GatewayError):
            self.latencies.add(took_s, now_s)
            ticket.lane.took_s.add(took_s)
        ticket.lane.answered_with(outcome, ticket, now_s)
        self._free(ticket)

    def left(self, ticket: Pass, until_s: float = math.inf, *, overtaken: bool = False) -> None:
        """Hand a permit back whose call was cancelled: by its deadline `until_s`, because its hedge answered first, or
        for another reason."""
        now_s = self._clock.now_s()
        if overtaken:
            self.overdue(ticket)
        at_deadline = now_s >= until_s - TIMER_S
        out_s = now_s - ticket.began_s
        after_s = self.hedge_after_s()
        long = out_s >= (HANGS_S if after_s is None else OVERDUE * after_s)
        ticket.lane.ended_early(ticket, now_s, its_fault=at_deadline and long)
        self._free(ticket)

    def _give_back(self, ticket: Pass) -> None:
        """Take back a permit that nobody used."""
        ticket.lane.unused(ticket, self._clock.now_s())
        self._free(ticket)

    def overdue(self, ticket: Pass) -> None:
        """Note a call that is out for very long: it counts against its ARN if another one is ahead of it."""
        if any(lane.is_ahead_of(ticket) for lane in self.lanes if lane is not ticket.lane):
            ticket.lane.fell_behind(ticket, self._clock.now_s())

    def _grant(self, leave: Leave, avoid: Collection[str], *, among: Collection[Lane] | None = None) -> Pass | None:
        """A permit now, on the least loaded lane that gives one; None if there is no room, or not yet.

        Raises `Resting` when every lane, but for want of room, is to be left alone: waiting would not help.
        """
        now_s = self._clock.now_s()
        if self._rate is not None and (wait_s := self._rate.wait_s(now_s)) > 0.0:
            self._pump_in(wait_s)
            return None
        full = False
        for lane in self._by_preference(avoid, now_s):
            if not lane.has_room:
                full = full or not lane.breaker.rests(now_s)
            elif among is not None and lane not in among:
                continue
            elif (permit := leave.ask(lane, now_s)) is not None:
                if self._rate is not None:
                    self._rate.take(now_s)
                lane.out[ticket := Pass(lane, permit, now_s)] = None
                return ticket
        if not full and among is None:
            self.stats.resting += 1
            raise Resting("the campaign failed too often of late and is left alone for a moment")
        return None

    def _by_preference(self, avoid: Collection[str], now_s: float) -> list[Lane]:
        """The lanes, best first: not to be avoided, not just throttled (a throttle is quick and leaves the load low),
        least loaded."""
        lanes = self.lanes
        if len(lanes) == 1:
            return lanes
        self._turn = (self._turn + 1) % len(lanes)  # of equally loaded ones each has its turn
        turned = lanes[self._turn :] + lanes[: self._turn]
        return sorted(turned, key=lambda lane: (lane.arn in avoid, lane.throttles(now_s), lane.load))

    def _free(self, ticket: Pass) -> None:
        del ticket.lane.out[ticket]
        if self._queue:
            self._pump()

    def _pump(self) -> None:
        """Give permits to those who wait, the earliest deadline first, as long as there are any."""
        while self._queue:
            waiter = self._queue[0]
            if not waiter.granted.cancelled():
                try:
                    if self._clock.now_s() + ATTEMPT_MIN_S > waiter.until_s:
                        raise DeadlineExceeded("no permit before the deadline")
                    ticket = self._grant(waiter.leave, waiter.avoid)
                except UpstreamError as refusal:
                    waiter.granted.set_exception(refusal)
                else:
                    if ticket is None:
                        return
                    waiter.granted.set_result(ticket)
                self.waiting -= 1
            heapq.heappop(self._queue)

    def _tidy(self) -> None:
        """Forget those who have left, once they are the greater part of the queue."""
        if len(self._queue) > LEFT_MAX + 2 * self.waiting:
            self._queue = [one for one in self._queue if not one.granted.cancelled()]
            heapq.heapify(self._queue)

    def _pump_in(self, wait_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(wait_s, TIMER_S), self._pump_now)

    def _pump_now(self) -> None:
        self._timer = None
        self._pump()

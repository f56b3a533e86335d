"""One call for many callers: equal questions that are under way at the same time share their call.

A flight is the one call of a question and all that ride on it. It belongs to nobody who may leave: a caller that leaves
takes nobody along, and when the last one leaves, the call is cancelled. What it costs is charged to the caller that
began it. A flight that landed well can be joined until its listing must have arrived in the store; one that failed is
gone at once, so the next caller tries anew. An event of the user lets nobody board any more.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from gateway.core.budget import Budget
from gateway.core.errors import DeadlineExceeded, UpstreamError
from gateway.core.keys import FrameKey
from gateway.core.life import Stage
from gateway.core.question import Listing, Question
from gateway.core.routing import Campaign
from gateway.service.fanout import Fans
from gateway.service.frames import Frames
from gateway.service.gates import Gates
from gateway.service.result import Cost

LINGER_S: Final = 0.1
"""How long a flight can be joined after it landed: longer than any store takes to save a listing (20 ms by default)."""

FLIGHTS_MAX: Final = 3
"""Flights that one caller boards: somebody else's that ends by an earlier deadline than the caller's own, twice, and
then one of its own."""


@dataclass(frozen=True, slots=True)
class ListingRequest:
    """One question: to which campaign, and by when."""

    campaign: Campaign
    question: Question
    budget: Budget


@dataclass(slots=True, eq=False)
class Flight:
    """A call under way, or just landed; `epoch` is None if the store could not be asked."""

    key: FrameKey
    epoch: int | None
    task: asyncio.Task[Listing]
    riders: int = 0


class Flights:
    """All flights; `frames` has the store, the clocks and the word of every event."""

    def __init__(self, fans: Fans, gates: Gates, frames: Frames) -> None:
        self.joined = self.stored = 0
        self._fans = fans
        self._gates = gates
        self._frames = frames
        self._clock = frames.clock
        self._flights: dict[str, Flight] = {}
        frames.listeners.append(self._forget)

    def __repr__(self) -> str:
        return f"<Flights {len(self._flights)} joined={self.joined}>"

    async def listing(self, request: ListingRequest, key: FrameKey, epoch: int | None, cost: Cost) -> Listing:
        """The listing, learnt now. Raises `CallerError` or `UpstreamError`, the latter also at the deadline."""
        for number in range(1, FLIGHTS_MAX + 1):
            flight = self._boarding(key, epoch) if number < FLIGHTS_MAX else None
            own = flight is None
            self.joined += not own
            flight = flight or self._begin(request, key, epoch, cost)
            try:
                return await self._ride(flight, request.budget, cost)
            except DeadlineExceeded:
                if own or not request.budget.allows_attempt(self._clock.now_s()):
                    raise
        raise AssertionError("the last flight is the caller's own")

    def _boarding(self, key: FrameKey, epoch: int | None) -> Flight | None:
        """The flight that a caller may join: of its epoch, and under way or just landed with what is fresh."""
        flight = self._flights.get(key.frame)
        if flight is None or flight.epoch != epoch:
            return None
        if flight.task.done():
            created_s, now_s = flight.task.result().created_s, self._clock.wall_s()
            stage = self._frames.life.stage(created_s=created_s, epoch=epoch or 0, now_s=now_s, chance=0.0)
            return flight if stage is Stage.FRESH else None
        return flight

    def _begin(self, request: ListingRequest, key: FrameKey, epoch: int | None, cost: Cost) -> Flight:
        task = asyncio.get_running_loop().create_task(self._fly(request, key, epoch, cost))
        flight = self._flights[key.frame] = Flight(key, epoch, task)
        task.add_done_callback(lambda _: self._landed(flight))
        return flight

    async def _fly(self, request: ListingRequest, key: FrameKey, epoch: int | None, cost: Cost) -> Listing:
        created_s = self._clock.wall_s()
        fan = await self._fans.ask(self._gates.of(request.campaign), request.question, request.budget)
        cost.usage.count(fan)
        cost.timing.queue_s = max(cost.timing.queue_s, fan.queue_s)
        (outcome,) = fan.outcomes
        if isinstance(outcome, UpstreamError):
            raise outcome
        listing = replace(outcome, epoch=epoch or 0, created_s=created_s)
        if epoch is not None:
            self.stored += 1
            self._frames.background.start(self._frames.store.save_listing(key, listing, self._frames.life.kept_s))
        return listing

    async def _ride(self, flight: Flight, budget: Budget, cost: Cost) -> Listing:
        """Wait for a flight to land, until the caller's deadline."""
        flight.riders += 1
        try:
            with cost.timing.stage("upstream_s"):
                wait_s = max(0.0, budget.deadline_s - self._clock.now_s())
                done, _ = await asyncio.wait([flight.task], timeout=wait_s)
        finally:
            flight.riders -= 1
            if not flight.riders and not flight.task.done():
                self._drop(flight)  # at once: a newcomer of this very turn would be cancelled with it
                flight.task.cancel()
        if not done:
            raise DeadlineExceeded("no answer before the deadline")
        return flight.task.result()

    def _landed(self, flight: Flight) -> None:
        """A flight is over. All riders may have left, so its exception is looked at here: nobody else may."""
        if flight.task.cancelled() or flight.task.exception() is not None:
            self._drop(flight)
        else:
            asyncio.get_running_loop().call_later(LINGER_S, self._drop, flight)

    def _drop(self, flight: Flight) -> None:
        if self._flights.get(flight.key.frame) is flight:
            del self._flights[flight.key.frame]

    def _forget(self, user: str) -> None:
        for name in [name for name, flight in self._flights.items() if flight.key.user == user]:
            del self._flights[name]

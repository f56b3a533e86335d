"""One call for all who want the metadata of the same items at the same time, whoever they are.

A *fetch* is some calls under way for items of one tenant, campaign, filter and set of columns; whoever wants one of its
items rides on it. Metadata does not depend on the user, but a call has to name one: that of the caller that began it.
A filter may depend on the user, so what a fetch of somebody else did not tell, for whatever reason, a rider asks for
itself; nor does it wait for others longer than half of its time, since theirs may be longer.

A fetch belongs to nobody who may leave: a caller that leaves takes nobody along, and when the last rider leaves, the
calls are cancelled. What they cost is charged to the caller that began them. What was told can be joined until it must
have arrived in the store, if it is kept there.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.answer import Answer
from gateway.core.budget import Budget
from gateway.core.model import Subject
from gateway.core.plan import METADATA_LIMIT
from gateway.core.routing import Campaign
from gateway.ports import Clock
from gateway.service.fanout import Fans
from gateway.service.gates import Gates
from gateway.service.outcomes import Asked
from gateway.service.result import Cost
from gateway.service.turns import Turns, slices

ITEMS_AT_ONCE: Final = 500
"""Items of one fetch, ten calls: who rides for one item waits for no more than these."""

SAID_S: Final = 0.001
"""What it takes to read what the calls of a fetch said."""

PATIENCE: Final = 0.5
"""Share of its time that a caller waits for what others asked for, before it asks itself."""

LINGER_S: Final = 0.1
"""How long a fetch can be joined when it is over: longer than any store takes to save it (20 ms by default)."""

PASSES_MAX: Final = 3
"""A caller rides on fetches of others twice; the last time it asks alone."""

Said = dict[str, bytes]
"""Item -> its metadata as JSON; items that a call did not tell of are not in it."""


@dataclass(slots=True, eq=False)
class Want:
    """Who wants which columns, by when; what its own calls cost is added to `cost`, what they say goes to `learnt`,
    which `keeps` it or not. `asked` has those calls when they are over, `begun` is their number."""

    campaign: Campaign
    subject: Subject
    names: tuple[str, ...]
    budget: Budget
    cost: Cost
    learnt: Callable[[Said], None]
    keeps: bool
    asked: Asked = field(default_factory=Asked)
    begun: int = 0

    @property
    def kind(self) -> Hashable:
        """What has to be equal of those who share calls."""
        of = self.subject
        return of.tenant, of.campaign, of.variant, self.names, of.filter_arn, frozenset(of.filter_values.items())


@dataclass(slots=True, eq=False)
class Fetch:
    """Calls under way for items, or just over."""

    kind: Hashable
    items: Sequence[str]
    task: asyncio.Task[Said]
    riders: int = 0

    @property
    def said(self) -> Said:
        """What was said so far; nothing as long as it is under way, or if the calls were refused."""
        if not self.task.done() or self.task.cancelled() or self.task.exception() is not None:
            return {}
        return self.task.result()


@dataclass(slots=True, eq=False)
class _Rides:
    """What one caller waits for: fetches of its own, and those of others with the items that it wants of them."""

    own: list[Fetch] = field(default_factory=list)
    others: dict[Fetch, list[str]] = field(default_factory=dict)


class Fetches:
    """All fetches."""

    def __init__(self, fans: Fans, gates: Gates, clock: Clock, turns: Turns) -> None:
        self.joined = 0
        self._fans = fans
        self._gates = gates
        self._clock = clock
        self._turns = turns
        self._under_way: dict[Hashable, dict[str, Fetch]] = {}

    def __repr__(self) -> str:
        return f"<Fetches items={sum(map(len, self._under_way.values()))} joined={self.joined}>"

    async def said(self, want: Want, items: Sequence[str]) -> Said:
        """What upstream says of the items by the caller's deadline.

        Raises `CallerError` if one of its own calls says that the request is wrong; those of others say it to others.
        """
        said: Said = {}
        for number in range(1, PASSES_MAX + 1):
            rides = _Rides()
            try:
                for some in slices(items, ITEMS_AT_ONCE):
                    self._board(rides, want, some, alone=number == PASSES_MAX)
                    if len(some) < len(items):
                        await self._turns.mine()  # to write and sign ten calls is a turn's work
                await self._ride(rides, want.budget)
                for fetch in rides.own:
                    said.update(fetch.task.result())
                    if len(fetch.items) < len(items):
                        await self._turns.mine(SAID_S)
                for fetch, wanted in rides.others.items():
                    told = fetch.said
                    said.update((item, told[item]) for item in wanted if item in told)
            finally:
                self._leave(rides)
            items = [item for wanted in rides.others.values() for item in wanted if item not in said]
            if not items or not want.budget.allows_attempt(self._clock.now_s()):
                break
        return said

    def _board(self, rides: _Rides, want: Want, items: Sequence[str], *, alone: bool) -> None:
        """Join what is under way for the items, unless the caller asks alone, and begin a fetch for the rest."""
        under_way = {} if alone else self._under_way.get(want.kind, {})
        rest: list[str] = []
        for item in items:
            fetch = under_way.get(item)
            if fetch is None:
                rest.append(item)
            else:
                if fetch not in rides.others:
                    fetch.riders += 1
                    self.joined += 1
                rides.others.setdefault(fetch, []).append(item)
        if rest:
            rides.own.append(self._begin(want, rest))

    def _begin(self, want: Want, items: list[str]) -> Fetch:
        task = asyncio.get_running_loop().create_task(self._run(want, items))
        fetch = Fetch(want.kind, items, task, riders=1)
        self._under_way.setdefault(fetch.kind, {}).update(dict.fromkeys(items, fetch))
        task.add_done_callback(lambda _: self._over(fetch, lingers=want.keeps))
        return fetch

    async def _run(self, want: Want, items: list[str]) -> Said:
        lists = [list(some) for some in slices(items, METADATA_LIMIT)]
        gate, earlier = self._gates.of(want.campaign), want.begun
        want.begun += len(lists)
        fan = await self._fans.fan_out(
            gate, want.subject, lists, want.budget, want.names, purpose="metadata", earlier=earlier
        )
        want.asked.add(fan)
        want.cost.usage.count(fan)
        want.cost.timing.queue_s = max(want.cost.timing.queue_s, fan.queue_s)
        await self._turns.mine(SAID_S)
        said = said_by(lists, fan.answers)
        want.learnt(said)
        return said

    async def _ride(self, rides: _Rides, budget: Budget) -> None:
        """Wait for others as long as patience lasts, and for own calls, which end by the caller's deadline."""
        if rides.others:
            patience_s = PATIENCE * (budget.calls_until_s - self._clock.now_s())
            await asyncio.wait([fetch.task for fetch in rides.others], timeout=max(0.0, patience_s))
        if rides.own:
            await asyncio.wait([fetch.task for fetch in rides.own])

    def _leave(self, rides: _Rides) -> None:
        """A caller is gone: fetches without riders are cancelled."""
        for fetch in (*rides.own, *rides.others):
            fetch.riders -= 1
            if not fetch.riders and not fetch.task.done():
                self._drop(fetch, fetch.items)  # at once: a newcomer of this very turn would be cancelled with it
                fetch.task.cancel()

    def _over(self, fetch: Fetch, *, lingers: bool) -> None:
        """A fetch is over; its exception is looked at here, since all riders may have left."""
        said = fetch.said if lingers else {}
        self._drop(fetch, [item for item in fetch.items if item not in said])
        if said:
            asyncio.get_running_loop().call_later(LINGER_S, self._drop, fetch, list(said))

    def _drop(self, fetch: Fetch, items: Iterable[str]) -> None:
        """Let nobody join the fetch for these items any more."""
        under_way = self._under_way.get(fetch.kind, {})
        for item in items:
            if under_way.get(item) is fetch:
                del under_way[item]
        if not under_way:
            self._under_way.pop(fetch.kind, None)


def said_by(lists: Sequence[Sequence[str]], answers: Sequence[Answer | None]) -> Said:
    """What answered calls said of the items that they were asked for. One that a filter dropped stays unknown."""
    said: Said = {}
    encode = msgspec.json.encode
    for items, answer in zip(lists, answers, strict=True):
        if answer is not None and answer.metadata is not None:
            places = answer.positions.tolist()
            said.update((items[place], encode(one or None)) for place, one in zip(places, answer.metadata, strict=True))
    return said

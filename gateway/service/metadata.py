"""Item metadata, asked for late: when it is known which items an answer shows, and only what nobody asked lately.

A call that asks for metadata takes 50 items instead of 500, so a ranking that asked for all of it would cost ten times
its calls. Metadata depends on the item alone, not on the user: it is cached for all users of a campaign, encoded, as it
will stand in an answer.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.core.answer import Answer
from gateway.core.budget import Budget
from gateway.core.keys import metadata_keys
from gateway.core.model import Subject
from gateway.core.plan import METADATA_LIMIT
from gateway.core.routing import Campaign
from gateway.ports import ValueStore
from gateway.service.background import Background
from gateway.service.fanout import FanOut, Fans
from gateway.service.gates import Gates
from gateway.service.result import Cost, Played, Round

AT_ONCE: Final = 500
"""Items that one command reads or writes: 1 ms for the store and for the loop, in which nobody else has a turn."""

CALLS_AT_ONCE: Final = AT_ONCE // METADATA_LIMIT
"""Answers that are read at a stretch: as many items."""

NOTHING: Final = b"null"
"""What is kept of an item that has no metadata: that it has none."""

Known = dict[str, bytes]
"""Item -> its metadata as JSON, `NOTHING` for none. What is not in it is not known."""


@dataclass(slots=True)
class MetadataStats:
    """Items by where their metadata came from, and how many had to do without."""

    cached: int = 0
    asked: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of all items; `keep_s` is for how long it is believed."""

    store: ValueStore
    fans: Fans
    gates: Gates
    background: Background
    keep_s: float
    stats: MetadataStats = field(default_factory=MetadataStats)

    async def look_up(self, subject: Subject, names: tuple[str, ...], items: Sequence[str], cost: Cost) -> Known:
        """What is cached of the items."""
        known: Known = {}
        if not self.keep_s:
            return known
        for some in _slices(items, AT_ONCE):
            with cost.timing.stage("cache_s"):
                stored = await self.store.fetch(metadata_keys(subject, names, some))
            if stored is None:  # it would not answer for the others either
                break
            known.update((item, value) for item, value in zip(some, stored, strict=True) if value is not None)
            await _others(len(items))
        self.stats.cached += len(known)
        return known

    async def ask(
        self,
        campaign: Campaign,
        subject: Subject,
        names: tuple[str, ...],
        items: Sequence[str],
        budget: Budget,
        cost: Cost,
    ) -> tuple[Known, FanOut[Answer]]:
        """What upstream says of the items by the deadline, and the calls that asked; their cost is added to `cost`.

        Raises `CallerError` if a call says that the request is wrong.
        """
        if not items:
            return {}, FanOut([])
        lists = [list(some) for some in _slices(items, METADATA_LIMIT)]
        with cost.timing.stage("upstream_s"):
            gate = self.gates.of(campaign)
            fan = await self.fans.fan_out(gate, subject, lists, budget, names, purpose="metadata")
        cost.usage.count(fan)
        cost.timing.queue_s = max(cost.timing.queue_s, fan.queue_s)
        known = await _said(lists, fan.answers)
        self._keep(subject, names, known)
        self.stats.missing += len(items) - len(known)
        return known, fan

    async def of_rounds(self, subject: Subject, names: tuple[str, ...], rounds: Iterable[Round | Played]) -> Known:
        """What the calls of a ranking brought along."""
        known: Known = {}
        for made in rounds:
            if isinstance(made, Round) and made.columns == names:
                known |= await _said(made.plan.lists(), made.fan.answers)
        self._keep(subject, names, known)
        return known

    def _keep(self, subject: Subject, names: tuple[str, ...], known: Known) -> None:
        """Store what was learnt, in the background: no caller waits for a cache."""
        self.stats.asked += len(known)
        if known and self.keep_s:
            self.background.start(self._put(subject, names, known))

    async def _put(self, subject: Subject, names: tuple[str, ...], known: Mapping[str, bytes]) -> None:
        for some in _slices(list(known), AT_ONCE):
            keys = metadata_keys(subject, names, some)
            if not await self.store.put(dict(zip(keys, map(known.__getitem__, some), strict=True)), self.keep_s):
                return
            await _others(len(known))


async def _said(lists: Sequence[Sequence[str]], answers: Sequence[Answer | None]) -> Known:
    """What answered calls said of the items that they were asked for. One that a filter dropped stays unknown."""
    known: Known = {}
    encode = msgspec.json.encode
    for number, (items, answer) in enumerate(zip(lists, answers, strict=True), 1):
        if answer is not None and answer.metadata is not None:
            places = answer.positions.tolist()
            known.update((items[place], encode(one)) for place, one in zip(places, answer.metadata, strict=True))
        if number % CALLS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return known


async def _others(count: int) -> None:
    """Let others have their turn between two pieces of long work: a store in memory never waits for anything."""
    if count > AT_ONCE:
        await asyncio.sleep(0)


def _slices(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))

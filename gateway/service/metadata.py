"""Item metadata, asked for late: when it is known which items an answer shows, and only what nobody asked lately.

A call that asks for metadata takes 50 items instead of 500, so a ranking that asked for all of it would cost ten times
its calls. Metadata depends on the item alone, not on the user: it is cached for all users of a campaign, by item and
column, encoded, as it will stand in an answer, and callers that want it of the same items at the same time share their
calls (`fetches`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from gateway.core.budget import Budget
from gateway.core.keys import metadata_keys
from gateway.core.model import Subject
from gateway.core.plan import METADATA_LIMIT
from gateway.core.routing import Campaign
from gateway.ports import ValueStore
from gateway.service.background import Background
from gateway.service.columns import joined, parted
from gateway.service.fetches import Fetches, Want, said_by
from gateway.service.outcomes import Asked
from gateway.service.result import Cost, Played, Round
from gateway.service.turns import Turns, slices

AT_ONCE: Final = 250
"""Items, times columns, that one command reads or writes: 1 ms for the store and for the loop, in which nobody else has
a turn."""

AT_ONCE_S: Final = 0.001

CALLS_AT_ONCE: Final = AT_ONCE // METADATA_LIMIT
"""Answers that are read at a stretch: as many items."""

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
    fetches: Fetches
    background: Background
    turns: Turns
    keep_s: float
    stats: MetadataStats = field(default_factory=MetadataStats)

    async def look_up(self, subject: Subject, names: tuple[str, ...], items: Sequence[str], cost: Cost) -> Known:
        """What is cached of the items."""
        known: Known = {}
        if not self.keep_s:
            return known
        for some in slices(items, AT_ONCE // len(names)):
            await self._next(len(items) * len(names))
            with cost.timing.stage("cache_s"):
                stored = await self.store.fetch(metadata_keys(subject, names, some))
            if stored is None:  # it would not answer for the others either
                break
            known |= joined(some, list(slices(stored, len(some))))
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
    ) -> tuple[Known, Asked]:
        """What upstream says of the items by the deadline, and the calls of its own that asked; their cost is added to
        `cost`.

        Raises `CallerError` if a call says that the request is wrong.
        """
        if not items:
            return {}, Asked()

        def learnt(known: Known) -> None:
            self._keep(subject, names, known)

        with cost.timing.stage("upstream_s"):
            want = Want(campaign, subject, names, budget, cost, learnt, keeps=bool(self.keep_s))
            known = await self.fetches.said(want, items)
        self.stats.missing += len(items) - len(known)
        return known, want.asked

    async def of_rounds(self, subject: Subject, names: tuple[str, ...], rounds: Iterable[Round | Played]) -> Known:
        """What the calls of a ranking brought along."""
        known: Known = {}
        for made in rounds:
            if not isinstance(made, Round) or made.columns != names:
                continue
            lists, answers = made.plan.lists(), made.fan.answers
            for start in range(0, len(lists), CALLS_AT_ONCE):
                await self._next(made.plan.wanted)
                some = slice(start, start + CALLS_AT_ONCE)
                known |= said_by(lists[some], answers[some])
        self._keep(subject, names, known)
        return known

    def _keep(self, subject: Subject, names: tuple[str, ...], known: Known) -> None:
        """Store what was learnt, in the background: no caller waits for a cache."""
        self.stats.asked += len(known)
        if known and self.keep_s:
            self.background.start(self._put(subject, names, known))

    async def _put(self, subject: Subject, names: tuple[str, ...], known: Mapping[str, bytes]) -> None:
        for some in slices(list(known), AT_ONCE // len(names)):
            await self._next(len(known) * len(names))
            parts = parted(names, map(known.__getitem__, some))
            if parts is None:
                return
            values = dict(zip(metadata_keys(subject, names, some), chain.from_iterable(parts), strict=True))
            if not await self.store.put(values, self.keep_s):
                return

    async def _next(self, count: int) -> None:
        """Wait for a turn before a piece of long work: a store in memory never waits for anything."""
        if count > AT_ONCE:
            await self.turns.mine(AT_ONCE_S)

"""Pinned rankings: the pages after the first come out of the very ranking that the first came from.

A pin is a copy: events, drift, and failures upstream do not touch it, and it ends at its own time. It holds what its
pages show and nothing of whose it is: ids of items and scores, no user, no context, no filter. The metadata of a later
page is therefore asked for in the name of nobody: metadata does not depend on the user, and the call must name one.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from gateway.core.budget import Budget
from gateway.core.errors import CallerError, RankingAway, RankingGone, UnknownRanking
from gateway.core.keys import pin_key
from gateway.core.model import Subject
from gateway.core.ordering import Ranking
from gateway.core.ranking_id import RANDOM_BYTES, is_of, ranking_id
from gateway.core.routing import Campaign, Merge
from gateway.ports import Clock, ValueStore
from gateway.service.metadata import Known, Metadata
from gateway.service.result import Cost, Degraded, Result, Timing, Usage
from gateway.service.turns import Turns

SCHEMA: Final = 1
"""Raised when the meaning of a stored pin changes: older ones are gone then."""

NOBODY: Final = "rerank-gateway"
"""The user that metadata of a pinned ranking is asked for."""


class Pinned(msgspec.Struct, frozen=True, array_like=True):
    """A ranking as it is kept: 10,000 items of 11 characters are 200 kB.

    `campaign` is what the caller named. `items` stand best first, `scores` (8 bytes each) run along the ranked ones of
    them, and are empty where the ranking has none (`has_scores`); `grades` and `origins` (a byte each) run along all,
    where the answer was degraded and has to tell its sources.
    """

    schema: int
    campaign: str
    variant: str
    columns: tuple[str, ...]
    items: list[str]
    scores: bytes
    grades: bytes
    origins: bytes
    merge: Merge
    has_scores: bool
    ranked: int
    scored: int
    resolved_through: int
    unknown: int
    excluded: int
    degraded: str | None
    recommendation_ids: list[str]

    def result(self, clock: Clock) -> Result:
        """The ranking again, as far as its pages show it: nothing of it was asked for now."""
        count = len(self.items)
        scores = np.frombuffer(self.scores) if self.has_scores else np.zeros(self.ranked)
        usage = Usage(count + self.excluded, self.ranked + self.excluded, self.unknown, self.excluded)
        usage.unranked = count - self.ranked
        return Result(
            candidates=self.items,
            ranking=Ranking(np.arange(count), scores, self.scored, self.resolved_through, self.excluded, self.unknown),
            log=np.zeros(0),
            grade=np.frombuffer(self.grades, np.uint8),
            origin=np.frombuffer(self.origins, np.uint8).astype(np.intp),
            source=np.zeros(0, dtype=np.intp),
            recommendation_ids=tuple(self.recommendation_ids),
            variant=self.variant,
            degraded=None if self.degraded is None else Degraded(self.degraded),
            usage=usage,
            timing=Timing(clock),
            rounds=[],
            merge=self.merge,
            has_scores=self.has_scores,
        )


@dataclass(slots=True)
class PinStats:
    """Rankings pinned, those that could not be, pages read, and those that came too late."""

    pinned: int = 0
    lost: int = 0
    pages: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Pins:
    """All pinned rankings; each is kept for `keep_s`, however often it is read."""

    store: ValueStore
    keep_s: float
    turns: Turns
    stats: PinStats = field(default_factory=PinStats)

    async def pin(
        self, tenant: str, campaign: str, columns: tuple[str, ...], result: Result, recommendation_ids: list[str]
    ) -> str | None:
        """Keep a ranking, and give its id; None if it could not be stored."""
        items = await self.turns.taken(result.candidates, result.ranking.order)
        await self.turns.mine()
        name = ranking_id(secrets.token_bytes(RANDOM_BYTES), tenant)
        with result.timing.stage("cpu_s"):
            value = msgspec.msgpack.encode(_pinned(campaign, columns, result, items, recommendation_ids))
        with result.timing.stage("cache_s"):
            stored = await self.store.put({pin_key(tenant, name): value}, self.keep_s)
        self.stats.pinned += stored
        self.stats.lost += not stored
        return name if stored else None

    async def read(self, tenant: str, name: str) -> Pinned:
        """The ranking that was given this id.

        Raises `UnknownRanking` for what never was an id of this tenant, `RankingGone` for one whose time is up,
        `RankingAway` if the store cannot be asked.
        """
        if not is_of(name, tenant):
            raise UnknownRanking("no ranking was pinned under this id")
        found = await self.store.fetch([pin_key(tenant, name)])
        if found is None:
            raise RankingAway("the store of pinned rankings does not answer")
        await self.turns.mine()
        try:
            pinned = msgspec.msgpack.decode(found[0] or b"", type=Pinned)
        except (msgspec.MsgspecError, UnicodeDecodeError):  # nothing, or of another version
            pinned = None
        if pinned is None or pinned.schema != SCHEMA:
            self.stats.gone += 1
            raise RankingGone("the ranking is not kept any more")
        self.stats.pages += 1
        return pinned


def _pinned(
    campaign: str, columns: tuple[str, ...], result: Result, items: list[str], recommendation_ids: list[str]
) -> Pinned:
    ranking = result.ranking
    flag = None if result.degraded is Degraded.METADATA else result.degraded  # that one is of a page
    return Pinned(
        schema=SCHEMA,
        campaign=campaign,
        variant=result.variant,
        columns=columns,
        items=items,
        scores=ranking.scores.tobytes() if result.has_scores else b"",
        grades=b"" if flag is None else result.grade[ranking.order].astype(np.uint8).tobytes(),
        origins=b"" if flag is None else result.origin[ranking.order].astype(np.uint8).tobytes(),
        merge=result.merge,
        has_scores=result.has_scores,
        ranked=ranking.ranked,
        scored=ranking.scored,
        resolved_through=ranking.resolved_through,
        unknown=ranking.unknown,
        excluded=ranking.excluded,
        degraded=flag,
        recommendation_ids=recommendation_ids,
    )


async def describe_pinned(
    metadata: Metadata, campaign: Campaign, tenant: str, columns: tuple[str, ...], items: list[str], budget: Budget,
    cost: Cost,
) -> Known:  # fmt: skip
    """What is known of items of a pinned ranking. The page is answered whatever upstream says: without, then."""
    subject = Subject(campaign.name, NOBODY, tenant=tenant, variant=campaign.variant)
    known = await metadata.look_up(subject, columns, items, cost)
    lacking = [item for item in items if item not in known]
    try:
        asked, _ = await metadata.ask(campaign, subject, columns, lacking, budget, cost)
        return known | asked
    except CallerError:  # columns or a campaign that were there when the ranking was pinned
        return known

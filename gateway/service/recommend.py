"""The other use case: one listing (GetRecommendations, GetActionRecommendations), as the service gives it, but sooner,
cheaper, and also when the service is away. Read it from the top.

A listing is kept under everything that was asked, and lives as a frame does: fresh, then stale, dead at the user's next
event (`core.life`). A fresh one answers at once; a stale one too, flagged, while it is renewed in the background. What
is not there is asked upstream, once for all who ask the same (`flights`), with the permits, retries, hedges and
breakers of the campaign (`fanout`). If that fails, a listing past its time answers, flagged; else the error does.
Nothing is ever made up: not an item, and not a `recommendationId`.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from gateway.core.budget import Budget
from gateway.core.errors import GatewayError, UpstreamError
from gateway.core.keys import FrameKey, question_key
from gateway.core.life import Stage
from gateway.core.question import Listing
from gateway.service.flights import Flights, ListingRequest
from gateway.service.frames import Frames
from gateway.service.result import Cost, Degraded, Timing, Usage

REFRESH_S: Final = 5.0
"""Time of a refresh in the background; no caller waits for it."""


@dataclass(frozen=True, slots=True)
class ListingResult:
    """A listing and how it was come by. `variant` is empty where the campaign has none."""

    listing: Listing
    cached: bool
    variant: str
    degraded: Degraded | None
    usage: Usage
    timing: Timing


@dataclass(slots=True)
class ListingStats:
    """Look-ups by what they were worth; rendered elsewhere."""

    hits: int = 0
    misses: int = 0
    stale: int = 0
    refreshes: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    key: FrameKey
    epoch: int | None
    listing: Listing | None
    stage: Stage


@dataclass(frozen=True, slots=True)
class Recommender:
    """Answers questions."""

    flights: Flights
    frames: Frames
    stats: ListingStats = field(default_factory=ListingStats)
    _refreshing: set[str] = field(default_factory=set)

    async def recommend(self, request: ListingRequest) -> ListingResult:
        """The listing by the request's deadline.

        Raises `CallerError` for what is the caller's own fault, `UpstreamError` when there is no listing at all.
        """
        cost = Cost.new(self.frames.clock)
        with cost.timing.stage("cache_s"):
            found = await self._look_up(request)
        if found.listing is not None and found.stage is not Stage.RESERVE:
            return self._known(request, found, found.listing, cost)
        self.stats.misses += 1
        try:
            listing = await self.flights.listing(request, found.key, found.epoch, cost)
        except UpstreamError:
            if found.listing is None:
                raise
            return _result(request, found.listing, cost, Degraded.STALE)
        return _result(request, listing, cost, cached=False)

    def health(self) -> dict[str, int]:
        """Numbers for `GET /v1/campaigns`."""
        stats = self.stats
        return {
            "hits": stats.hits,
            "misses": stats.misses,
            "stale": stats.stale,
            "refreshes": stats.refreshes,
            "joined": self.flights.joined,
            "stored": self.flights.stored,
        }

    async def _look_up(self, request: ListingRequest) -> _Found:
        key = question_key(request.question)
        kept = await self.frames.store.load_listing(key)
        if kept.listing is None or kept.epoch is None:
            return _Found(key, kept.epoch, None, Stage.DEAD)
        stage = self.frames.life.stage(
            created_s=kept.listing.created_s,
            epoch=kept.epoch,
            now_s=self.frames.clock.wall_s(),
            chance=self.frames.random.random(),
        )
        return _Found(key, kept.epoch, None if stage is Stage.DEAD else kept.listing, stage)

    def _known(self, request: ListingRequest, found: _Found, listing: Listing, cost: Cost) -> ListingResult:
        """Answer with what is kept; renew it if its time is over, or nearly so."""
        if found.stage is not Stage.FRESH:
            self._refresh(request, found)
        stale = found.stage is Stage.STALE
        self.stats.stale += stale
        self.stats.hits += not stale
        return _result(request, listing, cost, Degraded.STALE if stale else None)

    def _refresh(self, request: ListingRequest, found: _Found) -> None:
        """Learn the listing anew in the background, once for all callers."""
        name = found.key.frame
        if name not in self._refreshing and self.frames.background.start(self._refreshed(request, found)):
            self._refreshing.add(name)
            self.stats.refreshes += 1

    async def _refreshed(self, request: ListingRequest, found: _Found) -> None:
        budget = Budget.of(self.frames.clock.now_s(), REFRESH_S, 0)
        try:
            cost = Cost.new(self.frames.clock)
            await self.flights.listing(replace(request, budget=budget), found.key, found.epoch, cost)
        except GatewayError:
            return  # callers are told, each by its own request
        finally:
            self._refreshing.discard(found.key.frame)


def _result(
    request: ListingRequest, listing: Listing, cost: Cost, degraded: Degraded | None = None, *, cached: bool = True
) -> ListingResult:
    return ListingResult(listing, cached, request.campaign.variant, degraded, cost.usage, cost.timing)

"""The answers of the gateway as types: what the API description says of them, and what tests hold real ones against.

Answers are made by hand where that is quicker (`render`); these types are never in a request's way.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.core.attempt import Kind, Outcome, Purpose
from gateway.core.log_level import Level
from gateway.core.routing import Merge
from gateway.service.result import Degraded

Milliseconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class Usage(msgspec.Struct, rename="camel"):
    """What a ranking cost; each of `upstreamCalls` is billed."""

    candidates: Count
    cached: Count
    unknown: Count
    excluded: Count
    unranked: Count
    upstream_calls: Count
    retries: Count
    hedges: Count
    bridges: Count
    drifts: Count


class Timing(msgspec.Struct, rename="camel"):
    """Where the time went."""

    total_ms: Milliseconds
    cache_ms: Milliseconds
    queue_ms: Milliseconds
    upstream_ms: Milliseconds
    cpu_ms: Milliseconds


class RankedItem(msgspec.Struct, rename="camel"):
    """A ranked item (`render.DescribedEntry`). An unranked one has no score, nor has any where calls are merged by
    their orders alone; `metadata` holds the columns that were asked for, where the item has some."""

    item_id: str
    score: float | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class ToldItem(RankedItem, rename="camel"):
    """The same with what can be told of its place (`render.ToldEntry`): where the answer is degraded, or to explain."""

    source: str | UnsetType = UNSET
    recommendation_id: int | UnsetType | None = UNSET
    position: int | UnsetType = UNSET
    log_score: float | UnsetType | None = UNSET


class Attempt(msgspec.Struct, rename="camel"):
    """One attempt of a call. Milliseconds run from when the request came; they are negative for calls of another
    request for the same user that this one waited for.

    `call` is the number of its call in the plan: those of `sizes`, then the bridges. All but the refused ones, which
    were never sent, are billed; a hedge and the attempt that it stands beside are of the same call. `arn` is null, and
    the other times are that of the refusal, for what was refused.
    """

    call: Count
    round: Purpose
    kind: Kind
    arn: str | None
    items: Count
    queued_ms: Milliseconds
    began_ms: float
    ended_ms: float
    outcome: Outcome
    error: str | None


class Plan(msgspec.Struct, rename="camel"):
    """One plan and what came of it: of calls on one scale (`sizes` to `drifted`); of an ordinal campaign
    (`sizesByRound`, `settled`); or, with none of those, the calls that asked for metadata alone."""

    calls: Count
    failures: list[str]
    attempts: list[Attempt]
    sizes: list[Count] | UnsetType = UNSET
    anchors: Count | UnsetType = UNSET
    anchors_from: Literal["frame", "candidates"] | UnsetType = UNSET
    offsets: list[float] | UnsetType = UNSET
    error_bounds: list[float | None] | UnsetType = UNSET
    bridges: Count | UnsetType = UNSET
    drift: float | UnsetType | None = UNSET
    drifted: bool | UnsetType = UNSET
    sizes_by_round: list[list[Count]] | UnsetType = UNSET
    settled: Count | UnsetType = UNSET


class RerankAnswer(msgspec.Struct, rename="camel"):
    """A page of a ranking. `resolvedThrough`: to this place the order is certain, beyond it rounding hides it."""

    ranking_id: str
    campaign: str
    variant: str | None
    personalized_ranking: list[ToldItem]
    total: Count
    offset: Count
    limit: Count | None
    resolved_through: Count
    merge: Merge
    degraded: Degraded | None
    recommendation_ids: list[str]
    usage: Usage
    timing: Timing
    pinned: bool | UnsetType = UNSET
    plan: list[Plan] | UnsetType = UNSET


class Shelf(msgspec.Struct, rename="camel"):
    """A page of the ranking of one shelf."""

    personalized_ranking: list[ToldItem]
    total: Count
    resolved_through: Count
    recommendation_ids: list[str]


class ShelvesAnswer(msgspec.Struct, rename="camel"):
    """All shelves by name; the rest is of all of them together. Where shelves are ranked one by one (`ordinal`) there
    is no ranking of all: `resolvedThrough` is 0, and `total` counts each shelf by itself."""

    ranking_id: str
    campaign: str
    variant: str | None
    shelves: dict[str, Shelf]
    total: Count
    offset: Count
    limit: Count | None
    resolved_through: Count
    merge: Merge
    degraded: Degraded | None
    recommendation_ids: list[str]
    usage: Usage
    timing: Timing
    plan: list[Plan] | UnsetType = UNSET


class PersonalizedRankingAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetPersonalizedRanking; without calls there is no `recommendationId`."""

    personalized_ranking: list[RankedItem]
    recommendation_id: str | UnsetType = UNSET


class RecommendedItem(msgspec.Struct, rename="camel"):
    """One item of a listing; what the service left out is left out."""

    item_id: str
    score: float | UnsetType = UNSET
    promotion_name: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    reason: list[str] | UnsetType = UNSET


class RecommendationsAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetRecommendations."""

    item_list: list[RecommendedItem]
    recommendation_id: str | UnsetType = UNSET


class RecommendedAction(msgspec.Struct, rename="camel"):
    """One action of a listing."""

    action_id: str
    score: float | UnsetType = UNSET


class ActionRecommendationsAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetActionRecommendations."""

    action_list: list[RecommendedAction]
    recommendation_id: str | UnsetType = UNSET


class EventsAnswer(msgspec.Struct, rename="camel"):
    """What became of events; `framesInvalidated` is false if the cache could not be told."""

    forwarded: bool
    frames_invalidated: bool


class FramesAnswer(msgspec.Struct, rename="camel"):
    """What became of a user's frames."""

    frames_invalidated: bool


class CampaignsAnswer(msgspec.Struct, rename="camel"):
    """How the campaigns stand: policies, limits, breakers, latencies; numbers since the start. What is of all of them
    together is told where nobody is asked who calls."""

    campaigns: list[dict[str, Any]]
    requests: dict[str, Any] | UnsetType = UNSET
    cache: dict[str, Any] | UnsetType = UNSET


class LiveAnswer(msgspec.Struct, rename="camel"):
    """All numbers of the console, since the start; `all` is what all callers did together, for who may see it."""

    now_s: float
    campaigns: list[dict[str, Any]]
    calls: dict[str, Count]
    all: dict[str, Any] | None


class LogLevelAnswer(msgspec.Struct, rename="camel"):
    """How much is logged: the level in force, what is set, and the seconds until that is in force again."""

    level: Level
    usual: Level
    left_s: Count | None


class MemberFault(msgspec.Struct):
    """One member that breaks a rule; `pointer` is a JSON pointer into the request, in the form of a fragment."""

    pointer: str
    detail: str


class Problem(msgspec.Struct):
    """An error (RFC 9457). `type` is what to match on."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    instance: str
    errors: list[MemberFault] | UnsetType = UNSET


class WireError(msgspec.Struct):
    """An error as the service tells it; its code is in the header `x-amzn-ErrorType`."""

    message: str

"""The members of the requests, with their limits: one vocabulary for both APIs, that of the AWS operation.

msgspec checks while it decodes (0.25 ms for 10,000 ids). Limits are the service's documented ones where it has them
(Personalize quotas and the service model), else those of the gateway's own contract.
"""

from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec
from msgspec import Meta

from gateway.core.log_level import Level
from gateway.core.routing import ARN_PATTERN
from gateway.web.rules import Rule, needs, together_at_most

CANDIDATES_MAX: Final = 100_000
SHELVES_MAX: Final = 100
METADATA_COLUMNS_MAX: Final = 10
BODY_BYTES_MAX: Final = 16 * 1024 * 1024
DEADLINE_MS_MAX: Final = 30_000
INTEGER_MAX: Final = 2**63 - 1

ItemId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Reference: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
CampaignReference: TypeAlias = Annotated[
    Reference,
    Meta(extra_json_schema={"anyOf": [{"pattern": rf"\A{ARN_PATTERN.pattern}\Z"}, {"not": {"pattern": r"\Aarn:"}}]}),
]
"""The name of a campaign, or a well-formed ARN: `routing.resolve` refuses what only begins like one."""

Context: TypeAlias = Annotated[
    dict[Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,150}\Z")], Annotated[str, Meta(max_length=1000)]],
    Meta(max_length=150),
]
FilterValues: TypeAlias = Annotated[
    dict[Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,50}\Z")], Annotated[str, Meta(max_length=1000)]],
    Meta(max_length=25),
]
MetadataColumns: TypeAlias = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"\AITEMS\Z")],
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=150)]], Meta(max_length=METADATA_COLUMNS_MAX)],
    ],
    Meta(max_length=1),
]
InputList: TypeAlias = Annotated[list[ItemId], Meta(max_length=CANDIDATES_MAX)]


class SubjectMembers(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What all rankings take: whose it is, and under what."""

    user_id: Annotated[str, Meta(min_length=1, max_length=256)]
    context: Context | None = None
    filter_arn: Reference | None = None
    filter_values: FilterValues | None = None
    metadata_columns: MetadataColumns | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The metadata columns that are asked for, each once, in one order."""
        return tuple(sorted(set(self.metadata_columns.get("ITEMS", ())))) if self.metadata_columns else ()


Count: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
DeadlineMs: TypeAlias = Annotated[int, Meta(ge=1, le=DEADLINE_MS_MAX)]


class NativeMembers(SubjectMembers, frozen=True, rename="camel", kw_only=True):
    """What the native API can say of any ranking; null is as good as absent."""

    RULES: ClassVar[tuple[Rule, ...]] = (needs("filterValues", "filterArn", "the filter that the values are for"),)

    campaign: CampaignReference
    limit: Count | None = None
    offset: Count | None = 0
    deadline_ms: DeadlineMs | None = None
    explain: bool | None = False

    @property
    def page_begin(self) -> int:
        """How many of a ranking stand before what the caller will see."""
        return self.offset or 0

    @property
    def page_end(self) -> int | None:
        """How many of a ranking the caller will see, None for all."""
        return None if self.limit is None else self.page_begin + self.limit


class RerankRequest(NativeMembers, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """`POST /v1/rerank`; `pin` keeps the ranking for its later pages."""

    input_list: InputList
    pin: bool | None = False


Shelves: TypeAlias = Annotated[
    dict[Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{1,64}\Z")], InputList],
    Meta(min_length=1, max_length=SHELVES_MAX),
]


class ShelvesRequest(NativeMembers, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """`POST /v1/rerank/shelves`: `limit` and `offset` hold for every shelf; all of them together have as many
    candidates as one ranking may have."""

    RULES: ClassVar[tuple[Rule, ...]] = (*NativeMembers.RULES, together_at_most("shelves", CANDIDATES_MAX))

    shelves: Shelves


class PageRequest(msgspec.Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /v1/rankings/{rankingId}`."""

    limit: Count | None = None
    offset: Count = 0
    deadline_ms: DeadlineMs | None = None


class LogLevelRequest(msgspec.Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """`PUT /v1/log-level`: `for_s` seconds later what is set is in force again; without it, at the next change."""

    level: Level
    for_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None


ShortText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]


class PersonalizedRankingRequest(SubjectMembers, frozen=True, rename="camel", kw_only=True):
    """`POST /personalize-ranking`, as the AWS SDKs send it; members that the operation does not know are ignored."""

    campaign_arn: CampaignReference
    input_list: InputList

"""GetRecommendations on the wire: bytes to a typed call, a typed answer to bytes. No rule is checked here."""

from typing import Final

import msgspec

from gateway.emulator.wire import ItemsCall, PredictedItem, members_of


class Promotion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a share of the answer is reserved for; a member is None or empty if it was absent or null."""

    name: str | None = None
    percent_promoted_items: int | None = None
    filter_arn: str | None = None
    given_values: dict[str, str] | None = msgspec.field(name="filterValues", default=None)

    @property
    def filter_values(self) -> dict[str, str]:
        """Values of the filter's parameters."""
        return self.given_values or {}


class RecommendationsCall(ItemsCall, frozen=True, kw_only=True):
    """A GetRecommendations request; `num_results` is None if it was absent."""

    recommender_arn: str
    item_id: str
    num_results: int | None
    promotions: list[Promotion]

    @property
    def arn(self) -> str:
        """The campaign or the recommender that is asked."""
        return self.campaign_arn or self.recommender_arn


class RecommendationsAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetRecommendations, best item first."""

    item_list: list[PredictedItem]
    recommendation_id: str

    @property
    def listed(self) -> list[PredictedItem]:
        """What came back, under the same name in the answer of every operation."""
        return self.item_list


class _RecommendationsMembers(msgspec.Struct, rename="camel"):
    campaign_arn: str | None = None
    recommender_arn: str | None = None
    user_id: str | None = None
    item_id: str | None = None
    num_results: int | None = None
    context: dict[str, str] | None = None
    filter_arn: str | None = None
    filter_values: dict[str, str] | None = None
    promotions: list[Promotion] | None = None
    metadata_columns: dict[str, list[str]] | None = None


_MEMBERS: Final = msgspec.json.Decoder(_RecommendationsMembers)


def decode_recommendations(body: bytes) -> RecommendationsCall:
    """Read a GetRecommendations body.

    Raises:
        ServiceError: as `members_of`.
    """
    members = members_of(body, _MEMBERS)
    return RecommendationsCall(
        campaign_arn=members.campaign_arn or "",
        recommender_arn=members.recommender_arn or "",
        user_id=members.user_id or "",
        item_id=members.item_id or "",
        num_results=members.num_results,
        context=members.context or {},
        filter_arn=members.filter_arn,
        filter_values=members.filter_values or {},
        promotions=members.promotions or [],
        metadata_columns=members.metadata_columns or {},
    )

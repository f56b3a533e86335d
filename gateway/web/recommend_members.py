"""The members of GetRecommendations and GetActionRecommendations, with the limits that the service documents.

Members that the operation does not know are ignored, as the service does; null is as good as absent.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.core.question import RESULTS_MAX, RESULTS_WITH_METADATA_MAX, Operation
from gateway.web.members import CampaignReference, Context, FilterValues, ItemId, MetadataColumns, Reference, ShortText
from gateway.web.rules import Rule, at_most_where, exactly_one


class PromotionMembers(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A share of the list that is reserved for items that pass a filter."""

    name: Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}\Z")] | None = None
    percent_promoted_items: Annotated[int, Meta(ge=1, le=100)] | None = None
    filter_arn: Reference | None = None
    filter_values: FilterValues | None = None


class RecommendationsRequest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """`POST /recommendations`, as the AWS SDKs send it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one("campaignArn", "recommenderArn"),
        at_most_where("numResults", RESULTS_WITH_METADATA_MAX, "metadataColumns"),
    )

    campaign_arn: CampaignReference | None = None
    recommender_arn: CampaignReference | None = None
    user_id: ShortText | None = None
    item_id: ItemId | None = None
    num_results: Annotated[int, Meta(ge=0, le=RESULTS_MAX[Operation.RECOMMENDATIONS])] | None = None
    context: Context | None = None
    filter_arn: Reference | None = None
    filter_values: FilterValues | None = None
    promotions: Annotated[list[PromotionMembers], Meta(max_length=1)] | None = None
    metadata_columns: MetadataColumns | None = None


class ActionRecommendationsRequest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """`POST /action-recommendations`, as the AWS SDKs send it."""

    campaign_arn: CampaignReference
    user_id: ShortText | None = None
    num_results: Annotated[int, Meta(ge=0, le=RESULTS_MAX[Operation.ACTIONS])] | None = None
    filter_arn: Reference | None = None
    filter_values: FilterValues | None = None

"""GetPersonalizedRanking on the wire, and what the operations share: bytes to a typed call, a typed answer to bytes.

No rule is checked here.

Members that are absent, null or unknown are treated as AWS does: null is absent, unknown ones are ignored.
Answers carry every member of an item, null where it has no value, as the real bodies appear to.
"""

from typing import Final, TypeVar
from uuid import uuid4

import msgspec

from gateway.emulator.errors import ServiceError


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request; a required member that was absent is empty, and refused by validation."""

    campaign_arn: str
    user_id: str
    filter_arn: str | None
    filter_values: dict[str, str]

    @property
    def arn(self) -> str:
        """What is asked: a campaign, or a recommender where there may be one."""
        return self.campaign_arn


class ItemsCall(Call, frozen=True, kw_only=True):
    """A request for items."""

    context: dict[str, str]
    metadata_columns: dict[str, list[str]]


class RankingCall(ItemsCall, frozen=True, kw_only=True):
    """A GetPersonalizedRanking request."""

    input_list: list[str]


class _RankingMembers(msgspec.Struct, rename="camel"):
    campaign_arn: str | None = None
    user_id: str | None = None
    input_list: list[str] | None = None
    context: dict[str, str] | None = None
    filter_arn: str | None = None
    filter_values: dict[str, str] | None = None
    metadata_columns: dict[str, list[str]] | None = None


class PredictedItem(msgspec.Struct, rename="camel"):
    """One item of an answer; `score` is null for an item that the model does not know.

    Real bodies have one more null member, of 11 characters, that the service model does not name (derived from the
    lengths of recorded bodies); `explanation` stands in for it, so that sizes are right and clients meet a stranger.
    """

    item_id: str
    score: float | None
    promotion_name: str | None = None
    metadata: dict[str, str] | None = None
    reason: list[str] | None = None
    explanation: None = None


class RankingAnswer(msgspec.Struct, rename="camel"):
    """The answer of GetPersonalizedRanking, best item first."""

    personalized_ranking: list[PredictedItem]
    recommendation_id: str

    @property
    def listed(self) -> list[PredictedItem]:
        """What came back, under the same name in the answer of every operation."""
        return self.personalized_ranking


_MEMBERS: Final = msgspec.json.Decoder(_RankingMembers)

Members = TypeVar("Members")


def members_of(body: bytes, decoder: msgspec.json.Decoder[Members]) -> Members:
    """Read the body of any operation.

    Raises:
        ServiceError: SerializationException if the body is not JSON, InvalidInputException if a member is of the
            wrong type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:  # says what was expected and where, never the value
        raise ServiceError("InvalidInputException", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ServiceError("SerializationException", "The request body is not valid JSON") from error


def decode_ranking(body: bytes) -> RankingCall:
    """Read a GetPersonalizedRanking body.

    Raises:
        ServiceError: as `members_of`.
    """
    members = members_of(body, _MEMBERS)
    return RankingCall(
        campaign_arn=members.campaign_arn or "",
        user_id=members.user_id or "",
        input_list=members.input_list or [],
        context=members.context or {},
        filter_arn=members.filter_arn,
        filter_values=members.filter_values or {},
        metadata_columns=members.metadata_columns or {},
    )


def recommendation_id(campaign_tag: str) -> str:
    """A new id of exactly 40 characters, shaped like those of 2024; `campaign_tag` is 6 characters.

    >>> recommendation_id("4f00d1")
    'RID-1f-93a2-0c5e-7d41b0a9e6c8-CID-4f00d1'
    """
    digits = uuid4().hex
    return f"RID-{digits[:2]}-{digits[2:6]}-{digits[6:10]}-{digits[10:22]}-CID-{campaign_tag}"

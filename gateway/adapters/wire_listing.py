"""Questions and listings on the wire, for both transports: members out, and what came back checked and made canonical.

null is as good as absent, members that the service does not document are passed over, as any SDK does it; what is not
of the documented type is `Malformed`. What is kept is the JSON of the documented members alone, so that a listing is
the same whichever transport fetched it.
"""

from typing import Any, Final, TypeAlias

import msgspec

from gateway.core.errors import Malformed
from gateway.core.question import RECOMMENDER, Listing, Operation, Promotion, Question, check_listing

METHODS: Final = {
    Operation.RECOMMENDATIONS: "get_recommendations",
    Operation.ACTIONS: "get_action_recommendations",
}
"""What the SDK calls the operations."""


class _Item(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    item_id: str
    score: float | None = None
    promotion_name: str | None = None
    metadata: dict[str, str] | None = None
    reason: list[str] | None = None


class _Action(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    action_id: str
    score: float | None = None


class _Recommendations(msgspec.Struct, rename="camel", omit_defaults=True):
    item_list: list[_Item] | None = None
    recommendation_id: str | None = None


class _Actions(msgspec.Struct, rename="camel", omit_defaults=True):
    action_list: list[_Action] | None = None
    recommendation_id: str | None = None


_Said: TypeAlias = _Recommendations | _Actions

_SHAPES: Final[dict[Operation, type[_Said]]] = {
    Operation.RECOMMENDATIONS: _Recommendations,
    Operation.ACTIONS: _Actions,
}
_DECODERS: Final = {operation: msgspec.json.Decoder(shape) for operation, shape in _SHAPES.items()}


def members_of(arn: str, question: Question) -> dict[str, Any]:
    """The members of the request; what was not given is not in it."""
    subject = question.subject
    is_recommender = RECOMMENDER in arn and question.operation is Operation.RECOMMENDATIONS
    members: dict[str, Any] = {
        "recommenderArn" if is_recommender else "campaignArn": arn,
        "userId": subject.user_id,
        "itemId": question.item_id,
        "numResults": question.results,
        "context": dict(subject.context),
        **_filter(subject.filter_arn, dict(subject.filter_values)),
        "promotions": [_promotion(one) for one in question.promotions],
        "metadataColumns": {dataset: list(columns) for dataset, columns in question.columns.items()},
    }
    return {name: value for name, value in members.items() if value not in ("", None, {}, [])}


def listing_in(question: Question, body: bytes) -> Listing:
    """The checked listing in the body of an answer. Raises `Malformed`."""
    try:
        said = _DECODERS[question.operation].decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("the answer cannot be parsed") from None  # a cause would carry a piece of the body along
    return _checked(question, said)


def listing_of(question: Question, response: object) -> Listing:
    """The checked listing in what the SDK made of an answer. Raises `Malformed`."""
    try:
        said = msgspec.convert(response, _SHAPES[question.operation])
    except msgspec.ValidationError:
        raise Malformed("the answer cannot be parsed") from None
    return _checked(question, said)


def _checked(question: Question, said: _Said) -> Listing:
    listed: list[Any] | None = said.item_list if isinstance(said, _Recommendations) else said.action_list
    if listed is None and said.recommendation_id is None:
        raise Malformed("the answer has neither a list nor a recommendationId")
    entries = listed or []
    if isinstance(said, _Recommendations):
        said.item_list = entries
        names = [(one.item_id, one.promotion_name) for one in entries]
    else:
        said.action_list = entries
        names = [(one.action_id, None) for one in entries]
    check_listing(question, names, [one.score for one in entries])
    return Listing(msgspec.json.encode(said), len(entries))


def _promotion(promotion: Promotion) -> dict[str, Any]:
    members = {"name": promotion.name, "percentPromotedItems": promotion.percent}
    given = {name: value for name, value in members.items() if value is not None}
    return {**given, **_filter(promotion.filter_arn, dict(promotion.filter_values))}


def _filter(arn: str | None, values: dict[str, str]) -> dict[str, Any]:
    """A filter and its values; values without a filter are for nothing."""
    return {"filterArn": arn, "filterValues": values} if arn else {}

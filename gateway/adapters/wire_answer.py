"""The bytes of an answer -> an `Answer`, or an error of the gateway. null is as good as absent, unknown members are
passed over, and what is not of the type that the service documents is `Malformed`: msgspec checks it while it reads.
"""

from dataclasses import replace
from typing import Any, Final, TypeVar

import msgspec
import orjson

from gateway.adapters.aws_errors import Refusal, error_of
from gateway.adapters.http1 import HttpAnswer
from gateway.core.answer import Answer, check_metadata, check_typed
from gateway.core.errors import Malformed
from gateway.ports import Call

CODES: Final = ("code", "Code", "__type")
"""Where in a body the code of an error may stand; the first one counts."""


class _Item(msgspec.Struct, gc=False, rename="camel"):
    item_id: str
    score: float | None = None


class _DescribedItem(_Item, gc=False, rename="camel"):
    metadata: dict[str, str | None] | None = None


class _Ranking(msgspec.Struct, gc=False, rename="camel"):
    personalized_ranking: list[_Item]
    recommendation_id: str


class _DescribedRanking(msgspec.Struct, gc=False, rename="camel"):
    personalized_ranking: list[_DescribedItem]
    recommendation_id: str


_DECODER: Final = msgspec.json.Decoder(_Ranking)
_DESCRIBED: Final = msgspec.json.Decoder(_DescribedRanking)
"""Metadata is read only where it was asked for: real bodies have the member, null, in every item."""


AnyRanking = TypeVar("AnyRanking", _Ranking, _DescribedRanking)


def answer_of(call: Call, got: HttpAnswer) -> Answer:
    """The checked answer. Raises `Malformed`, or whatever the service said."""
    if got.status >= 300:
        raise error_of(refusal_in(got), call.subject.user_id)
    if not call.metadata_columns:
        return _checked(call, _decoded(_DECODER, got.body))
    described = _decoded(_DESCRIBED, got.body)
    metadata = check_metadata([one.metadata for one in described.personalized_ranking])
    return replace(_checked(call, described), metadata=metadata)


def _decoded(decoder: msgspec.json.Decoder[AnyRanking], body: bytes) -> AnyRanking:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("the answer cannot be parsed") from None  # a cause would carry a piece of the body along


def _checked(call: Call, ranking: _Ranking | _DescribedRanking) -> Answer:
    items = ranking.personalized_ranking
    return check_typed(
        call.items,
        [one.item_id for one in items],
        [one.score for one in items],
        ranking.recommendation_id,
        filtered=call.subject.filter_arn is not None,
    )


def refusal_in(got: HttpAnswer) -> Refusal:
    """What an answer of another status than 2xx says."""
    body = _members(got.body)
    code: Any = got.headers.get(b"x-amzn-errortype", b"").decode("latin-1")
    code = code or next((body[name] for name in CODES if body.get(name)), "")
    return Refusal(
        status=got.status,
        code=str(code).split(":", 1)[0].rsplit("#", 1)[-1],
        message=str(body.get("message") or body.get("Message") or ""),
        retry_after=got.headers.get(b"retry-after", b"").decode("latin-1"),
    )


def _members(body: bytes) -> dict[str, Any]:
    try:
        members = orjson.loads(body)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}

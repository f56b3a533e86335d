"""The bytes of an answer -> an `Answer`, or an error of the gateway. null is as good as absent, unknown members are
passed over, and what is not of the type that the service documents is `Malformed`: msgspec checks it while it reads.
"""

from typing import Any, Final

import msgspec
import orjson

from gateway.adapters.aws_errors import Refusal, error_of
from gateway.adapters.http1 import HttpAnswer
from gateway.core.answer import Answer, check_typed
from gateway.core.errors import Malformed
from gateway.ports import Call

CODES: Final = ("code", "Code", "__type")
"""Where in a body the code of an error may stand; the first one counts."""


class _Item(msgspec.Struct, gc=False, rename="camel"):
    item_id: str
    score: float | None = None


class _Ranking(msgspec.Struct, gc=False, rename="camel"):
    personalized_ranking: list[_Item]
    recommendation_id: str


_DECODER: Final = msgspec.json.Decoder(_Ranking)


def answer_of(call: Call, got: HttpAnswer) -> Answer:
    """The checked answer. Raises `Malformed`, or whatever the service said."""
    if got.status >= 300:
        raise error_of(refusal_in(got), call.subject.user_id)
    try:
        ranking = _DECODER.decode(got.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("the answer cannot be parsed") from None  # a cause would carry a piece of the body along
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

"""What the span of a call is told of its answer, by both transports."""

from dataclasses import field

import pytest

from gateway.core.errors import UpstreamError
from gateway.core.model import Subject
from gateway.core.values import dataclass
from gateway.ports import TRACE, Call, Ranker, Unrecorded
from tests.adapters.fake_upstream import Upstream, answer, ranking

CALL = Call("arn:aws:personalize:eu-west-1:000000000000:campaign/demo", Subject("demo", "u-1"), ["a", "b"])


@dataclass(frozen=True, slots=True)
class Noted(Unrecorded):
    """Keeps what it is told."""

    facts: dict[str, object] = field(default_factory=dict)

    def note(self, name: str, value: object) -> None:
        self.facts[name] = value


IDS = {"79b9da39-b7ae-508a-a6bc-864b2829c622": True, "C9ER4AJX75574TDJ": True, "no id\tbut text": False, "": False}


@pytest.mark.parametrize(("request_id", "kept"), IDS.items())
async def test_an_answers_status_and_id(ranker: Ranker, upstream: Upstream, request_id: str, kept: bool) -> None:
    """The status of an answer that is not good is noted, and the id that AWS gave the request, if it is one."""
    expected = {"aws.request_id": request_id} if kept else {}
    upstream.script = answer(b"{}", "500 Internal Server Error", x_amzn_RequestId=request_id)
    token = TRACE.set(span := Noted())
    try:
        with pytest.raises(UpstreamError):
            await ranker.rank(CALL)
        assert span.facts == {"http.response.status_code": 500, **expected}
        span.facts.clear()
        upstream.script = ranking()
        await ranker.rank(CALL)
        assert span.facts == {}
    finally:
        TRACE.reset(token)

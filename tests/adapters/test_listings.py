"""GetRecommendations and GetActionRecommendations over both transports: what goes out, and what is made of it."""

from typing import Any

import orjson
import pytest

from gateway.core import errors
from gateway.core.model import Subject
from gateway.core.question import Operation, Promotion, Question
from gateway.ports import TRACE, Ranker, Unrecorded
from tests.adapters.fake_upstream import RID, Script, Upstream, answer, reset
from tests.adapters.test_upstream_answers import CALL
from tests.adapters.test_upstream_requests import resigned
from tests.support.canaries import USER

PREFIX = "arn:aws:personalize:eu-west-1:123456789012:"
CAMPAIGN, RECOMMENDER, FILTER = f"{PREFIX}campaign/c", f"{PREFIX}recommender/r", f"{PREFIX}filter/f"
ITEMS = Question(Operation.RECOMMENDATIONS, Subject("c", USER), 3)
ACTIONS = Question(Operation.ACTIONS, Subject("c", USER), 3)
GOOD = {"itemList": [{"itemId": "b", "score": 0.5}, {"itemId": "a"}], "recommendationId": RID}


def listed(**members: Any) -> Script:
    """Answer 200 with these members beside those of a good listing."""
    return answer(orjson.dumps(GOOD | members))


async def test_a_question_is_the_operation(ranker: Ranker, upstream: Upstream) -> None:
    """Every member that was asked goes out under its documented name, on the operation's own path."""
    subject = Subject("c", 'u"🛒\\', {"DEVICE": "📱"}, FILTER, {"BRAND": '"a"'})
    promotion = Promotion("deal", 20, FILTER, {"X": '"y"'})
    question = Question(Operation.RECOMMENDATIONS, subject, 0, "é", (promotion,), {"ITEMS": ["TITLE"]})
    upstream.script = answer(orjson.dumps({"itemList": [], "recommendationId": RID}))
    await ranker.ask(CAMPAIGN, question)
    (sent,) = upstream.sent
    assert (sent.method, sent.path) == ("POST", "/recommendations")
    assert sent.members == {
        "campaignArn": CAMPAIGN,
        "userId": 'u"🛒\\',
        "itemId": "é",
        "numResults": 0,
        "context": {"DEVICE": "📱"},
        "filterArn": FILTER,
        "filterValues": {"BRAND": '"a"'},
        "promotions": [{"name": "deal", "percentPromotedItems": 20, "filterArn": FILTER, "filterValues": {"X": '"y"'}}],
        "metadataColumns": {"ITEMS": ["TITLE"]},
    }


async def test_what_was_not_asked_is_not_sent(ranker: Ranker, upstream: Upstream) -> None:
    """Members that were left out are left out upstream: their defaults are the service's."""
    upstream.script = listed()
    await ranker.ask(CAMPAIGN, Question(Operation.RECOMMENDATIONS, Subject("c", "")))
    assert upstream.sent[0].members == {"campaignArn": CAMPAIGN}


async def test_a_recommender_is_asked_as_one(ranker: Ranker, upstream: Upstream) -> None:
    """The ARN of a recommender goes out as `recommenderArn`, by whichever name the caller knew it."""
    upstream.script = listed()
    await ranker.ask(RECOMMENDER, ITEMS)
    assert upstream.sent[0].members == {"recommenderArn": RECOMMENDER, "userId": USER, "numResults": 3}


async def test_actions_have_their_own_path(ranker: Ranker, upstream: Upstream) -> None:
    """GetActionRecommendations goes to its path, and its answer is a list of actions."""
    upstream.script = answer(b'{"actionList":[{"actionId":"x","score":0.1},{"actionId":"y"}],"recommendationId":"R"}')
    got = await ranker.ask(CAMPAIGN, ACTIONS)
    assert upstream.sent[0].path == "/action-recommendations"
    assert upstream.sent[0].members == {"campaignArn": CAMPAIGN, "userId": USER, "numResults": 3}
    assert orjson.loads(got.body) == {
        "actionList": [{"actionId": "x", "score": 0.1}, {"actionId": "y"}],
        "recommendationId": "R",
    }
    assert got.entries == 2


@pytest.mark.parametrize("question", [ITEMS, ACTIONS])
async def test_questions_are_signed(ranker: Ranker, upstream: Upstream, question: Question) -> None:
    """The signature of either operation is the one that botocore gives to its path."""
    upstream.script = answer(b'{"itemList":[],"actionList":[],"recommendationId":"R"}')
    await ranker.ask(CAMPAIGN, question)
    (sent,) = upstream.sent
    assert sent.headers["authorization"] == resigned(sent, upstream.url, "eu-west-1")


async def test_a_good_listing_as_an_sdk_sees_it(ranker: Ranker, upstream: Upstream) -> None:
    """Documented members arrive as they were sent; nulls, and members that nobody knows, are as good as absent."""
    item = {"itemId": "c", "score": None, "promotionName": "deal", "metadata": {"title": "é"}, "reason": ["Popular"]}
    upstream.script = listed(itemList=[{**item, "explanation": None, "new": [1]}], somethingNew=1)
    got = await ranker.ask(CAMPAIGN, ITEMS)
    del item["score"]
    assert orjson.loads(got.body) == {"itemList": [item], "recommendationId": RID}
    assert got.entries == 1


NOTHING: dict[str, dict[str, Any]] = {
    "null list": {"itemList": None, "recommendationId": RID},
    "no list": {"recommendationId": RID},
    "empty": {"itemList": [], "recommendationId": RID},
}


@pytest.mark.parametrize("name", NOTHING)
async def test_nothing_is_an_empty_list(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """However the service says that it has nothing, the listing is an empty one with the service's id."""
    upstream.script = answer(orjson.dumps(NOTHING[name]))
    got = await ranker.ask(CAMPAIGN, ITEMS)
    assert orjson.loads(got.body) == {"itemList": [], "recommendationId": RID}


async def test_no_id_is_made_up(ranker: Ranker, upstream: Upstream) -> None:
    """An answer without a `recommendationId` is passed on without one."""
    upstream.script = answer(b'{"itemList":[{"itemId":"a"}]}')
    assert orjson.loads((await ranker.ask(CAMPAIGN, ITEMS)).body) == {"itemList": [{"itemId": "a"}]}


BAD: dict[str, bytes] = {
    "no JSON": b"<html>",
    "torn JSON": b'{"itemList":[{"itemId":"a"',
    "nothing of it": b"{}",
    "a list": b"[]",
    "text for a list": b'{"itemList":"a","recommendationId":"R"}',
    "text for a score": b'{"itemList":[{"itemId":"a","score":"high"}],"recommendationId":"R"}',
    "NaN": b'{"itemList":[{"itemId":"a","score":NaN}],"recommendationId":"R"}',
    "negative": b'{"itemList":[{"itemId":"a","score":-1}],"recommendationId":"R"}',
    "no id": b'{"itemList":[{"score":0.5}],"recommendationId":"R"}',
    "twice": b'{"itemList":[{"itemId":"a"},{"itemId":"a"}],"recommendationId":"R"}',
    "too many": b'{"itemList":[{"itemId":"a"},{"itemId":"b"},{"itemId":"c"},{"itemId":"d"}],"recommendationId":"R"}',
    "number in metadata": b'{"itemList":[{"itemId":"a","metadata":{"PRICE":1}}],"recommendationId":"R"}',
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_believed_is_a_failed_call(ranker: Ranker, upstream: Upstream, name: str) -> None:
    """An answer that breaks the operation's contract is retryable, and no item of it gets through."""
    upstream.script = answer(BAD[name])
    with pytest.raises(errors.Malformed) as raised:
        await ranker.ask(CAMPAIGN, ITEMS)
    assert raised.value.retryable
    assert len(upstream.sent) == 1


def refusing(code: str, status: str) -> Script:
    """Answer with an error of the service that names the user."""
    return answer(orjson.dumps({"message": f"no {USER}"}), status, x_amzn_ErrorType=f"{code}:http://x")


SAID = [
    (refusing("InvalidInputException", "400 Bad Request"), errors.InvalidInput),
    (refusing("ResourceNotFoundException", "404 Not Found"), errors.UnknownResource),
    (refusing("ThrottlingException", "400 Bad Request"), errors.Throttled),
    (refusing("AccessDeniedException", "403 Forbidden"), errors.AccessDenied),
    (answer(b"oops", "500 Internal Server Error"), errors.Unavailable),
    (answer(b"", "302 Found", Location="http://127.0.0.1:1/"), errors.Unavailable),
    (reset, errors.Unavailable),
]


@pytest.mark.parametrize(("script", "kind"), SAID)
async def test_errors_are_those_of_rankings(ranker: Ranker, upstream: Upstream, script: Script, kind: Any) -> None:
    """Each thing that a service can say becomes the gateway's error for it, without the user's id."""
    upstream.script = script
    with pytest.raises(kind) as raised:
        await ranker.ask(CAMPAIGN, ITEMS)
    assert USER not in str(raised.value)


async def test_a_message_survives_a_question_without_a_user(ranker: Ranker, upstream: Upstream) -> None:
    """Where no user was named there is none to blot out: the service's words arrive whole."""
    upstream.script = answer(b'{"message":"bad item"}', "400 Bad Request", x_amzn_ErrorType="InvalidInputException")
    with pytest.raises(errors.InvalidInput, match=r"^bad item$"):
        await ranker.ask(CAMPAIGN, Question(Operation.RECOMMENDATIONS, Subject("c", ""), item_id="i"))


TRACED = (("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("tracestate", "a=1,b=2"))


async def test_a_trace_goes_along_unsigned(ranker: Ranker, upstream: Upstream) -> None:
    """A call carries the trace of the request that it is made for, and the next one, without a trace, none.

    The signature does not cover it, and holds all the same.
    """
    upstream.script = listed()
    token = TRACE.set(Unrecorded(TRACED))
    await ranker.ask(CAMPAIGN, ITEMS)
    upstream.script = None
    await ranker.rank(CALL)
    TRACE.reset(token)
    await ranker.rank(CALL)
    for sent in upstream.sent[:2]:
        assert {name: sent.headers[name] for name, _ in TRACED} == dict(TRACED)
        assert "trace" not in sent.headers["authorization"]
        assert sent.headers["authorization"] == resigned(sent, upstream.url, "eu-west-1")
    assert "traceparent" not in upstream.sent[2].headers

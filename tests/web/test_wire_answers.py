"""`POST /personalize-ranking`: the shape of the AWS operation, and nothing that an SDK would not expect."""

import pytest

from gateway.core.errors import Unavailable
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, WIRE, Client, ask, ideal, items, order, send, wire


async def test_the_answer_is_the_operations(client: Client) -> None:
    """An answer has the two members of the operation's output, and entries have id and score."""
    answer = await ask(client, WIRE, wire())
    assert answer.keys() == {"personalizedRanking", "recommendationId"}
    assert all(one.keys() == {"itemId", "score"} for one in answer["personalizedRanking"])
    assert answer["recommendationId"] == "RID-0"


async def test_headers_of_an_answer(client: Client) -> None:
    """An answer carries the request id under both names, what it cost, and a bare JSON content type."""
    response = await send(client, WIRE, wire(), **{"X-Request-Id": "abc-1"})
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["x-amzn-RequestId"] == response.headers["X-Request-Id"] == "abc-1"
    assert response.headers["Gateway-Upstream-Calls"] == "1"
    assert "total;dur=" in response.headers["Server-Timing"]
    assert "Gateway-Degraded" not in response.headers


async def test_more_than_500_candidates_come_back_as_one_ranking(client: Client) -> None:
    """The one thing that the service cannot do: 900 candidates in, 900 out, in the order of one softmax."""
    answer = await ask(client, WIRE, wire(items(900)))
    assert order(answer) == ideal(items(900))
    assert sum(one["score"] for one in answer["personalizedRanking"]) == pytest.approx(1.0, abs=1e-9)


async def test_the_recommendation_id_is_that_of_the_first_items_call(client: Client, ranker: SoftmaxRanker) -> None:
    """With several calls the id is the one of a call that was asked for the first item."""
    answer = await ask(client, WIRE, wire(items(900)))
    number = int(answer["recommendationId"].removeprefix("RID-"))
    assert len(ranker.calls) == 2
    assert order(answer)[0] in ranker.calls[number].items


async def test_an_empty_list_has_no_recommendation_id(client: Client, ranker: SoftmaxRanker) -> None:
    """An empty list is answered empty without a call, and an id is not made up for it."""
    response = await send(client, WIRE, wire([]))
    assert await response.json() == {"personalizedRanking": []}
    assert response.headers["Gateway-Upstream-Calls"] == "0"
    assert ranker.calls == []


@pytest.mark.parametrize("reference", ["demo", ARN])
async def test_a_campaign_goes_by_name_and_by_arn(client: Client, ranker: SoftmaxRanker, reference: str) -> None:
    """`campaignArn` takes the ARN, or the name under which it is configured; the call goes to the ARN."""
    await ask(client, WIRE, wire(campaignArn=reference))
    assert [call.arn for call in ranker.calls] == [ARN]


async def test_unknown_and_null_members_are_ignored(client: Client) -> None:
    """Members that the operation does not have, and members that are null, change nothing."""
    strange = wire(limit=1, numResults=3, context=None, filterArn=None, filterValues=None, metadataColumns=None)
    assert order(await ask(client, WIRE, strange)) == ideal(items(3))


@pytest.mark.parametrize("content_type", ["application/json", "application/x-amz-json-1.1", "text/plain"])
async def test_any_content_type_is_taken(client: Client, content_type: str) -> None:
    """SDKs differ in the content type that they send, so the wire route looks at the body alone."""
    assert (await send(client, WIRE, wire(), **{"Content-Type": content_type})).status == 200


async def test_a_degraded_answer_says_so_in_its_header(connect: Connect) -> None:
    """The body of the operation cannot tell a degraded answer, so the header does; entries keep their shape."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda n, _: Unavailable("x") if n else None))
    response = await send(client, WIRE, wire(items(700)))
    assert response.headers["Gateway-Degraded"] == "upstream"
    entries = (await response.json())["personalizedRanking"]
    assert len(entries) == 700
    assert {frozenset(one) for one in entries} == {frozenset({"itemId", "score"}), frozenset({"itemId"})}

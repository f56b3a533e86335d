"""`POST /recommendations` and `POST /action-recommendations`: the service's shapes, rules, errors, and our headers."""

from typing import Any

import orjson
import pytest

from gateway.core.errors import AccessDenied, Throttled, Unavailable
from gateway.core.question import Operation
from gateway.core.routing import Campaign
from gateway.web.recommend_api import QUESTION_BYTES_MAX
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.listing_ranker import ListingRanker
from tests.web.conftest import LONG_MS, Connect
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import Client, refused, send

ITEMS, ACTIONS = "/recommendations", "/action-recommendations"
RECOMMENDER = "arn:aws:personalize:us-east-1:000000000000:recommender/for-you"
FILTER = "arn:aws:personalize:us-east-1:000000000000:filter/f"
CAMPAIGNS = {"demo": Campaign("demo", ARN), "for-you": Campaign("for-you", RECOMMENDER)}
ASKED: dict[str, Any] = {"campaignArn": "demo", "userId": USER}
WHOLE: dict[str, Any] = {
    **ASKED,
    "itemId": "p1",
    "numResults": 3,
    "context": {"DEVICE": "mobile"},
    "filterArn": FILTER,
    "filterValues": {"BRAND": '"x"'},
    "promotions": [
        {"name": "deal", "percentPromotedItems": 20, "filterArn": FILTER, "filterValues": {"CATEGORY": '"y"'}}
    ],
    "metadataColumns": {"ITEMS": ["TITLE"]},
}


@pytest.fixture
def ranker() -> ListingRanker:
    """Answers every question."""
    return ListingRanker()


@pytest.fixture
async def client(connect: Connect) -> Client:
    """A client of a gateway with a campaign and a recommender."""
    return await connect(campaigns=CAMPAIGNS)


async def test_every_documented_parameter_arrives(client: Client, ranker: ListingRanker) -> None:
    """What the caller asked is what the campaign is asked, member by member, and the answer is the campaign's own."""
    response = await send(client, ITEMS, WHOLE)
    assert response.status == 200
    assert orjson.loads(await response.read()) == {
        "itemList": [{"itemId": "e-0"}, {"itemId": "e-1"}, {"itemId": "e-2"}],
        "recommendationId": "RID-0",
    }
    ((arn, question),) = ranker.asked
    subject, (promotion,) = question.subject, question.promotions
    assert (arn, question.operation, question.results, question.item_id) == (
        ARN, Operation.RECOMMENDATIONS, 3, "p1"
    )  # fmt: skip
    assert (subject.campaign, subject.user_id, subject.context) == ("demo", USER, {"DEVICE": "mobile"})
    assert (subject.filter_arn, subject.filter_values) == (FILTER, {"BRAND": '"x"'})
    assert (promotion.name, promotion.percent) == ("deal", 20)
    assert (promotion.filter_arn, promotion.filter_values) == (FILTER, {"CATEGORY": '"y"'})
    assert question.columns == {"ITEMS": ["TITLE"]}


async def test_actions_arrive(client: Client, ranker: ListingRanker) -> None:
    """GetActionRecommendations takes its own members and answers with actions."""
    members = {**ASKED, "numResults": 1, "filterArn": FILTER, "filterValues": {"X": '"y"'}}
    response = await send(client, ACTIONS, members)
    assert orjson.loads(await response.read()) == {"actionList": [{"actionId": "e-0"}], "recommendationId": "RID-0"}
    ((_, question),) = ranker.asked
    assert (question.operation, question.results, question.subject.filter_arn) == (Operation.ACTIONS, 1, FILTER)


@pytest.mark.parametrize("member", ["campaignArn", "recommenderArn"])
@pytest.mark.parametrize(("reference", "arn"), [("for-you", RECOMMENDER), (RECOMMENDER, RECOMMENDER), ("demo", ARN)])
async def test_campaigns_and_recommenders_by_name_or_arn(
    client: Client, ranker: ListingRanker, member: str, reference: str, arn: str
) -> None:
    """What is configured may be called by its name or its ARN, under either member."""
    assert (await send(client, ITEMS, {member: reference, "userId": USER})).status == 200
    assert ranker.asked[0][0] == arn


async def test_null_is_absent(client: Client, ranker: ListingRanker) -> None:
    """Members that are null, and members that the operation does not know, change nothing."""
    nulls = dict.fromkeys(set(WHOLE) - set(ASKED)) | {"recommenderArn": None, "new": {"a": 1}}
    assert (await send(client, ITEMS, {**ASKED, **nulls})).status == 200
    assert (await send(client, ITEMS, ASKED)).status == 200
    assert len(ranker.asked) == 1


async def test_a_kept_answer_says_what_it_cost(client: Client) -> None:
    """Equal questions give equal bytes; headers tell calls, times, and nothing of degradation."""
    first, second = [await send(client, ITEMS, WHOLE) for _ in range(2)]
    assert await first.read() == await second.read()
    assert [one.headers["Gateway-Upstream-Calls"] for one in (first, second)] == ["1", "0"]
    assert all("total;dur=" in one.headers["Server-Timing"] for one in (first, second))
    assert all(one.headers["x-amzn-RequestId"] == one.headers["X-Request-Id"] for one in (first, second))
    assert not any("Gateway-Degraded" in one.headers for one in (first, second))


async def test_an_event_through_the_gateway_makes_the_next_one_fresh(client: Client, ranker: ListingRanker) -> None:
    """After PutEvents of the user the same question is asked anew; without it, it is not."""
    click = {"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p1"}
    for path in (ITEMS, ACTIONS):
        await send(client, path, ASKED)
        await send(client, path, ASKED)
    assert len(ranker.asked) == 2
    await send(client, "/events", {"trackingId": "t", "userId": USER, "sessionId": "s", "eventList": [click]})
    for path in (ITEMS, ACTIONS):
        await send(client, path, ASKED)
    assert len(ranker.asked) == 4


async def test_a_stale_answer_is_flagged(connect: Connect) -> None:
    """A listing past its time says so in a header, in the service's shape all the same."""
    client = await connect(ranker=ListingRanker(), fresh_s=0.0, stale_s=300.0)
    first, second = [await send(client, ITEMS, ASKED) for _ in range(2)]
    assert first.headers.get("Gateway-Degraded") is None
    assert (second.status, second.headers["Gateway-Degraded"]) == (200, "stale")


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "no ARN": (ITEMS, {"campaignArn": "arn:aws:personalize:x", "userId": "u"}),
    "no ARN of a recommender": (ITEMS, {"recommenderArn": "arn:aws:s3:::b", "userId": "u"}),
    "no campaign of actions": (ACTIONS, {"userId": "u"}),
    "a list": (ITEMS, []),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_rules_are_told_at_the_door(client: Client, ranker: ListingRanker, name: str) -> None:
    """What the service would refuse is refused before it costs a call, with the service's own code."""
    response = await send(client, *BROKEN[name])
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")
    assert set(orjson.loads(await response.read())) == {"message"}
    assert ranker.asked == []


@pytest.mark.parametrize("reference", ["other", f"{ARN}-2", RECOMMENDER.replace("for-you", "x")])
async def test_what_is_not_configured_cannot_be_called(client: Client, ranker: ListingRanker, reference: str) -> None:
    """Where campaigns are configured, nothing else is callable: no relay for anybody's recommenders."""
    status, _ = await refused(client, ITEMS, {"campaignArn": reference, "userId": "u"})
    assert (status, ranker.asked) == (404, [])


async def test_where_none_is_configured_any_arn_is_callable(connect: Connect, ranker: ListingRanker) -> None:
    """Without configured campaigns a recommender is called by its ARN, and a name is refused."""
    client = await connect(campaigns={})
    assert (await send(client, ITEMS, {"recommenderArn": RECOMMENDER, "userId": "u"})).status == 200
    assert ranker.asked[0][0] == RECOMMENDER
    assert (await refused(client, ITEMS, ASKED))[0] == 400


FAILURES = [
    (Throttled("slow down"), 429, "ThrottlingException"),
    (Unavailable("down"), 503, "ServiceUnavailable"),
    (AccessDenied("no"), 503, "ServiceUnavailable"),
    ("hang", 504, "GatewayTimeout"),
]


@pytest.mark.parametrize(("failure", "status", "code"), FAILURES)
@pytest.mark.parametrize("path", [ITEMS, ACTIONS])
async def test_upstream_failures_in_the_services_words(
    connect: Connect, path: str, failure: Any, status: int, code: str
) -> None:
    """When there is nothing to answer with, an SDK raises what it raises for the service."""
    client = await connect(
        ranker=ListingRanker(fails=lambda _: failure), server={"deadline_ms": 100 if failure == "hang" else LONG_MS}
    )
    response = await send(client, path, ASKED)
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (status, code)
    assert USER not in await response.text()


async def test_the_access_line_says_what_it_cost(client: Client, lines: list[Any]) -> None:
    """The access line of a question tells calls and where the answer came from, and names neither user nor item."""
    for _ in range(2):
        await send(client, ITEMS, {**ASKED, "itemId": "canary-item"})
    told = [line for line in lines if line.get("route") == ITEMS]
    assert [(line["from_cache"], line["upstream_calls"], line["entries"]) for line in told] == [
        (False, 1, 2),
        (True, 0, 2),
    ]
    assert "canary" not in str(lines)
    assert USER not in str(told)


async def test_numbers_stand_with_those_of_the_cache(client: Client) -> None:
    """`GET /v1/campaigns` tells what the cache was worth to questions."""
    for _ in range(3):
        await send(client, ITEMS, ASKED)
    body = orjson.loads(await (await client.get("/v1/campaigns")).read())
    assert body["cache"]["listings"]["hits"] == 2
    assert body["cache"]["listings"]["misses"] == 1


async def two_tenants(connect: Connect) -> Client:
    """A gateway whose second tenant may call one of the two campaigns."""
    tenants = auth("keys", shop=tenant("shop"), app=tenant("app", campaigns=["for-you"]))
    return await connect(auth=tenants, campaigns=CAMPAIGNS)


@pytest.mark.parametrize("path", [ITEMS, ACTIONS])
async def test_who_calls_is_asked(connect: Connect, ranker: ListingRanker, path: str) -> None:
    """Where `auth` is set, a caller without a key gets nothing, and one with a key its own campaigns alone."""
    client = await two_tenants(connect)
    refusals = [
        ({}, "demo", "MissingAuthenticationTokenException"),
        ({"Authorization": "Bearer nobody"}, "demo", "UnrecognizedClientException"),
        (bearer("app"), "demo", "AccessDeniedException"),
        (bearer("app"), "nowhere", "AccessDeniedException"),
        (bearer("shop"), "nowhere", "ResourceNotFoundException"),
    ]
    for headers, reference, code in refusals:
        response = await send(client, path, {**ASKED, "campaignArn": reference}, **headers)
        assert (response.headers["x-amzn-ErrorType"], ranker.asked) == (code, [])
    for name, reference in (("shop", "demo"), ("shop", "for-you"), ("app", "for-you")):
        response = await send(client, path, {**ASKED, "campaignArn": reference}, **bearer(name))
        assert response.status == 200


async def test_listings_are_each_tenants_own(connect: Connect, ranker: ListingRanker) -> None:
    """What one tenant was answered answers nobody else, and an event of one leaves the other's listings alive."""
    client = await two_tenants(connect)
    asked = {"recommenderArn": "for-you", "userId": USER}

    async def calls(name: str) -> str:
        return (await send(client, ITEMS, asked, **bearer(name))).headers["Gateway-Upstream-Calls"]

    assert [await calls(name) for name in ("shop", "app", "shop", "app")] == ["1", "1", "0", "0"]
    await client.delete(f"/v1/users/{USER}/frames", headers=bearer("shop"))
    assert [await calls(name) for name in ("app", "shop")] == ["0", "1"]
    assert {question.subject.tenant for _, question in ranker.asked} == {"shop", "app"}


def test_the_longest_question_fits() -> None:
    """All that may be asked, every character escaped, is within that size."""
    name, escaped = "A" * 47, len(r"\ud83d\ude00")
    values = {f"{name}{place:03}": 1_000 for place in range(25)}
    context = {f"{'A' * 147}{place:03}": 1_000 for place in range(150)}
    longest = sum(6 * len(key) + escaped * count for key, count in [*context.items(), *(2 * [*values.items()])])
    assert longest + 12 * 256 * 8 + 10 * 12 * 150 < QUESTION_BYTES_MAX

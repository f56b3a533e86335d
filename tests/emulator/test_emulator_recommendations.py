"""GetRecommendations over a real socket: what each recipe answers, promotions, metadata, limits, refusals."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator.config import CampaignConfig, EmulatorConfig
from gateway.emulator.server import build_app

Client = TestClient[Any, Any]

PATH = "/recommendations"
PREFIX = "arn:aws:personalize:us-east-1:000000000000:"
FOR_USER = {"campaignArn": f"{PREFIX}campaign/demo-recommendations", "userId": "user-1"}
RELATED = {"campaignArn": f"{PREFIX}campaign/demo-related", "itemId": "p00007"}
RECOMMENDER = f"{PREFIX}recommender/for-you"


async def answer(client: Client, members: dict[str, Any], path: str = PATH) -> dict[str, Any]:
    """The answer to a call, which must be accepted."""
    async with client.post(path, json=members) as response:
        assert response.status == 200, await response.text()
        body: dict[str, Any] = orjson.loads(await response.read())
        return body


def ids(body: dict[str, Any]) -> list[str]:
    """The ids of the items of an answer."""
    return [item["itemId"] for item in body["itemList"]]


async def test_the_best_of_the_catalogue(client: Client) -> None:
    """A user gets the 25 items that a ranking of everything has first, with falling scores, nulls and a CID."""
    body = await answer(client, FOR_USER)
    everything = [f"p{number:05}" for number in range(1, 10_001)]
    ideal = await answer(
        client,
        {"campaignArn": f"{PREFIX}campaign/demo", "userId": "user-1", "inputList": everything},
        "/_emulator/oracle",
    )
    assert ids(body) == [item["itemId"] for item in ideal["personalizedRanking"][:25]]
    scores = [item["score"] for item in body["itemList"]]
    assert all(one >= other for one, other in pairwise(scores))
    assert 0 < sum(scores) < 1
    first = body["itemList"][0]
    assert len(first) == 6
    assert [first[name] for name in ("promotionName", "metadata", "reason")] == [None] * 3
    assert (len(body["recommendationId"]), body["recommendationId"][29:34]) == (40, "-CID-")


@pytest.mark.parametrize("count", [0, 1, 26, 500])
async def test_as_many_as_asked(client: Client, count: int) -> None:
    """`numResults` items come, each once."""
    found = ids(await answer(client, FOR_USER | {"numResults": count}))
    assert len(found) == len(set(found)) == count


async def test_null_members_are_absent(client: Client) -> None:
    """A member that is null, and one that nobody knows, changes nothing."""
    nothing = dict.fromkeys(
        ("recommenderArn", "itemId", "numResults", "context", "filterArn", "promotions", "metadataColumns", "more")
    )
    assert ids(await answer(client, FOR_USER | nothing)) == ids(await answer(client, FOR_USER))


async def test_related_items_are_of_the_same_kind(client: Client) -> None:
    """Items like one item are mostly of its category, are not the item itself, and have no scores."""
    asked = RELATED | {"metadataColumns": {"ITEMS": ["CATEGORY"]}, "numResults": 50}
    body = await answer(client, asked)
    own = await answer(
        client,
        {
            "campaignArn": f"{PREFIX}campaign/demo",
            "userId": "u",
            "inputList": ["p00007"],
            "metadataColumns": {"ITEMS": ["CATEGORY"]},
        },
        "/personalize-ranking",
    )
    category = own["personalizedRanking"][0]["metadata"]
    alike = [item["metadata"] == category for item in body["itemList"]]
    assert sum(alike) > 40  # one in 25 by chance
    assert "p00007" not in ids(body)
    assert {item["score"] for item in body["itemList"]} == {None}


async def test_an_unknown_item_has_popular_neighbours(client: Client) -> None:
    """For an item that the model does not know come the most popular ones."""
    listed = orjson.loads(await (await client.get("/_emulator/items?limit=25")).read())
    assert ids(await answer(client, RELATED | {"itemId": "strange"})) == [item["itemId"] for item in listed["items"]]


async def test_an_event_moves_recommendations(client: Client, click: dict[str, Any]) -> None:
    """What a user did shows in the user's next recommendations, and in nobody else's."""
    other = FOR_USER | {"userId": "user-2"}
    before, of_other = ids(await answer(client, FOR_USER)), ids(await answer(client, other))
    async with client.post("/events", json=click) as response:
        assert response.status == 200
    assert ids(await answer(client, FOR_USER)) != before
    assert ids(await answer(client, other)) == of_other


async def test_a_promotion_without_a_filter(client: Client) -> None:
    """A fifth of the places goes to promoted items, named and in their own order; the rest keeps its order."""
    promotion = {"name": "in-house", "percentPromotedItems": 20}
    body = await answer(client, FOR_USER | {"numResults": 50, "promotions": [promotion]})
    promoted = [item for item in body["itemList"] if item["promotionName"] == "in-house"]
    others = [item for item in body["itemList"] if item["promotionName"] is None]
    assert (len(promoted), len(others)) == (10, 40)
    assert {item["reason"][0] for item in promoted} == {"Promoted item"}
    for items in (promoted, others):
        assert all(one["score"] >= other["score"] for one, other in pairwise(items))
    assert [item["itemId"] for item in body["itemList"][:10]] != [item["itemId"] for item in promoted]


async def test_a_recommender_gives_no_scores(aiohttp_client: Any) -> None:
    """A domain recommender is asked by `recommenderArn` and gives items in order without scores."""
    recommender = CampaignConfig(arn=RECOMMENDER, recipe="aws-ecomm-recommended-for-you")
    campaign = CampaignConfig(arn=FOR_USER["campaignArn"], recipe="aws-user-personalization")
    client = await aiohttp_client(build_app(EmulatorConfig(campaigns=(recommender, campaign))))
    body = await answer(client, {"recommenderArn": RECOMMENDER, "userId": "user-1"})
    assert ids(body) == ids(await answer(client, FOR_USER))
    assert {item["score"] for item in body["itemList"]} == {None}
    for asked in ({"campaignArn": RECOMMENDER}, {"recommenderArn": FOR_USER["campaignArn"]}):
        async with client.post(PATH, json=asked | {"userId": "user-1"}) as response:
            assert response.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"


async def test_your_own_data_have_the_four_campaigns(own_data: Client) -> None:
    """A model learnt from CSVs answers every operation under the ARNs of the built-in store."""
    liked = ids(await answer(own_data, FOR_USER | {"userId": "u0", "numResults": 15}))
    alike = ids(await answer(own_data, RELATED | {"itemId": "i4", "numResults": 15}))
    for found in (liked, alike):
        assert [int(item_id[1:]) % 2 for item_id in found].count(0) > 10
    actions = await answer(
        own_data, {"campaignArn": f"{PREFIX}campaign/demo-actions", "userId": "u0"}, "/action-recommendations"
    )
    assert len(actions["actionList"]) == 5


# Every rule of GetRecommendations and GetActionRecommendations, broken once: (path, members, status, code, message).
INVALID = (400, "InvalidInputException")
NOT_FOUND = (404, "ResourceNotFoundException")
PROMOTION = {"name": "deal", "percentPromotedItems": 10}
ACTIONS = "/action-recommendations"
FOR_ACTIONS = {"campaignArn": f"{PREFIX}campaign/demo-actions", "userId": "user-1"}
REFUSED: list[tuple[str, dict[str, Any], tuple[int, str], str]] = [
    (PATH, {"userId": "u"}, INVALID, "campaignArn"),
    (PATH, FOR_USER | {"recommenderArn": RECOMMENDER}, INVALID, "campaignArn"),
    (PATH, FOR_USER | {"campaignArn": "arn:aws:s3:::bucket"}, INVALID, "campaignArn"),
    (PATH, {"recommenderArn": "arn:aws:s3:::bucket", "userId": "u"}, INVALID, "recommenderArn"),
    (PATH, {"recommenderArn": RECOMMENDER, "userId": "u"}, NOT_FOUND, "recommender/for-you"),
    (PATH, FOR_USER | {"campaignArn": f"{PREFIX}campaign/other"}, NOT_FOUND, "campaign/other"),
    (PATH, FOR_USER | {"campaignArn": f"{PREFIX}campaign/demo"}, INVALID, "GetPersonalizedRanking"),
    (PATH, FOR_ACTIONS, INVALID, "GetActionRecommendations"),
    (PATH, FOR_USER | {"userId": None}, INVALID, "userId is required"),
    (PATH, FOR_USER | {"userId": "u" * 257}, INVALID, "userId"),
    (PATH, RELATED | {"itemId": ""}, INVALID, "itemId is required"),
    (PATH, RELATED | {"itemId": "i" * 257}, INVALID, "itemId"),
    (PATH, FOR_USER | {"numResults": -1}, INVALID, "numResults"),
    (PATH, FOR_USER | {"numResults": 501}, INVALID, "numResults"),
    (PATH, FOR_USER | {"numResults": "5"}, INVALID, "numResults"),
    (PATH, FOR_USER | {"numResults": 51, "metadataColumns": {"ITEMS": ["TITLE"]}}, INVALID, "numResults"),
    (PATH, FOR_USER | {"metadataColumns": {"ITEMS": ["COLOUR"]}}, INVALID, "metadataColumns"),
    (PATH, FOR_USER | {"metadataColumns": {"ITEMS": ["TITLE"] * 11}}, INVALID, "metadataColumns"),
    (PATH, FOR_USER | {"context": {"a b": "c"}}, INVALID, "context"),
    (PATH, FOR_USER | {"filterArn": "bought"}, INVALID, "filterArn"),
    (PATH, FOR_USER | {"filterArn": f"{PREFIX}filter/other"}, NOT_FOUND, "filter/other"),
    (PATH, FOR_USER | {"promotions": [PROMOTION] * 2}, INVALID, "'promotions'"),
    (PATH, FOR_USER | {"promotions": [PROMOTION | {"name": "-"}]}, INVALID, "promotions.1.member.name"),
    (PATH, FOR_USER | {"promotions": [PROMOTION | {"percentPromotedItems": 0}]}, INVALID, "percentPromotedItems"),
    (PATH, FOR_USER | {"promotions": [PROMOTION | {"percentPromotedItems": 101}]}, INVALID, "percentPromotedItems"),
    (PATH, FOR_USER | {"promotions": [PROMOTION | {"filterArn": "bought"}]}, INVALID, "promotions.1.member.filterArn"),
    (PATH, FOR_USER | {"promotions": [PROMOTION | {"filterArn": f"{PREFIX}filter/x"}]}, NOT_FOUND, "filter/x"),
    (ACTIONS, {"userId": "u"}, INVALID, "campaignArn"),
    (ACTIONS, FOR_ACTIONS | {"campaignArn": "demo"}, INVALID, "campaignArn"),
    (ACTIONS, FOR_ACTIONS | {"campaignArn": f"{PREFIX}campaign/other"}, NOT_FOUND, "campaign/other"),
    (ACTIONS, FOR_USER, INVALID, "GetRecommendations"),
    (ACTIONS, FOR_ACTIONS | {"userId": ""}, INVALID, "userId is required"),
    (ACTIONS, FOR_ACTIONS | {"userId": "u" * 257}, INVALID, "userId"),
    (ACTIONS, FOR_ACTIONS | {"numResults": -1}, INVALID, "numResults"),
    (ACTIONS, FOR_ACTIONS | {"numResults": 101}, INVALID, "numResults"),
    (ACTIONS, FOR_ACTIONS | {"filterArn": f"{PREFIX}filter/other"}, NOT_FOUND, "filter/other"),
    (ACTIONS, FOR_ACTIONS | {"filterValues": {"a-b": "c"}}, INVALID, "filterValues"),
]


@pytest.mark.parametrize(("path", "members", "refused", "message"), REFUSED)
async def test_refusals(
    client: Client, path: str, members: dict[str, Any], refused: tuple[int, str], message: str
) -> None:
    """A call that breaks a rule gets its status and code, and a message that names the member or the resource."""
    async with client.post(path, json=members) as response:
        body = orjson.loads(await response.read())
        assert (response.status, response.headers["x-amzn-ErrorType"]) == refused
    assert list(body) == ["message"]
    assert message in body["message"]


async def test_probabilities_of_actions(client: Client) -> None:
    """Actions come likeliest first; a score does not depend on how many others came, and they sum to no certain sum."""
    five = await answer(client, FOR_ACTIONS, ACTIONS)
    all_of_them = await answer(client, FOR_ACTIONS | {"numResults": 100}, ACTIONS)
    scores = [action["score"] for action in all_of_them["actionList"]]
    assert all_of_them["actionList"][:5] == five["actionList"]
    assert five["actionList"][0].keys() == {"actionId", "score"}
    assert all(one >= other for one, other in pairwise(scores))
    assert all(0 < score < 1 for score in scores)
    assert sum(scores) != pytest.approx(1.0, abs=0.01)
    other = await answer(client, FOR_ACTIONS | {"userId": "user-2", "numResults": 100}, ACTIONS)
    assert other["actionList"] != all_of_them["actionList"]

"""The routes under /_emulator: counters, the oracle, lists of items and users."""

from io import BytesIO
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator.stats import Stats

Client = TestClient[Any, Any]

RANKING = "/personalize-ranking"
ORACLE = "/_emulator/oracle"


async def body_of(client: Client, method: str, path: str, **more: Any) -> Any:
    """The decoded body of an answer, which must be a success."""
    async with client.request(method, path, **more) as response:
        assert response.status == 200
        return orjson.loads(await response.read())


async def test_health(client: Client) -> None:
    """An emulator that serves says ok."""
    async with client.get("/_emulator/health") as response:
        assert (response.status, await response.text()) == (200, "ok")


async def test_stats_count_what_was_asked(client: Client, members: dict[str, Any], click: dict[str, Any]) -> None:
    """Calls, their sizes, items and errors are counted, by campaign too; events apart, and the oracle is not."""
    for count in (1, 3, 3):
        await body_of(client, "POST", RANKING, json=members | {"inputList": [f"p0000{n}" for n in range(count)]})
    async with client.post(RANKING, json=members | {"inputList": []}) as refused:
        assert refused.status == 400
    await body_of(client, "POST", ORACLE, json=members)
    for event_list, status in ((click["eventList"] * 3, 200), (click["eventList"] * 11, 400)):
        async with client.post("/events", json=click | {"eventList": event_list}) as response:
            assert response.status == status
    assert await body_of(client, "GET", "/_emulator/stats") == {
        "calls": 4,
        "items": 7,
        "errors": 1,
        "inFlight": 0,
        "maxInFlight": 1,
        "sizes": {"1": 1, "3": 2},
        "callsByCampaign": {members["campaignArn"]: 3},
        "callsByOperation": {"GetPersonalizedRanking": 4, "PutEvents": 2},
        "inFlightByCampaign": {},
        "maxInFlightByCampaign": {members["campaignArn"]: 1},
        "faults": {},
        "eventCalls": 2,
        "events": 3,
    }


async def test_the_oracle_filters_as_a_call_does(client: Client, members: dict[str, Any]) -> None:
    """The ideal ranking under a filter has the items and the order of a call with it, and is refused as the call is."""
    arn = "arn:aws:personalize:us-east-1:000000000000:filter/price-below"
    asked = members | {"inputList": [f"p{n:05}" for n in range(1, 200)], "filterArn": arn}
    good = asked | {"filterValues": {"PRICE": "50"}}
    called, ideal = [
        [one["itemId"] for one in (await body_of(client, "POST", path, json=good))["personalizedRanking"]]
        for path in (RANKING, ORACLE)
    ]
    assert called == ideal
    assert 0 < len(ideal) < 199
    for path in (RANKING, ORACLE):
        async with client.post(path, json=asked | {"filterValues": {"PRICE": "cheap"}}) as refused:
            assert refused.status == 400


async def test_stats_can_be_reset(client: Client, members: dict[str, Any], click: dict[str, Any]) -> None:
    """After a reset, counting starts anew."""
    await body_of(client, "POST", RANKING, json=members)
    async with client.post("/events", json=click) as response:
        assert response.status == 200
    await body_of(client, "DELETE", "/_emulator/stats")
    stats = await body_of(client, "GET", "/_emulator/stats")
    assert not any(stats.values())


def test_calls_in_flight() -> None:
    """The most calls open at once are remembered, by campaign too, and a reset keeps those that are still open."""
    stats = Stats()
    with stats.calling("op"), stats.calling_campaign("a"):
        with stats.calling("op"), stats.calling_campaign("a"), stats.calling("op"), stats.calling_campaign("b"):
            pass
        assert (stats.in_flight, stats.max_in_flight) == (1, 3)
        assert stats.max_in_flight_by_campaign == {"a": 2, "b": 1}
        stats.reset()
        assert (stats.calls, stats.in_flight, stats.max_in_flight) == (0, 1, 1)
        assert stats.max_in_flight_by_campaign == {"a": 1}
    assert stats.in_flight == 0
    assert not stats.in_flight_by_campaign


async def test_the_oracle_agrees_with_one_call(client: Client, members: dict[str, Any]) -> None:
    """For a list that fits into one call, the oracle gives its order and its scores before rounding."""
    call = members | {"inputList": ["strange", *(f"p{number:05d}" for number in range(1, 500))]}
    ideal = await body_of(client, "POST", ORACLE, json=call)
    answer = await body_of(client, "POST", RANKING, json=call)
    ranked = [(item["itemId"], item["score"]) for item in answer["personalizedRanking"]]
    exact = [(item["itemId"], item["score"]) for item in ideal["personalizedRanking"]]
    assert ranked == [(item_id, score if score is None else round(score, 7)) for item_id, score in exact]
    assert sum(score for _, score in exact if score) == pytest.approx(1.0, abs=1e-12)
    assert exact[-1] == ("strange", None)
    assert ideal["campaignArn"] == members["campaignArn"]


async def test_the_oracle_knows_no_item_limit(client: Client, members: dict[str, Any]) -> None:
    """The whole catalogue is ranked in one softmax, in a body larger than a call may have."""
    padding = [f"unknown-{number:0240d}" for number in range(20_000)]
    call = members | {"inputList": [f"p{number:05d}" for number in range(1, 10_001)] + padding}
    ideal = (await body_of(client, "POST", ORACLE, data=BytesIO(orjson.dumps(call))))["personalizedRanking"]
    known = [item["score"] for item in ideal[:10_000]]
    assert known == sorted(known, reverse=True)
    assert sum(known) == pytest.approx(1.0, abs=1e-9)
    assert [item["itemId"] for item in ideal[10_000:]] == padding


async def test_the_oracle_refuses_what_a_call_would(client: Client, members: dict[str, Any]) -> None:
    """Apart from the length of the list, the rules of a call hold."""
    async with client.post(ORACLE, json=members | {"userId": ""}) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")


async def test_items_are_listed_in_pages(client: Client) -> None:
    """Items come by popularity with what is known of them; limit and offset cut a page out of the same order."""
    first = await body_of(client, "GET", "/_emulator/items")
    page = await body_of(client, "GET", "/_emulator/items?limit=10&offset=20")
    beyond = await body_of(client, "GET", "/_emulator/items?limit=99999999&offset=9999")
    assert (first["total"], len(first["items"]), len(beyond["items"])) == (10_000, 100, 1)
    assert page["items"] == first["items"][20:30]
    assert page["items"][0].keys() == {"itemId", "title", "brand", "category", "price", "popularity"}
    assert [item["popularity"] for item in first["items"]] == sorted(
        (item["popularity"] for item in first["items"]), reverse=True
    )


async def test_users_are_listed(client: Client) -> None:
    """The listed users are those of the store, as many as were asked for."""
    assert await body_of(client, "GET", "/_emulator/users?limit=2") == {"users": ["user-1", "user-2"]}
    assert len((await body_of(client, "GET", "/_emulator/users?limit=5000"))["users"]) == 1000


@pytest.mark.parametrize("query", ["limit=-1", "limit=many", "offset=1.5", "limit=", "offset=" + "9" * 5000])
async def test_a_count_that_is_none(client: Client, query: str) -> None:
    """A limit or offset that is not a whole number is an invalid input."""
    async with client.get(f"/_emulator/items?{query}") as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")

"""GetPersonalizedRanking over a real socket: bodies, headers, errors."""

import re
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator import operations
from gateway.emulator.operations import BODY_BYTES_MAX

Client = TestClient[Any, Any]

PATH = "/personalize-ranking"
RID = re.compile(r"RID-[0-9a-f]{2}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-CID-(?P<campaign>[0-9a-f]{6})")


async def test_an_answer_carries_every_item_with_explicit_nulls(client: Client, members: dict[str, Any]) -> None:
    """Every item has all members, null where without value, and one null member that no model names."""
    async with client.post(PATH, json=members | {"inputList": ["nobody-knows-me", "p00001"]}) as response:
        body = orjson.loads(await response.read())
    known, unknown = body["personalizedRanking"]
    assert response.status == 200
    assert (known["itemId"], known["score"]) == ("p00001", 1.0)
    assert (unknown["itemId"], unknown["score"]) == ("nobody-knows-me", None)
    for item in (known, unknown):
        modelled = {"itemId", "score", "promotionName", "metadata", "reason"}
        (stranger,) = item.keys() - modelled
        assert len(stranger) == 11
        assert all(item[name] is None for name in ("promotionName", "metadata", "reason", stranger))
    assert body.keys() == {"personalizedRanking", "recommendationId"}


async def test_metadata_come_in_lower_case_and_as_strings(client: Client, members: dict[str, Any]) -> None:
    """Asked columns come by lower-cased name, numbers as strings; an item of no dataset has none."""
    asked = {"metadataColumns": {"ITEMS": ["PRICE", "CATEGORY"]}, "inputList": ["p00001", "strange"]}
    async with client.post(PATH, json=members | asked) as response:
        known, unknown = orjson.loads(await response.read())["personalizedRanking"]
    assert known["metadata"].keys() == {"price", "category"}
    assert float(known["metadata"]["price"]) > 0
    assert unknown["metadata"] is None


async def test_headers_of_an_answer(client: Client, members: dict[str, Any]) -> None:
    """An answer is plain application/json and has a request id of its own."""
    seen = set()
    for _ in range(2):
        async with client.post(PATH, json=members) as response:
            assert response.headers["content-type"] == "application/json"
            seen.add(UUID(response.headers["x-amzn-RequestId"]))
    assert len(seen) == 2


async def test_recommendation_ids(client: Client, members: dict[str, Any]) -> None:
    """Ids have 40 characters, differ from call to call, and name the campaign by the same CID."""
    ids = []
    for _ in range(2):
        async with client.post(PATH, json=members) as response:
            ids.append(orjson.loads(await response.read())["recommendationId"])
    matches = [RID.fullmatch(recommendation_id) for recommendation_id in ids]
    assert [len(recommendation_id) for recommendation_id in ids] == [40, 40]
    assert ids[0] != ids[1]
    assert len({match["campaign"] for match in matches if match}) == 1


async def test_any_user_is_answered_the_same_way_every_time(client: Client, members: dict[str, Any]) -> None:
    """A user's scores repeat from call to call, and another user's differ."""
    rankings = []
    for user_id in ("zoë 🦊", "zoë 🦊", "somebody else"):
        async with client.post(PATH, json=members | {"userId": user_id}) as response:
            rankings.append(orjson.loads(await response.read())["personalizedRanking"])
    assert rankings[0] == rankings[1] != rankings[2]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"inputList": []}, 400, "InvalidInputException"),
        (
            {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/other"},
            404,
            "ResourceNotFoundException",
        ),
        (
            {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/demo-related"},
            400,
            "InvalidInputException",
        ),
        ({"filterArn": "arn:aws:personalize:us-east-1:000000000000:filter/bought"}, 404, "ResourceNotFoundException"),
        ({"metadataColumns": {"ITEMS": ["TITLE", "COLOUR"]}}, 400, "InvalidInputException"),
    ],
)
async def test_refusals(
    client: Client, members: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    """A call that cannot be answered gets its code in the header, its status, a message, and no user id."""
    async with client.post(PATH, json=members | {"userId": "secret-person"} | change) as response:
        text = await response.text()
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (status, code)
    assert response.headers["content-type"] == "application/json"
    assert UUID(response.headers["x-amzn-RequestId"])
    assert list(orjson.loads(text)) == ["message"]
    assert "secret-person" not in text


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b'{"userId": "\xff"}', b'{"x": ' + b"[" * 100_000], ids=range(5))
async def test_a_body_that_is_not_json(client: Client, body: bytes) -> None:
    """A body that is not JSON is a SerializationException, however it is broken."""
    async with client.post(PATH, data=body) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "SerializationException")


async def test_a_body_that_is_not_of_its_encoding(client: Client) -> None:
    """A body that says gzip and is not is a SerializationException."""
    async with client.post(PATH, data=b"not gzip", headers={"Content-Encoding": "gzip"}) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("GET", "/recommendations"), ("POST", "/"), ("GET", "/_emulator/nothing"), ("PUT", f"{PATH}/")],
)
async def test_other_operations_are_unknown(client: Client, method: str, path: str) -> None:
    """Any other path or method is an UnknownOperationException."""
    async with client.request(method, path) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


async def test_a_body_beyond_the_limit(client: Client) -> None:
    """A body over the limit is refused as too large, in the form of the service."""
    async with client.post(PATH, data=BytesIO(b" " * (BODY_BYTES_MAX + 1))) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (413, "RequestEntityTooLarge")
        assert list(orjson.loads(await response.read())) == ["message"]


async def test_a_fault_of_the_emulator_shows_no_traceback(
    client: Client, members: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception is an InternalFailure whose message tells nothing of it."""

    def fail(*_: object) -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(operations, "answer_ranking", fail)
    async with client.post(PATH, json=members) as response:
        text = await response.text()
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (500, "InternalFailure")
    assert "inner detail" not in text

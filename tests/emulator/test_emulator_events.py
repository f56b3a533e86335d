"""PutEvents over a real socket: the answer, refusals, and what an event does to the rankings of its user."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp.test_utils import TestClient
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import get_session

from gateway.emulator.config import EmulatorConfig, KeyPair
from gateway.emulator.server import build_app
from tests.support.virtual_clock import SetClock

Client = TestClient[Any, Any]

EVENTS = "/events"
RANKING = "/personalize-ranking"
ORACLE = "/_emulator/oracle"
KEY = KeyPair(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG")


async def send(client: Client, call: dict[str, Any]) -> None:
    """Send events, which must be accepted."""
    async with client.post(EVENTS, json=call) as response:
        assert response.status == 200, await response.text()


async def ranked(client: Client, members: dict[str, Any], path: str = RANKING) -> Any:
    """The ranking of a call, from the operation or from the oracle."""
    async with client.post(path, json=members) as response:
        assert response.status == 200, await response.text()
        return orjson.loads(await response.read())["personalizedRanking"]


async def share(client: Client, members: dict[str, Any], item_id: str = "p00003") -> float:
    """The score of one item in a call."""
    scores = {item["itemId"]: item["score"] for item in await ranked(client, members)}
    return float(scores[item_id])


async def test_the_answer_is_empty(client: Client, click: dict[str, Any]) -> None:
    """Accepted events are answered with 200, no body, and a request id."""
    async with client.post(EVENTS, json=click) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert UUID(response.headers["x-amzn-RequestId"])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"eventList": []}, 400, "InvalidInputException"),
        ({"eventList": [{"eventType": "click"}]}, 400, "InvalidInputException"),
        ({"trackingId": "other"}, 404, "ResourceNotFoundException"),
        ({"trackingId": "other", "sessionId": ""}, 400, "InvalidInputException"),
    ],
)
async def test_refusals(client: Client, click: dict[str, Any], change: dict[str, Any], status: int, code: str) -> None:
    """A call that is not accepted gets its code and a message that does not name the user."""
    async with client.post(EVENTS, json=click | {"userId": "secret-person"} | change) as response:
        text = await response.text()
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (status, code)
    assert list(orjson.loads(text)) == ["message"]
    assert "secret-person" not in text


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b'{"userId": "\xff"}', b'{"x": ' + b"[" * 100_000], ids=range(5))
async def test_a_body_that_is_not_json(client: Client, body: bytes) -> None:
    """A body that is not JSON is a SerializationException, however it is broken."""
    async with client.post(EVENTS, data=body) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "SerializationException")


async def test_an_event_moves_its_user(client: Client, members: dict[str, Any], click: dict[str, Any]) -> None:
    """After a click the item has a larger share in the user's rankings, and nobody else's changed."""
    other = members | {"userId": "user-2"}
    before, before_of_other = await share(client, members), await ranked(client, other)
    await send(client, click)
    assert await share(client, members) > before
    assert await ranked(client, other) == before_of_other


@pytest.mark.parametrize("user_id", [None, "user-1"])
async def test_without_a_user_the_session_is_the_user(
    client: Client, members: dict[str, Any], click: dict[str, Any], user_id: str | None
) -> None:
    """An event moves its user, and only where none is given its session: who asks by the session sees that."""
    as_session = members | {"userId": click["sessionId"]}
    before = {"user-1": await ranked(client, members), None: await ranked(client, as_session)}
    await send(client, click | {"userId": user_id})
    after = {"user-1": await ranked(client, members), None: await ranked(client, as_session)}
    assert [who for who in before if before[who] != after[who]] == [user_id]


@pytest.mark.parametrize("item_id", ["nobody-knows-me", None])
async def test_an_event_of_no_known_item_moves_nothing(
    client: Client, members: dict[str, Any], click: dict[str, Any], item_id: str | None
) -> None:
    """Events of unknown items, or of no item, are accepted and counted, and have no effect."""
    before = await ranked(client, members)
    await send(client, click | {"eventList": [click["eventList"][0] | {"itemId": item_id}]})
    assert await ranked(client, members) == before
    async with client.get("/_emulator/stats") as response:
        assert orjson.loads(await response.read())["events"] == 1


@pytest.mark.parametrize("path", [RANKING, ORACLE])
async def test_events_take_effect_when_they_have_settled(
    aiohttp_client: Any, members: dict[str, Any], click: dict[str, Any], path: str
) -> None:
    """Rankings and the oracle change `settle_s` after the arrival of an event, and not before."""
    clock = SetClock(1_000.0)
    client = await aiohttp_client(build_app(EmulatorConfig(settle_s=2.0), clock))
    before = await ranked(client, members, path)
    await send(client, click)
    clock.now_s += 1.99
    assert await ranked(client, members, path) == before
    clock.now_s += 0.01
    assert await ranked(client, members, path) != before


async def test_the_oracle_sees_the_moved_user(client: Client, members: dict[str, Any], click: dict[str, Any]) -> None:
    """After an event, the oracle still gives the order and the unrounded scores of a call."""
    await send(client, click)
    ideal = [(item["itemId"], round(item["score"], 7)) for item in await ranked(client, members, ORACLE)]
    assert ideal == [(item["itemId"], item["score"]) for item in await ranked(client, members)]


async def test_your_own_data_have_the_tracker_too(
    own_data: Client, members: dict[str, Any], click: dict[str, Any]
) -> None:
    """A model learnt from CSVs has the event tracker `demo`, and its events move even a user it has never seen."""
    call = members | {"userId": "nobody", "inputList": [f"i{number}" for number in range(40)]}
    before = await share(own_data, call, "i4")
    await send(own_data, click | {"userId": "nobody", "eventList": [click["eventList"][0] | {"itemId": "i4"}]})
    assert await share(own_data, call, "i4") > before
    top = [int(item["itemId"][1:]) % 2 for item in (await ranked(own_data, call))[:15]]
    assert top.count(0) > 10  # i4 is of the even items, which were taken together


@pytest.mark.parametrize(("secret", "status"), [(KEY.secret_access_key, 200), ("wrong", 403)])
async def test_the_call_of_an_sdk(aiohttp_client: Any, click: dict[str, Any], secret: str, status: int) -> None:
    """What botocore makes of a call and signs is accepted, and refused when signed by another secret."""
    client = await aiohttp_client(build_app(EmulatorConfig(key_pairs=(KEY,))))
    operation = get_session().get_service_model("personalize-events").operation_model("PutEvents")
    more = {"eventValue": 4.5, "properties": '{"numberOfRatings": "12"}', "impression": ["p00003", "p00004"]}
    call = click | {"eventList": [click["eventList"][0] | more]}
    made = create_serializer("rest-json").serialize_to_request(call, operation)
    signed = AWSRequest(made["method"], str(client.make_url(made["url_path"])), dict(made["headers"]), made["body"])
    SigV4Auth(Credentials(KEY.access_key_id, secret), "personalize", "us-east-1").add_auth(signed)
    async with client.post(made["url_path"], data=made["body"], headers=dict(signed.headers.items())) as response:
        answer = {"status_code": response.status, "headers": response.headers, "body": await response.read()}
    parsed = create_parser("rest-json").parse(answer, operation.output_shape)
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == status
    assert ("Error" in parsed) == (status == 403)


async def test_an_unsigned_call_is_refused(aiohttp_client: Any, click: dict[str, Any]) -> None:
    """Where calls must be signed, unsigned events are refused before anything in them is looked at."""
    client = await aiohttp_client(build_app(EmulatorConfig(key_pairs=(KEY,))))
    async with client.post(EVENTS, json=click | {"eventList": []}) as response:
        assert response.status == 403
        assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"

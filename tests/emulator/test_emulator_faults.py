"""Faults on demand: what a client meets, that a run repeats, and how they are ordered."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator.config import CampaignConfig, EmulatorConfig
from gateway.emulator.faults import Faults
from gateway.emulator.server import build_app
from tests.emulator.conftest import DEMO_ARN

Client = TestClient[Any, Any]

PATH = "/personalize-ranking"
FAULTS = "/_emulator/faults"
ITEMS = [f"p{number:05}" for number in range(1, 21)]
WITHIN_S = 20.0
"""Only ends a test that would hang."""

LEAVES_S = 0.3
"""After so long a client leaves a call that hangs."""


@pytest.fixture
def call(members: dict[str, Any]) -> dict[str, Any]:
    """A ranking of 20 items."""
    return members | {"inputList": ITEMS}


async def order(client: Client, **faults: Any) -> Any:
    """Let things go wrong from now on; what holds then."""
    async with client.post(FAULTS, json=faults) as response:
        assert response.status == 200, await response.text()
        return orjson.loads(await response.read())


async def met(
    client: Client, call: dict[str, Any], path: str = PATH, within_s: float = WITHIN_S
) -> tuple[int, str, bytes]:
    """Status, error code and body of a call."""
    async with client.post(path, json=call, timeout=aiohttp.ClientTimeout(total=within_s)) as response:
        return response.status, response.headers.get("x-amzn-ErrorType", ""), await response.read()


def item_ids(body: bytes) -> list[str]:
    """The ids of a ranking."""
    return [item["itemId"] for item in orjson.loads(body)["personalizedRanking"]]


async def test_without_faults_nothing_goes_wrong(client: Client, call: dict[str, Any]) -> None:
    """The control of the tests below: the same call, no fault, a whole answer."""
    status, code, body = await met(client, call)
    assert (status, code, sorted(item_ids(body))) == (200, "", ITEMS)


@pytest.mark.parametrize(
    ("faults", "status", "code"),
    [
        ({"throttle_share": 1}, 400, "ThrottlingException"),
        ({"throttle_share": 1, "throttle_status": 429}, 429, "ThrottlingException"),
        ({"error_share": 1}, 503, "ServiceUnavailable"),
        ({"error_share": 1, "error_status": 500}, 500, "InternalFailure"),
    ],
)
async def test_refusals(client: Client, call: dict[str, Any], faults: dict[str, Any], status: int, code: str) -> None:
    """Throttling and 5xx come with their documented status and code, or the one that was ordered."""
    await order(client, **faults)
    assert (await met(client, call))[:2] == (status, code)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("hang", TimeoutError),
        ("reset", (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)),
        ("torn", aiohttp.ClientPayloadError),
    ],
)
async def test_broken_connections(client: Client, call: dict[str, Any], kind: str, error: Any) -> None:
    """A call hangs, its connection is reset, or its body ends early; afterwards the emulator serves on."""
    await order(client, **{f"{kind}_share": 1})
    with pytest.raises(error):
        await met(client, call, within_s=LEAVES_S if kind == "hang" else WITHIN_S)
    await order(client)
    assert (await met(client, call))[0] == 200


async def test_a_hanging_call_ends_with_its_client(client: Client, call: dict[str, Any]) -> None:
    """A client that leaves takes its call along: nothing stays in flight."""
    await order(client, hang_share=1)
    with pytest.raises(TimeoutError):
        await met(client, call, within_s=LEAVES_S)
    async with asyncio.timeout(10):
        while True:
            async with client.get("/_emulator/stats") as response:
                stats = orjson.loads(await response.read())
            if stats["inFlight"] == 0:
                break
    assert (stats["errors"], stats["faults"], stats["inFlightByCampaign"]) == (1, {"hang": 1}, {})


async def test_garbage(client: Client, call: dict[str, Any]) -> None:
    """A body that is not JSON comes with status 200."""
    await order(client, garbage_share=1)
    status, _, body = await met(client, call)
    assert status == 200
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)


async def test_wrong_items(client: Client, call: dict[str, Any]) -> None:
    """An item that nobody asked for in place of one that was, or one item twice."""
    await order(client, foreign_share=1)
    found = item_ids((await met(client, call))[2])
    assert (len(found), len(set(found) - set(ITEMS))) == (20, 1)
    await order(client, duplicate_share=1)
    found = item_ids((await met(client, call))[2])
    assert (len(found), set(found)) == (21, set(ITEMS))


async def test_a_score_that_is_none(client: Client, call: dict[str, Any]) -> None:
    """One score is the bare word NaN, which is no JSON to strict readers."""
    await order(client, nan_share=1)
    body = (await met(client, call))[2]
    assert body.count(b'"score":NaN') == 1
    assert len(item_ids(body.replace(b"NaN", b"0"))) == 20


async def test_faults_of_the_other_operations(client: Client, click: dict[str, Any]) -> None:
    """Faults of all campaigns hold for every operation of the runtime; PutEvents has its own."""
    actions = {"campaignArn": f"{DEMO_ARN}-actions", "userId": "u"}
    await order(client, foreign_share=1)
    listed = orjson.loads((await met(client, actions, "/action-recommendations"))[2])["actionList"]
    assert "emulator-foreign-item" in [action["actionId"] for action in listed]
    await order(client, error_share=1)
    assert (await met(client, click, "/events"))[0] == 200
    await order(client, error_share=1, campaign="events")
    assert (await met(client, click, "/events"))[0] == 503


async def test_faults_of_one_campaign(client: Client, call: dict[str, Any]) -> None:
    """Faults of one campaign hold in place of those of all; DELETE ends both."""
    await order(client, error_share=1)
    shown = await order(client, throttle_share=1, campaign=DEMO_ARN)
    assert shown == {"all": {"error_share": 1.0}, "campaigns": {DEMO_ARN: {"throttle_share": 1.0}}}
    assert (await met(client, call))[1] == "ThrottlingException"
    asked = {"campaignArn": f"{DEMO_ARN}-related", "itemId": "p00001"}
    assert (await met(client, asked, "/recommendations"))[1] == "ServiceUnavailable"
    async with client.delete(FAULTS) as response:
        assert orjson.loads(await response.read()) == {"all": {}, "campaigns": {}}
    assert (await met(client, call))[0] == 200


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"error_share": 2}, "InvalidInputException"),
        ({"error_share": 0.6, "torn_share": 0.6}, "InvalidInputException"),
        ({"rain": 1}, "InvalidInputException"),
        ({"error_share": 1, "campaign": f"{DEMO_ARN}-other"}, "ResourceNotFoundException"),
    ],
)
async def test_a_wrong_order(client: Client, call: dict[str, Any], faults: dict[str, Any], code: str) -> None:
    """An order that cannot be followed is refused and changes nothing."""
    async with client.post(FAULTS, json=faults) as response:
        assert response.headers["x-amzn-ErrorType"] == code
    assert (await met(client, call))[0] == 200


async def test_the_same_seed_repeats_a_run(aiohttp_client: Any, call: dict[str, Any]) -> None:
    """Two emulators with the same faults and seed do the same to the same calls; another seed does something else."""

    async def run(seed: int) -> list[str]:
        faults = Faults(throttle_share=0.3, error_share=0.3, foreign_share=0.2, seed=seed)
        client = await aiohttp_client(build_app(EmulatorConfig(faults=faults)))
        answers = [await met(client, call) for _ in range(30)]
        return [code or ",".join(item_ids(body)) for _, code, body in answers]

    first = await run(1)
    assert first == await run(1)
    assert first != await run(2)
    assert {"ThrottlingException", "ServiceUnavailable"} < set(first)


async def test_a_floor_throttles_a_campaign(aiohttp_client: Any, call: dict[str, Any]) -> None:
    """Calls above a campaign's floor get ThrottlingException, are counted, and take no time."""
    campaign = CampaignConfig(arn=DEMO_ARN, recipe="aws-personalized-ranking-v2", tps=3)
    client = await aiohttp_client(build_app(EmulatorConfig(campaigns=(campaign,)), clock=lambda: 5.0))
    codes = [(await met(client, call))[1] for _ in range(5)]
    assert codes == ["", "", "", "ThrottlingException", "ThrottlingException"]
    async with client.get("/_emulator/stats") as response:
        assert orjson.loads(await response.read())["faults"] == {"throttle": 2}

"""An emulator of the built-in store on a real socket, and calls that it accepts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator.config import EmulatorConfig
from gateway.emulator.server import build_app

DEMO_ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"

Connect = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture
async def client(aiohttp_client: Connect) -> TestClient[Any, Any]:
    """A client of an emulator that runs with the defaults."""
    return await aiohttp_client(build_app(EmulatorConfig()))


@pytest.fixture
async def own_data(aiohttp_client: Connect, tmp_path: Path) -> TestClient[Any, Any]:
    """A client of an emulator that has learnt from Interactions in which items of even numbers were taken together."""
    interactions = tmp_path / "interactions.csv"
    taken = [f"u{user},i{2 * item + user % 2},1" for user in range(60) for item in range(20) if (user + item) % 3]
    interactions.write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *taken]))
    return await aiohttp_client(build_app(EmulatorConfig(interactions=interactions, cache_dir=tmp_path / "kept")))


@pytest.fixture
def members() -> dict[str, Any]:
    """The members of a call that is answered; tests replace what they are about."""
    return {"campaignArn": DEMO_ARN, "userId": "user-1", "inputList": ["p00001", "p00002", "p00003"]}


@pytest.fixture
def click() -> dict[str, Any]:
    """The members of a PutEvents call that is accepted: one click of user-1."""
    return {
        "trackingId": "demo",
        "userId": "user-1",
        "sessionId": "session-1",
        "eventList": [{"eventType": "click", "sentAt": 1_719_511_760, "itemId": "p00003"}],
    }

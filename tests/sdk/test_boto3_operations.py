"""boto3, which knows nothing of the gateway, gets listings through it as from the service, and its own exceptions."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment, running, signed

PYTHON = ROOT / ".venv-sdk" / "bin" / "python"
PREFIX = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
CAMPAIGNS = {
    f"GATEWAY_CAMPAIGNS__{name.upper()}__ARN": f"{PREFIX}-{name}" for name in ("recommendations", "related", "actions")
}


@pytest.fixture(scope="module", params=["lean", "aiobotocore"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What boto3 got from a gateway in front of the emulator, by either transport."""
    if not PYTHON.exists():
        pytest.fail("boto3 has an environment of its own: run `make .venv-sdk/done`")
    program = Path(__file__).with_name("boto3_operations.py")
    with running("emulate", "--port", "0", env=environment()) as emulator:
        endpoints = {"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": emulator.url, "GATEWAY_TRANSPORT": request.param}
        env = signed(emulator.url, AWS_REGION="us-east-1", **endpoints, **CAMPAIGNS)
        with running("serve", "--port", "0", env=env) as gateway:
            done = subprocess.run(
                [PYTHON, program, gateway.url], env=environment(), capture_output=True, timeout=WITHIN_S, check=False
            )
    assert done.returncode == 0, done.stderr.decode()
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


COUNTS = [
    ("for a user", "itemList", 25),
    ("for a user, many", "itemList", 500),
    ("for a user, none", "itemList", 0),
    ("with metadata", "itemList", 50),
    ("promoted", "itemList", 10),
    ("related, by name", "itemList", 25),
    ("actions", "actionList", 5),
]


@pytest.mark.parametrize(("case", "listed", "count"), COUNTS)
def test_listings_come_back(told: dict[str, Any], case: str, listed: str, count: int) -> None:
    """Every operation answers with as many entries as the service would, in shapes that the SDK's model knows."""
    one = told[case]
    assert (len(one["answer"][listed]), one["faults"], one["degraded"], one["calls"]) == (count, "", None, "1")
    assert one["answer"]["recommendationId"].startswith("RID-")


def test_what_was_asked_shows(told: dict[str, Any]) -> None:
    """Metadata, promotions and scores are there where they were asked for."""
    assert all(set(item["metadata"]) == {"title", "price"} for item in told["with metadata"]["answer"]["itemList"])
    promoted = [item for item in told["promoted"]["answer"]["itemList"] if item.get("promotionName") == "deal"]
    assert len(promoted) == 4
    assert all("score" in action for action in told["actions"]["answer"]["actionList"])


@pytest.mark.parametrize("case", ["for a user", "actions"])
def test_the_second_time_costs_nothing(told: dict[str, Any], case: str) -> None:
    """The same question again is the same answer, at no call."""
    again = told[f"{case}, again"]
    assert (again["answer"], again["calls"]) == (told[case]["answer"], "0")


def test_an_event_makes_the_next_one_fresh(told: dict[str, Any]) -> None:
    """After PutEvents through the gateway both operations are asked anew."""
    assert [told[case]["calls"] for case in ("after an event", "actions after an event")] == ["1", "1"]


ERRORS = [
    ("too many", "InvalidInputException"),
    ("too many with metadata", "InvalidInputException"),
    ("too many actions", "InvalidInputException"),
    ("nobody asked", "InvalidInputException"),
    ("no such campaign", "ResourceNotFoundException"),
    ("no such filter", "ResourceNotFoundException"),
    ("wrong recipe", "InvalidInputException"),
]


@pytest.mark.parametrize(("case", "exception"), ERRORS)
def test_the_sdk_raises_its_own_exceptions(told: dict[str, Any], case: str, exception: str) -> None:
    """A refused call becomes the exception that callers of the service catch already."""
    assert told[case] == {"exception": exception, "code": exception}

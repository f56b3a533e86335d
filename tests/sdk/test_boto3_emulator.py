"""boto3, which knows nothing of the emulator, calls all four operations and meets every documented error."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment
from tests.sdk.emulator_calls import ANSWERED, ORDERED, REFUSED, calls, verifying_emulator

PYTHON = ROOT / ".venv-sdk" / "bin" / "python"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What boto3 got from an emulator that verifies its signatures."""
    if not PYTHON.exists():
        pytest.fail("boto3 has an environment of its own: run `make .venv-sdk/done`")
    program = Path(__file__).with_name("emulator_client.py")
    with verifying_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        done = subprocess.run(
            [PYTHON, program, emulator.url, json.dumps(calls())],
            env=environment(),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", [*ANSWERED, "after"])
def test_the_service_model_decodes_every_answer(told: dict[str, Any], name: str) -> None:
    """An answer is what the SDK's own model of the service says, and has a request id."""
    assert "answer" in told[name], told[name]
    assert told[name]["faults"] == ""
    assert told[name]["requestId"]


@pytest.mark.parametrize("name", [*REFUSED, *ORDERED])
def test_the_sdk_raises_what_is_documented(told: dict[str, Any], name: str) -> None:
    """A refused call becomes the documented exception, code and status, with a request id."""
    exception, code, status = (REFUSED | ORDERED)[name][1]
    refused = told[name]
    assert (refused.get("code"), refused.get("status")) == (code, status)
    modelled = {"InvalidInputException", "ResourceNotFoundException"}
    assert refused["exception"] == (exception if exception in modelled else "ClientError")
    assert refused["requestId"]


def test_a_ranking(told: dict[str, Any]) -> None:
    """Nulls are absent to the SDK: an unknown item has its id and nothing else."""
    items = told["ranking"]["answer"]["personalizedRanking"]
    assert items[-1] == {"itemId": "strange"}
    assert sum(item["score"] for item in items[:2]) == pytest.approx(1.0)
    assert len(told["ranking"]["answer"]["recommendationId"]) == 40


def test_metadata(told: dict[str, Any]) -> None:
    """Metadata are a map of strings by lower-cased names, in rankings and in recommendations."""
    items = told["ranking, metadata"]["answer"]["personalizedRanking"][:2]
    for item in items + told["related"]["answer"]["itemList"] + told["for a user, all"]["answer"]["itemList"]:
        assert item["metadata"].keys() == {"title", "price"}


def test_recommendations(told: dict[str, Any]) -> None:
    """25 by default, scores where the recipe has them, and named promotions."""
    for name, count, scored in (("for a user", 25, True), ("related", 25, False), ("recommender", 25, False)):
        items = told[name]["answer"]["itemList"]
        assert len(items) == count
        assert all(("score" in item) is scored for item in items)
    assert len(told["for a user, many"]["answer"]["itemList"]) == 500
    promoted = [item for item in told["for a user, promoted"]["answer"]["itemList"] if "promotionName" in item]
    assert {item["promotionName"] for item in promoted} == {"deal"}
    assert len(promoted) == 12


def test_actions(told: dict[str, Any]) -> None:
    """Five actions by default, each with a probability."""
    actions = told["actions"]["answer"]["actionList"]
    assert len(actions) == 5
    assert all(0 < action["score"] < 1 for action in actions)
    assert told["actions, all"]["answer"]["actionList"][:5] == actions


def test_every_campaign_has_its_own_cid(told: dict[str, Any]) -> None:
    """The last part of a recommendation id is the same for one campaign, and differs between campaigns."""
    cids = {name: told[name]["answer"]["recommendationId"][-6:] for name in ANSWERED if name != "events"}
    assert cids["ranking"] == cids["ranking, metadata"]
    assert cids["for a user"] == cids["for a user, many"]
    assert len(set(cids.values())) == 5

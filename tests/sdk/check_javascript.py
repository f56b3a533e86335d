"""The AWS SDK for JavaScript, which knows nothing of the emulator, calls everything and meets every documented error.

Not part of `make test`: it needs Node.js. `make test-sdks` sets it up, and runs this.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import WITHIN_S, environment
from tests.sdk.emulator_calls import ANSWERED, ORDERED, REFUSED, calls, verifying_emulator

PROGRAM = Path(__file__).with_name("js") / "emulator_client.js"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK got from an emulator that verifies its signatures."""
    node = shutil.which("node")
    if node is None or not PROGRAM.with_name("node_modules").exists():
        pytest.fail("the SDK has an environment of its own, for Node.js: run `make test-sdks`")
    with verifying_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        done = subprocess.run(
            [node, PROGRAM, emulator.url, json.dumps(calls())],
            env=environment(),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", [*ANSWERED, "after"])
def test_every_call_is_answered(told: dict[str, Any], name: str) -> None:
    """A call resolves to an answer with a request id."""
    assert "answer" in told[name], told[name]
    assert (told[name]["status"], bool(told[name]["requestId"])) == (200, True)


@pytest.mark.parametrize("name", [*REFUSED, *ORDERED])
def test_the_sdk_throws_what_is_documented(told: dict[str, Any], name: str) -> None:
    """A refused call throws the documented exception by name, class, status and side, with message and request id."""
    exception, code, status = (REFUSED | ORDERED)[name][1]
    thrown = told[name]
    modelled = {"InvalidInputException", "ResourceNotFoundException"}
    assert thrown["exception"] == (exception if exception in modelled else "ServiceException")
    assert (thrown["code"], thrown["status"]) == (code, status)
    assert thrown["fault"] == ("server" if status >= 500 else "client")
    assert thrown["requestId"]
    assert thrown["message"] not in ("", "UnknownError")


def test_a_ranking(told: dict[str, Any]) -> None:
    """Nulls are absent to the SDK: an unknown item has its id and nothing else."""
    items = told["ranking"]["answer"]["personalizedRanking"]
    assert items[-1] == {"itemId": "strange"}
    assert sum(item["score"] for item in items[:2]) == pytest.approx(1.0)


def test_metadata_and_promotions(told: dict[str, Any]) -> None:
    """Metadata are a map of strings by lower-cased names; promoted items name their promotion."""
    for item in told["ranking, metadata"]["answer"]["personalizedRanking"][:2]:
        assert item["metadata"].keys() == {"title", "price"}
    promoted = [one for one in told["for a user, promoted"]["answer"]["itemList"] if "promotionName" in one]
    assert [item["promotionName"] for item in promoted] == ["deal"] * 12

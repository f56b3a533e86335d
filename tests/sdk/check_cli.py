"""The AWS CLI, which knows nothing of the emulator, calls all four operations and meets every documented error.

Not part of `make test`: the CLI has an environment of its own. `make test-sdks` makes it, and runs this.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, environment
from tests.sdk.emulator_calls import ANSWERED, CAMPAIGN, ORDERED, REFUSED, calls, verifying_emulator

PYTHON = ROOT / ".venv-cli" / "bin" / "python"

WITHIN_S = 120.0
"""Only ends a test that would hang: each of half a hundred commands reads the CLI's models anew."""

ENVIRONMENT = environment(
    AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY="secret",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_MAX_ATTEMPTS="1",
)
SAID = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the CLI got from an emulator that verifies its signatures; and one command as a process of its own."""
    if not PYTHON.exists():
        pytest.fail("the CLI has an environment of its own: run `make test-sdks`")
    program = Path(__file__).with_name("cli_client.py")
    with verifying_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        done = subprocess.run(
            [PYTHON, program, emulator.url, json.dumps(calls())],
            env=ENVIRONMENT,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answers: dict[str, Any] = json.loads(done.stdout)
        alone = subprocess.run(
            [
                PYTHON.with_name("aws"), "personalize-runtime", "get-personalized-ranking",
                "--campaign-arn", CAMPAIGN, "--user-id", "user-1", "--input-list", "strange", "p00001", "p00002",
                "--endpoint-url", emulator.url, "--query", "personalizedRanking[].itemId", "--output", "text",
            ],
            env=ENVIRONMENT,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )  # fmt: skip
    assert alone.returncode == 0, alone.stderr.decode()
    return {**answers, "alone": alone.stdout.decode().split()}


@pytest.mark.parametrize("name", [*ANSWERED, "after"])
def test_every_call_is_answered(told: dict[str, Any], name: str) -> None:
    """A call ends with exit code 0, an answer (none for events, which have none), and no complaint."""
    assert (told[name]["exit"], told[name]["said"], told[name]["statuses"]) == (0, "", [200])
    assert (told[name]["answer"] is None) is (name == "events")


@pytest.mark.parametrize("name", [*REFUSED, *ORDERED])
def test_the_cli_says_what_is_documented(told: dict[str, Any], name: str) -> None:
    """A refused call ends with the CLI's exit code for it, and names the documented code and the operation."""
    (_, method, _), (_, code, status) = (
        REFUSED[name] if name in REFUSED else (("", "get_personalized_ranking", {}), ORDERED[name][1])
    )
    said = SAID.search(told[name]["said"])
    assert said is not None, told[name]
    assert said.groups() == (code, "".join(word.capitalize() for word in method.split("_")))
    assert (told[name]["exit"], told[name]["answer"], told[name]["statuses"]) == (255, None, [status])


def test_a_ranking(told: dict[str, Any]) -> None:
    """The answer is that of the operation, and the same from a process of its own, options given one by one."""
    items = told["after"]["answer"]["personalizedRanking"]
    assert items[-1] == {"itemId": "strange"}
    assert sum(item["score"] for item in items[:2]) == pytest.approx(1.0)
    assert told["alone"] == [item["itemId"] for item in items]

"""boto3, which knows nothing of the gateway, gets one ranking of 10,000 items and raises its own exceptions."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment, running, signed

PYTHON = ROOT / ".venv-sdk" / "bin" / "python"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What boto3 got from a gateway in front of the emulator."""
    if not PYTHON.exists():
        pytest.fail("boto3 has an environment of its own: run `make .venv-sdk/done`")
    program = Path(__file__).with_name("boto3_client.py")
    with (
        running("emulate", "--port", "0", env=environment()) as emulator,
        running("serve", "--port", "0", env=signed(emulator.url)) as gateway,
    ):
        done = subprocess.run(
            [PYTHON, program, gateway.url], env=environment(), capture_output=True, timeout=WITHIN_S, check=False
        )
    assert done.returncode == 0, done.stderr.decode()
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_10_000_items_come_back(told: dict[str, Any]) -> None:
    """Twenty times the limit of the service goes in and comes back whole, undegraded, at 21 calls."""
    assert (told["count"], told["distinct"], told["degraded"], told["calls"]) == (10_000, 10_000, None, "21")


def test_scores_are_those_of_one_call(told: dict[str, Any]) -> None:
    """Scores fall, and add up to one within the rounding of the service."""
    assert told["falling"]
    assert told["sum"] == pytest.approx(1.0, abs=1e-3)


def test_unknown_items_are_last(told: dict[str, Any]) -> None:
    """Items that the model does not know come last, in the caller's order, with score 0."""
    assert told["last"] == [["no-such-3", 0.0], ["no-such-1", 0.0], ["no-such-2", 0.0]]


def test_ids_are_where_the_sdk_looks_for_them(told: dict[str, Any]) -> None:
    """The recommendation id is one of the service's, and the request id is found by the SDK."""
    assert told["recommendationId"].startswith("RID-")
    assert told["requestId"]


def test_the_empty_list(told: dict[str, Any]) -> None:
    """An empty list is answered empty."""
    assert told["empty"] == []


@pytest.mark.parametrize(
    ("case", "exception"),
    [
        ("bad ARN", "InvalidInputException"),
        ("long id", "InvalidInputException"),
        ("unknown campaign", "ResourceNotFoundException"),
    ],
)
def test_the_sdk_raises_its_own_exceptions(told: dict[str, Any], case: str, exception: str) -> None:
    """A refused call becomes the exception that callers of the service catch already."""
    assert told[case] == exception

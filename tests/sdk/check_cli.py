"""The AWS CLI, which knows nothing of emulator and gateway, calls everything and meets every documented error.

Not part of `make test`: the CLI has an environment of its own. `make test-sdks` makes it, and runs this.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.process.parts import environment
from tests.sdk.calls import CAMPAIGN, LARGE, OWNER
from tests.sdk.clients import CLI, WITHIN_S
from tests.sdk.contract import AtEmulator, AtGateway, AtSignedGateway
from tests.sdk.endpoints import EMULATOR, GATEWAY, Endpoint


class TestEmulator(AtEmulator):
    """Under the CLI."""

    client = CLI


class TestGateway(AtGateway):
    """Under the CLI."""

    client = CLI


class TestSigned(AtSignedGateway):
    """Under the CLI."""

    client = CLI


@pytest.mark.parametrize(
    ("endpoint", "items"),
    [(EMULATOR, ["p00002", "p00001", "strange"]), (GATEWAY, LARGE["10,000 items"].members["inputList"])],
    ids=["emulator", "gateway"],
)
def test_a_command_of_its_own(endpoint: Endpoint, items: list[str], tmp_path: Path) -> None:
    """`aws`, a process of its own with its options given one by one and the list in a file, prints the ranking."""
    file = tmp_path / "items.json"
    file.write_text(json.dumps(items), encoding="utf-8")
    with endpoint.opened(tmp_path) as place:
        done = subprocess.run(
            [
                CLI.runner, CLI.runner.with_name("aws"), "personalize-runtime", "get-personalized-ranking",
                "--campaign-arn", CAMPAIGN, "--user-id", "user-1", "--input-list", f"file://{file}",
                "--endpoint-url", place.url, "--query", "personalizedRanking[].[itemId]", "--output", "text",
            ],
            env=environment(
                AWS_ACCESS_KEY_ID=OWNER[0], AWS_SECRET_ACCESS_KEY=OWNER[1], AWS_DEFAULT_REGION="us-east-1"
            ),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    ranked = done.stdout.decode().split()
    assert (sorted(ranked), ranked == items) == (sorted(items), False)

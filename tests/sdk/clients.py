"""Who asks: SDKs as they come, each in an environment of its own, each under a program that speaks one small protocol.

A program is given an address, and calls by name on standard input (JSON: service, method, members, keys). It makes them
in their order, once each, and prints what became of them, by the same names:

    answered   answer, status, requestId, headers (the gateway's own), faults (what the SDK's model of it says is wrong)
    refused    exception, code, status, requestId, message, headers
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, environment
from tests.sdk.calls import Call

WITHIN_S = 240.0
"""Only ends a test that would hang: each of half a hundred commands reads the CLI's models anew."""

MODELLED = frozenset({"InvalidInputException", "ResourceNotFoundException"})
"""The errors that the service's model names."""


@dataclass(frozen=True)
class Client:
    """An SDK. `needs` is the mark that its environment is complete; `raises` is its exception for errors that have none
    of their own."""

    runner: Path
    program: Path
    needs: Path
    target: str
    raises: str
    own: frozenset[str] = MODELLED

    def check(self) -> None:
        """Fail the test if the SDK's environment is not there."""
        if not self.runner.exists() or not self.needs.exists():
            pytest.fail(f"the SDK has an environment of its own: run `make {self.target}`")

    def asks(self, url: str, calls: Mapping[str, Call]) -> dict[str, Any]:
        """What becomes of calls, by name."""
        self.check()
        done = subprocess.run(
            [self.runner, self.program, url],
            input=json.dumps(calls).encode(),
            env=environment(),
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def exception(self, code: str) -> str:
        """What it raises for an error of the service."""
        return code if code in self.own else self.raises


HERE = Path(__file__).parent

BOTO3 = Client(
    runner=ROOT / ".venv-sdk/bin/python",
    program=HERE / "boto3_client.py",
    needs=ROOT / ".venv-sdk/done",
    target=".venv-sdk/done",
    raises="ClientError",
)
CLI = Client(
    runner=ROOT / ".venv-cli/bin/python",
    program=HERE / "cli_client.py",
    needs=ROOT / ".venv-cli/done",
    target="test-sdks",
    raises="exit 255",
    own=frozenset(),
)
JAVASCRIPT = Client(
    runner=Path(shutil.which("node") or "node"),
    program=HERE / "js/client.js",
    needs=HERE / "js/node_modules/.done",
    target="test-sdks",
    raises="ServiceException",
)

"""boto3 as it comes, with a key pair that the gateway's owner issued: let in by its signature, refused as by AWS."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment, running, signed
from tests.web.keys import PAIRS

PYTHON = ROOT / ".venv-sdk" / "bin" / "python"

SETTINGS = """
[auth]
mode = "sigv4"
[auth.tenants.shop]
campaigns = ["demo"]
trackers = ["demo"]
[[auth.tenants.shop.key_pairs]]
access_key_id = "{}"
secret_access_key = "{}"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What boto3 got from a gateway that asks for signatures."""
    if not PYTHON.exists():
        pytest.fail("boto3 has an environment of its own: run `make .venv-sdk/done`")
    program = Path(__file__).with_name("boto3_signed.py")
    config = tmp_path_factory.mktemp("signed") / "gateway.toml"
    config.write_text(SETTINGS.format(*PAIRS["shop"]), encoding="utf-8")
    with running("emulate", "--port", "0", env=environment()) as emulator:
        env = signed(emulator.url, AWS_ENDPOINT_URL_PERSONALIZE_EVENTS=emulator.url)
        with running("serve", "--port", "0", "--config", str(config), env=env) as gateway:
            asked = [PYTHON, program, gateway.url, *PAIRS["shop"]]
            done = subprocess.run(asked, env=environment(), capture_output=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize(("case", "outcome"), [
    ("ranking", "ok"),
    ("large", "ok"),
    ("session token", "ok"),
    ("events", "ok"),
    ("wrong secret", "InvalidSignatureException"),
    ("wrong key", "UnrecognizedClientException"),
    ("other campaign", "AccessDeniedException"),
])  # fmt: skip
def test_the_sdk_signs_and_the_gateway_verifies(told: dict[str, Any], case: str, outcome: str) -> None:
    """Calls of the pair's owner are answered; others fail with the codes that callers of AWS know."""
    assert told[case] == outcome

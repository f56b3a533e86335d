"""An environment in which the AWS SDK finds what a test sets, and nothing of the machine."""

from pathlib import Path

import pytest

OF_THE_MACHINE = (
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip


def forget_machine(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Take away what the machine has; files of a configuration and of credentials are looked for in the folder."""
    for name in OF_THE_MACHINE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))

"""A configuration file for the tests of this directory."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A TOML file that the test writes."""
    return tmp_path / "gateway.toml"

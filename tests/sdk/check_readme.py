"""The README's examples for the AWS CLI and for JavaScript work when they are pasted. Part of `make test-sdks`."""

from pathlib import Path

import pytest

from tests.sdk import readme
from tests.sdk.readme import Example, examples


@pytest.mark.parametrize("example", examples("aws"), ids=str)
def test_cli(example: Example, address: str, tmp_path: Path) -> None:
    """The commands print what the text before them says."""
    assert readme.run(example, address, tmp_path).split() == ["10000", "3", "5"]


@pytest.mark.parametrize("example", examples("js"), ids=str)
def test_javascript(example: Example, address: str, tmp_path: Path) -> None:
    """A program prints what stands beside it."""
    assert example.promised
    assert readme.run(example, address, tmp_path).splitlines() == example.promised

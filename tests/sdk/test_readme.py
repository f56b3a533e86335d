"""The README's examples for curl, the command line and boto3 work when they are pasted."""

from pathlib import Path

import pytest

from tests.sdk import readme
from tests.sdk.readme import ADDRESS, RUNNERS, Example, examples


def test_no_example_is_left_out() -> None:
    """Every example of the section is of a kind that is run, all kinds are there, and all talk to the demo."""
    assert {one.kind for one in examples()} == set(RUNNERS)
    assert [str(one) for one in examples() if ADDRESS not in one.text] == []


@pytest.mark.parametrize("example", examples("sh"), ids=str)
def test_commands(example: Example, address: str, tmp_path: Path) -> None:
    """Every command ends well, and every answer that curl prints is whole."""
    printed = readme.run(example, address, tmp_path)
    told = readme.answers(printed)
    assert len(told) == example.text.count("curl ") - example.text.count("$(curl ")
    assert [one.get("degraded") for one in told] == [None] * len(told)
    assert printed


@pytest.mark.parametrize("example", examples("python"), ids=str)
def test_python(example: Example, address: str, tmp_path: Path) -> None:
    """A program prints what stands beside it."""
    assert example.promised
    assert readme.run(example, address, tmp_path).splitlines() == example.promised


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("curl -s http://127.0.0.1:8080/v1/campaigns", False),
        ("curl -s http://127.0.0.1:8080/v1/no-such-thing", True),
        ("rerank-no-such-gateway\ntrue", True),
    ],
)
def test_a_broken_example_is_found(text: str, fails: bool, address: str, tmp_path: Path) -> None:
    """An error status, or a command that is not there, fails the example that has it."""
    if not fails:
        assert readme.answers(readme.run(Example("sh", text), address, tmp_path))
        return
    with pytest.raises(AssertionError):
        readme.run(Example("sh", text), address, tmp_path)

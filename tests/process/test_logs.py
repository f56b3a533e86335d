"""Tracebacks in the log tell the place of a fault, not whom it met."""

import subprocess
import sys

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment
from tests.support.canaries import USER

CANARY = USER


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_hold_no_ids(form: str) -> None:
    """In both forms of the log a fault leaves its traceback, and none of the values that it had in hand."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.failing_gateway", form, CANARY],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    assert done.stdout.split() == ["500", "500"]
    assert "unforeseen" in done.stderr
    assert CANARY not in done.stderr
    assert "\x1b" not in done.stderr, "colours are for terminals"

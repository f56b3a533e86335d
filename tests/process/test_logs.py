"""Tracebacks in the log tell the place of a fault, not whom it met; a log that is full stops nobody."""

import errno
import io
import subprocess
import sys
from typing import Any

import pytest
import structlog

from gateway.adapters.logs import Logger
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


class FullDisk(io.StringIO):
    """Takes nothing."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")


def onto_a_full_disk(kind: type[Any]) -> Any:
    """A logger of this class that cannot write."""
    drawn = structlog.processors.KeyValueRenderer()
    return structlog.wrap_logger(structlog.WriteLogger(FullDisk()), processors=[drawn], wrapper_class=kind)


def test_a_line_that_cannot_be_written() -> None:
    """It is dropped, and what was to be told of goes on; structlog's own logger (the control) fails."""
    onto_a_full_disk(Logger).info("request")
    with pytest.raises(OSError, match="no space"):
        onto_a_full_disk(structlog.BoundLogger).msg("request")

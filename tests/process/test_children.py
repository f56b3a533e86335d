"""Child processes of a command are gone when it is: gently, or by force."""

import signal
import subprocess
import sys

import pytest

from gateway.cli import processes
from tests.process.parts import WITHIN_S

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize(
    ("before", "within_s", "code"), [("", WITHIN_S, -signal.SIGTERM), (STUBBORN, 0, -signal.SIGKILL)]
)
def test_a_child_is_gone(monkeypatch: pytest.MonkeyPatch, before: str, within_s: float, code: int) -> None:
    """A child ends when it is told to, one that does not mind being told is killed; either is waited for."""
    monkeypatch.setattr(processes, "END_WITHIN_S", within_s)
    program = f"{before}\nprint('ready', flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin:
        assert child.stdout.readline() == "ready\n"
        processes.end(child)
    assert (child.returncode, child.stdout.closed) == (code, True)

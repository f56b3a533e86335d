"""Standard streams that are closed, full, or broken off: none of them is a reason not to serve, or to end badly."""

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process.parts import ROOT, WITHIN_S, environment, until

SERVE = (sys.executable, "-m", "gateway", "serve")


def answers(path: Path) -> bool:
    """Whether a gateway answers on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as caller, suppress(OSError):
        caller.settimeout(WITHIN_S)
        caller.connect(str(path))
        caller.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        return caller.recv(65_536).startswith(b"HTTP/1.1 200")
    return False


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", ">/dev/full"])
def test_it_serves_and_ends_well(tmp_path: Path, streams: str) -> None:
    """With all streams closed, or where its address cannot be printed, the gateway serves and ends with exit code 0."""
    path = tmp_path / "s"
    env = environment(GATEWAY_SERVER__UNIX_SOCKET=str(path), AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="b")
    process = subprocess.Popen(["sh", "-c", f'exec "$@" {streams}', "sh", *SERVE], env=env, cwd=ROOT)
    try:
        until(lambda: answers(path) or process.poll() is not None, "an answer")
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0
    finally:
        process.kill()
        process.wait()


def test_a_command_without_standard_input(tmp_path: Path) -> None:
    """Closed standard input is an empty one."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "gateway", "audit", "--campaign", "c", "--user", "u",
         "--items", "-"],
        env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "--items has 0 items" in done.stderr

"""Real processes: started, read until they say their address, and ended with the test."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from typer.testing import CliRunner

from gateway.cli import app
from tests.support.canaries import AWS_SECRET, AWS_TOKEN, watch

ROOT = Path(__file__).parents[2]
ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"

WITHIN_S = 30.0
"""Only ends a test that would hang."""

FOREIGN = ("AWS_", "GATEWAY_", "OTEL_")
"""Variables of the machine that a process under test must not see."""


def environment(**variables: str) -> dict[str, str]:
    """The environment of a process under test: nothing of AWS or ours but what the test sets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "COLUMNS": "120", **variables}


def signed(upstream: str, **variables: str) -> dict[str, str]:
    """The environment of a gateway in front of an endpoint. It makes no hedges: on a busy machine a slow call is none,
    and tests count calls."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": AWS_SECRET, "AWS_SESSION_TOKEN": AWS_TOKEN}
    campaign = {"GATEWAY_CAMPAIGNS__DEMO__ARN": ARN, "GATEWAY_SERVER__DEADLINE_MS": "20000"}
    campaign["GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE"] = "0"
    return environment(**{**keys, **campaign, "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": upstream, **variables})


def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """A command run to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        env=environment() if env is None else env,
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that starts nothing, run in this process: the same program, half a second sooner."""
    done = CliRunner().invoke(app, arguments, prog_name="rerank-gateway", env={"COLUMNS": "120"})
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@dataclass
class Running:
    """A process that has said its address; `line` is all that it said."""

    process: subprocess.Popen[str]
    line: str

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.line.split()[-1]

    @property
    def port(self) -> int:
        """The port of `url`."""
        return urlsplit(self.url).port or 0


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line of its standard output; a process that says nothing in time fails the test."""
    assert process.stdout is not None
    pipe, line = process.stdout.fileno(), b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], WITHIN_S)
        assert ready, "the process said nothing"
        read = os.read(pipe, 1)  # no more than the line: the rest is read by others
        assert read, f"the process ended after {line!r}"
        line += read
    return line.decode()


@contextmanager
def running(*arguments: str, env: Mapping[str, str], through: Sequence[str] = ()) -> Iterator[Running]:
    """A command that serves; ended, if it still runs, with the block. `through` is a program that becomes it."""
    process = subprocess.Popen(
        [*through, sys.executable, "-m", "gateway", *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Running(process, line_of(process))
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for name, pipe in (("output", process.stdout), ("error", process.stderr)):
            if pipe is not None and not pipe.closed:
                watch(f"standard {name}", rest_of(pipe.fileno()))
                pipe.close()


def rest_of(pipe: int) -> bytes:
    """What is still to be read from the pipe of a process that has ended. (Its children may hold the other end.)"""
    os.set_blocking(pipe, False)
    parts: list[bytes] = []
    try:
        while part := os.read(pipe, 65_536):
            parts.append(part)
    except BlockingIOError:
        pass
    return b"".join(parts)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition, what: str) -> None:
    """Ask again and again until the condition holds."""
    ends = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < ends, f"not in time: {what}"
        select.select([], [], [], 0.01)

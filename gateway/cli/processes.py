"""Child processes of a command: started, waited for until they say their address, and ended with the command."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.cli.console import fail

END_WITHIN_S: Final = 10.0


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Run `rerank-gateway ARGUMENTS` beside this command; gives the address that it prints when it is ready."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "gateway", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if "http://" not in line:
            fail(f"rerank-gateway {arguments[0]} did not start")
        yield line.split()[-1]
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process, gently if it will have it so, and hear no more of it."""
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()

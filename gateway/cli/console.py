"""How commands speak: results on standard output, faults on standard error, one line each, and an exit code."""

import os
import sys
from typing import NoReturn

import typer


def announce(line: str) -> None:
    """Print a line at once. That nobody can read it, or any later one, is no reason not to serve."""
    try:
        print(line, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def fail(*faults: str, code: int = 1) -> NoReturn:
    """Tell the faults and end the command."""
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    raise typer.Exit(code)

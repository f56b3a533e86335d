"""How commands speak: results on standard output, faults on standard error, one line each, and an exit code."""

import sys
from typing import NoReturn

import typer


def fail(*faults: str, code: int = 1) -> NoReturn:
    """Tell the faults and end the command."""
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    raise typer.Exit(code)

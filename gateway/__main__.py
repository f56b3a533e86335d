"""`python -m gateway` is the console script `rerank-gateway`."""

import io
import os
import sys
from pathlib import Path
from typing import Final

from gateway.cli import app

STREAMS: Final = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""The standard streams in the order of their numbers, and what is done with them."""


def main() -> None:
    """Run the command line."""
    _have_standard_streams()
    app(prog_name="rerank-gateway")


def _have_standard_streams() -> None:
    """Streams that were closed by whoever started us lead nowhere, lest sockets get their numbers: uvloop aborts then.

    Characters that the encoding of standard output lacks are spelt out, as on standard error.
    """
    nowhere = Path(os.devnull)
    while (number := os.open(nowhere, os.O_RDWR)) < len(STREAMS):
        pass
    os.close(number)
    for name, mode in STREAMS.items():
        if getattr(sys, name) is None:
            setattr(sys, name, nowhere.open(mode, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()

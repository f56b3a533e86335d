"""Ids out of files, for the commands that take lists of them."""

import csv
import sys
from pathlib import Path

from gateway.cli.console import fail


def read_ids(path: Path, column: str, *, code: int = 1) -> list[str]:
    """Ids out of a file ('-': standard input): its column if the first line names it, else its lines.

    A file that cannot be read ends the command with this exit code.
    """
    try:
        given = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = given.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: cannot be read ({type(error).__name__})", code=code)
    header = next(csv.reader(lines[:1]), [])
    if column in header:
        place = header.index(column)
        return [row[place] for row in csv.reader(lines[1:]) if len(row) > place]
    return [line.strip() for line in lines if line.strip()]

"""Files that may change while the process runs: certificates and keys that are rotated under it.

They are looked at when they are needed, once a second at most, so that there is no task and no signal to forget. What
cannot be read or understood after a change leaves the former content in force, and is logged: a rotation that went
wrong must not lock everybody out.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

LOOK_EVERY_S: Final = 1.0
"""A look is a few system calls; a rotation is no matter of milliseconds."""

T = TypeVar("T")

_log = structlog.get_logger("gateway.files")


class Watched(Generic[T]):
    """What `load` makes of some files, anew when one of them has changed.

    The first loading raises what `load` raises; a later one that raises `OSError` or `ValueError` changes nothing.
    """

    def __init__(self, files: Sequence[Path], load: Callable[[], T], now_s: Callable[[], float]) -> None:
        self._files, self._load, self._now_s = tuple(files), load, now_s
        self._stamp = self._look()
        self._value = load()
        self._looked_at_s = now_s()

    @property
    def value(self) -> T:
        """What the files say now, as of at most `LOOK_EVERY_S` ago."""
        now_s = self._now_s()
        if self._files and now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            if (stamp := self._look()) != self._stamp:
                self._stamp = stamp
                self._renew()
        return self._value

    def _renew(self) -> None:
        try:
            self._value = self._load()
        except (OSError, ValueError) as error:
            _log.error("changed files cannot be used", files=[*map(str, self._files)], error=type(error).__name__)
        else:
            _log.info("changed files are in force", files=[*map(str, self._files)])

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What tells one content of a file from another; None if there is none."""
    try:
        of = file.stat()
    except OSError:
        return None
    return of.st_mtime_ns, of.st_size, of.st_ino

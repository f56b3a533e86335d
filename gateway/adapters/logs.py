"""Structured logs on standard error: one JSON object a line (or coloured text for people), whoever wrote it.

The level may be changed while the process runs (`LEVEL`). It is that of the gateway's own lines, which hold no ids at
any level. Libraries that log through the standard library are heard from WARNING on, whatever the level, and go the
same way: at DEBUG the AWS clients print bodies, with user ids in them.
"""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, Final, Literal

import orjson
import structlog
from structlog.types import Processor

from gateway.core.log_level import RANK, Level, LogLevel

LEVEL: Final = LogLevel()
"""The level of this process, as standard error is one for the process."""


def configure(level: Level, form: Literal["json", "console"]) -> None:
    """Send all logs of the process through structlog."""
    LEVEL.set_usual(level)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]  # others show locals
    )
    structlog.configure(
        processors=[threshold, *shared, *last],
        wrapper_class=_Lines,
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[remove, *last], foreign_pre_chain=shared))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Lines(structlog.make_filtering_bound_logger("debug")):  # type: ignore[misc] # made at run time
    """Writes lines. As `threshold` decides which, it is for good, and can be kept by whoever logs."""

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of this level (of the standard library) is written: to be asked before much is told that
        hardly anybody wants to know."""
        return LEVEL.passes(logging.getLevelName(level).lower(), time.monotonic())


def threshold(_: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let pass what is grave enough for the level in force."""
    if method in RANK and not LEVEL.passes(method, time.monotonic()):
        raise structlog.DropEvent
    return line


def _dumps(line: Any, default: Any = str, **_: Any) -> str:
    return orjson.dumps(line, default=default).decode()

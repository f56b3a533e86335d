"""Structured logs on standard error: one JSON object a line (or text, coloured on a terminal), whoever wrote it. A line
that its reader has no room for is dropped (`log_stream`).

The level may be changed while the process runs (`LEVEL`). It is that of the gateway's own lines, which hold no ids at
any level. Libraries that log through the standard library are heard from WARNING on, whatever the level, and go the
same way: at DEBUG the AWS clients print bodies, with user ids in them.

Every request writes a line, so its way is short: facts are handed on as they are (structlog's own logger calls itself
with all of them by name, twice), and the second is written once a second. An access line takes 44,000 instructions
instead of 73,000, one that is dropped 12,500 instead of 22,500.
"""

import io
import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, BinaryIO, Final, Literal, cast

import orjson
import structlog
from structlog.types import Processor

from gateway.adapters.log_stream import LogStream
from gateway.core.log_level import RANK, Level, LogLevel

LEVEL: Final = LogLevel()
"""The level of this process, as standard error is one for the process."""

STREAM: Final = LogStream(2)
"""Standard error."""


def configure(level: Level, form: Literal["json", "console"]) -> None:
    """Send all logs of the process through structlog."""
    LEVEL.set_usual(level)
    shared: list[Processor] = [structlog.processors.add_log_level, Stamp()]
    for_people = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,  # others show locals
    )
    is_json = form == "json"
    STREAM.never_block()
    text = io.TextIOWrapper(STREAM, sys.stderr.encoding, "backslashreplace", line_buffering=True)
    sys.stderr = text  # Python's own warnings, and faults that nobody can be told of, go the same way
    structlog.configure(
        processors=[threshold, *shared, json_line if is_json else for_people],
        wrapper_class=Logger,
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", STREAM))
        if is_json
        else structlog.WriteLoggerFactory(text),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(text)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    last: Processor = _json_text if is_json else for_people
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[remove, last], foreign_pre_chain=shared))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class Logger(structlog.BoundLoggerBase):
    """Writes lines: an event and its facts, at a level. Which of them are written, `threshold` decides."""

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of this level (a number of the standard library) is written: to be asked before much is told
        that hardly anybody wants to know."""
        return LEVEL.passes(logging.getLevelName(level).lower(), time.monotonic())

    def debug(self, event: str, **facts: Any) -> None:
        """For whoever looks for a fault."""
        self._tell("debug", event, facts)

    def info(self, event: str, **facts: Any) -> None:
        """As it should be."""
        self._tell("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Not as it should be."""
        self._tell("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        """Somebody should look."""
        self._tell("error", event, facts)

    def exception(self, event: str, **facts: Any) -> None:
        """The same, with the traceback of what is being handled."""
        self._tell("error", event, {"exc_info": True, **facts})

    def _tell(self, level: str, event: str, facts: dict[str, Any]) -> None:
        try:
            (line,), _ = self._process_event(level, event, facts)
            self._logger.msg(line)
        except structlog.DropEvent:
            return
        except OSError:  # the terminal is closed, the disk full: no request is to fail for a line that nobody can read
            return


class Stamp:
    """Adds the time to lines: ISO 8601, UTC, to the microsecond."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def __call__(self, _: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The line with its time."""
        second, rest_ns = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line["timestamp"] = f"{self._text}.{rest_ns // 1_000:06}Z"
        return line


def threshold(_: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let pass what is grave enough for the level in force."""
    if method in RANK and not LEVEL.passes(method, time.monotonic()):
        raise structlog.DropEvent
    return line


def json_line(logger: Any, method: str, line: MutableMapping[str, Any]) -> bytes:
    """The line as JSON; few have a traceback."""
    if "exc_info" in line:
        line = structlog.processors.format_exc_info(logger, method, line)
    return orjson.dumps(line, default=repr)


def _json_text(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    return json_line(logger, method, line).decode()

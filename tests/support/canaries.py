"""Canaries: users and secrets that the whole suite works with, and a watch on everything that the gateway says.

Every user id and every secret in the tests holds `MARK`. Whatever the code under test writes in this process (logs,
errors, answers with their headers, spans, keys in memory and in Redis) and what processes started by tests write to
their standard streams goes through `watch`; a test in which the mark is seen there fails, whatever else it looks at.
What is given back on purpose is not watched: ids of items in good answers, and what a command prints. No file may have
the mark in its name, since tracebacks tell names of files.

A new place to look at: call `watch` with its text, or wrap what writes it in `HOOKS`.
"""

import asyncio.subprocess
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

MARK = "canary"
ITEM_MARK = "canary-item"
"""Items are no secret to those who sent them: their ids stand in good answers and in values of the cache."""

USER, OTHER_USER = "canary-user-1", "canary-user-2"
AWS_SECRET, AWS_TOKEN = "canary-aws-secret-K7MDENG", "canary-aws-session-token"
REDIS_PASSWORD = "canary-redis-password"

AROUND = 60
"""Characters told on both sides of what was seen."""

_MARK = MARK.encode()
_seen: list[str] = []
_installed: list[bool] = []


def watch(where: str, text: str | bytes | bytearray | memoryview, *, items: bool = False) -> None:
    """Look for the mark in a text that the gateway gave away; `items` may be in it."""
    if isinstance(text, memoryview):
        text = bytes(text)
    if (MARK in text) if isinstance(text, str) else (_MARK in text):
        said = text if isinstance(text, str) else text.decode("utf-8", "replace")
        rest = said.replace(ITEM_MARK, "item") if items else said
        if (at := rest.find(MARK)) >= 0:
            _seen.append(f"{where}: ...{rest[max(0, at - AROUND) : at + AROUND]!r}...")


def seen() -> list[str]:
    """What was seen since the last time."""
    found = _seen[:]
    del _seen[: len(found)]
    return found


@contextmanager
def planted() -> Iterator[list[str]]:
    """For tests of the watch: what is seen in the block is given to it, and fails nothing."""
    before = seen()
    found: list[str] = []
    yield found
    found += seen()
    _seen[:0] = before


# --- what is watched in this process, by module: the code under test need not know ------------------------------------


def _before(name: str, look: Callable[..., None]) -> Callable[[Any], None]:
    """Wraps a method so that `look` gets its arguments first."""

    def wrap(owner: Any) -> None:
        plain = getattr(owner, name)

        @wraps(plain)
        def watched(*args: Any, **kwargs: Any) -> Any:
            look(*args, **kwargs)
            return plain(*args, **kwargs)

        setattr(owner, name, watched)

    return wrap


def _log_line(_: Any, method: str, event: str | None, facts: Mapping[str, Any]) -> None:
    watch("log", f"{event} {facts}")
    given = facts.get("exc_info")
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if given or method == "exception":
        watch("log", "".join(traceback.format_exception(error)) if error is not None else "")


def _error(_: Any, *args: Any) -> None:
    watch("error", str(args))


def _kept(_: Any, key: str, *__: Any, **___: Any) -> None:
    watch("key in memory", key)


def _redis(_: Any, __: Any, ___: float, *command: Any, **____: Any) -> None:
    for part in command:
        watch("Redis", part if isinstance(part, bytes) else str(part), items=isinstance(part, bytes))


def _span(span: Any, *_: Any, **__: Any) -> None:
    watch("span", f"{span.name} {dict(span.attributes or {})} {[(one.name, one.attributes) for one in span.events]}")


def _answers(owner: Any) -> None:
    """Watch what the doors answer: errors whole, good answers but for the items in them."""
    plain = owner._start

    async def watched(response: Any, request: Any) -> Any:
        begun = await plain(response, request)
        if response.headers.get("Server") == "rerank-gateway":
            watch("answer's head", str(response.headers))
            if isinstance(body := response.body, bytes | bytearray | memoryview):
                watch(f"answer {response.status}", body, items=response.status < 400)
        return begun

    owner._start = watched


def _communicate(owner: Any) -> None:
    """Watch what a process said on its standard error; of a gateway that serves, also on its standard output."""
    plain = owner.communicate

    @wraps(plain)
    def watched(process: Any, *args: Any, **kwargs: Any) -> Any:
        out, err = plain(process, *args, **kwargs)
        watch("standard error", err or "")
        if "serve" in (process.args if isinstance(process.args, list | tuple) else ()):
            watch("standard output", out or "")
        return out, err

    owner.communicate = watched


def _communicate_async(owner: Any) -> None:
    """The same of a process of asyncio."""
    plain = owner.communicate

    @wraps(plain)
    async def watched(process: Any, *args: Any, **kwargs: Any) -> Any:
        out, err = await plain(process, *args, **kwargs)
        watch("standard error", err or b"")
        return out, err

    owner.communicate = watched


HOOKS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "structlog._base": ("BoundLoggerBase", _before("_process_event", _log_line)),
    "aiohttp.web_response": ("Response", _answers),
    "gateway.core.errors": ("GatewayError", _before("__init__", _error)),
    "gateway.adapters.memory_store": ("Bounded", _before("put", _kept)),
    "gateway.adapters.redis_asker": ("Asker", _before("ask", _redis)),
    "opentelemetry.sdk.trace": ("Span", _before("end", _span)),
}
"""By module: the class that all of it goes through, and what wraps it. A module that no test imports says nothing."""


class _Heard(logging.Handler):
    """Watches what is logged through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        watch("log", record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            watch("log", "".join(traceback.format_exception(record.exc_info[1])))


def install() -> None:
    """Begin to watch, once all tests have been imported. Doing it again changes nothing."""
    if _installed:
        return
    _installed.append(True)
    for module, (name, wrap) in HOOKS.items():
        if module in sys.modules:
            wrap(getattr(sys.modules[module], name))
    _communicate(subprocess.Popen)
    _communicate_async(asyncio.subprocess.Process)
    logging.getLogger().addHandler(_Heard())

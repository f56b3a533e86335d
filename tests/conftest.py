"""What holds for all tests: which event loop they run on, what a line of the log costs, that no canary is ever seen.

The loop is uvloop, as in production, unless a directory's own conftest says otherwise; lines of the log below the usual
level cost a test nothing; canaries are those of `support.canaries`; and that no test of many examples is timed.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import pytest
import structlog
import uvloop
from hypothesis import settings

from gateway.adapters.logs import threshold
from tests.support import canaries


def pytest_configure() -> None:
    """No loop but those of the tests: asking for the current one must not make one that nobody closes."""
    asyncio.set_event_loop(None)
    settings.register_profile("untimed", deadline=None)  # an example that is slow says something of the machine
    settings.load_profile("untimed")
    structlog.configure(processors=[threshold, *structlog.get_config()["processors"]])


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test that opens a socket runs on the loop that production uses."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_finish() -> None:
    """Watch what the code under test says, from the first test on."""
    canaries.install()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """A test in which a canary was seen has failed, whatever else it found."""
    result = yield
    _nothing_was_seen()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    """The same of what was said while its fixtures ended."""
    result = yield
    _nothing_was_seen()
    return result


def _nothing_was_seen() -> None:
    if seen := canaries.seen():
        pytest.fail("a user or a secret was given away:\n" + "\n".join(seen[:10]), pytrace=False)

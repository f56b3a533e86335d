"""Which event loop a test runs on: uvloop, as production does, unless a directory's own conftest says otherwise; and
that lines of the log below the usual level cost a test nothing."""

import asyncio
from collections.abc import Callable

import pytest
import structlog
import uvloop

from gateway.adapters.logs import threshold


def pytest_configure() -> None:
    """No loop but those of the tests: asking for the current one must not make one that nobody closes."""
    asyncio.set_event_loop(None)
    structlog.configure(processors=[threshold, *structlog.get_config()["processors"]])


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test that opens a socket runs on the loop that production uses."""
    return {"uvloop": uvloop.new_event_loop}

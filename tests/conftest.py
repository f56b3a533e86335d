"""Which event loop a test runs on: uvloop, as production does, unless a directory's own conftest says otherwise."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop


def pytest_configure() -> None:
    """No loop but those of the tests: asking for the current one must not make one that nobody closes."""
    asyncio.set_event_loop(None)


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test that opens a socket runs on the loop that production uses."""
    return {"uvloop": uvloop.new_event_loop}

"""Which event loop a test runs on: uvloop, as production does, except where a directory's own conftest says otherwise."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test that opens a socket runs on the loop that production uses."""
    return {"uvloop": uvloop.new_event_loop}

"""Service tests run on a virtual clock: time passes only when everybody waits, so an hour takes no time."""

import asyncio
from collections.abc import Callable

import looptime
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop whose clock jumps to the next timer."""
    return {"virtual": looptime.new_event_loop}

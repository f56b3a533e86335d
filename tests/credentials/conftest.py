"""Credentials on a virtual clock: an hour of validity takes no time, and who waits is seen by the clock moving."""

import asyncio
from collections.abc import Callable

import looptime
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop whose clock jumps to the next timer."""
    return {"virtual": looptime.new_event_loop}

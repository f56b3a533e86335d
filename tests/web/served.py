"""A gateway on a loop and a thread of its own, for callers that are no coroutines."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvloop
from aiohttp.test_utils import TestServer

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from tests.support.gateway_parts import make_service
from tests.support.listing_ranker import ListingRanker

LONG_MS = 30_000
"""A deadline that no request meets."""

WITHIN_S = 20.0
"""Only ends a test that would hang."""


def dropped(*_: Any) -> Any:
    """No log line of thousands of requests."""
    raise structlog.DropEvent


@contextmanager
def served(**parts: Any) -> Iterator[str]:
    """The address of a gateway that answers until the block ends, and logs nothing."""
    began, address, ends = threading.Event(), [], []

    async def serve() -> None:
        app = build_app(make_service(ListingRanker()), ServerSettings(deadline_ms=LONG_MS), **parts)
        end = asyncio.Event()
        async with TestServer(app) as server:
            address.append(str(server.make_url("")).rstrip("/"))
            ends.append((asyncio.get_running_loop(), end))
            began.set()
            await end.wait()

    structlog.configure(processors=[dropped])
    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    assert began.wait(WITHIN_S)
    yield address[0]
    loop, end = ends[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(WITHIN_S)
    structlog.reset_defaults()

"""The whole HTTP surface on a real socket, around a ranker in this process; set up as `wiring` does it."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.adapters.logs import threshold
from gateway.settings import ServerSettings
from gateway.settings_auth import AuthSettings
from gateway.web.app import build_app
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.parts import LOGITS, Client
from tests.web.tenants import CAMPAIGNS, TENANTS

Connect = Callable[..., Awaitable[Client]]

LONG_MS = 30_000
"""A deadline that no test meets, for tests that are about something else."""


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    """What the gateway logs, kept off the screen."""
    with capture_logs([threshold]) as captured:
        yield captured


@pytest.fixture
def ranker() -> SoftmaxRanker:
    """Knows `LOGITS`, the same for every user."""
    return SoftmaxRanker(lambda _: LOGITS)


@pytest.fixture
def connect(aiohttp_client: Callable[..., Awaitable[Client]], ranker: SoftmaxRanker) -> Connect:
    """`await connect(server=..., auth=..., ranker=..., **parts of make_service)` connects to a new gateway."""

    async def made(
        *,
        server: dict[str, Any] | None = None,
        auth: AuthSettings | None = None,
        ranker: SoftmaxRanker = ranker,
        **parts: Any,
    ) -> Client:
        settings = ServerSettings(**{"deadline_ms": LONG_MS, **(server or {})})
        app = build_app(make_service(ranker, **parts), settings, auth)
        return await aiohttp_client(app)  # which cancels the handlers of callers that have gone, as `serving` does

    return made


@pytest.fixture
async def client(connect: Connect) -> Client:
    """A client of a gateway with defaults."""
    return await connect()


@pytest.fixture
async def shared(connect: Connect) -> Client:
    """A client of a gateway of two tenants with three campaigns."""
    return await connect(auth=TENANTS, campaigns=CAMPAIGNS)

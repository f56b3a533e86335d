"""Gateways as `wiring` makes them, in front of an endpoint that can break; once for every transport."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from gateway import settings
from gateway.adapters.logs import threshold
from gateway.web.app import build_app
from gateway.wiring import open_service
from tests.faults.naive import Naive, naive
from tests.faults.parts import LONG_MS, Gateway, arn_of
from tests.support.canaries import AWS_SECRET, AWS_TOKEN
from tests.support.machine import forget_machine
from tests.support.model_upstream import server
from tests.support.model_upstream.server import ModelUpstream

Start = Callable[..., Awaitable[Gateway]]

TRANSPORTS: dict[str, dict[str, str]] = {"lean": {"GATEWAY_TRANSPORT": "lean"}}
"""What calls campaigns, and the variables that choose it. Its reference keeps the same contract in `tests/adapters`."""


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a transport."""
    return TRANSPORTS[request.param]


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    """What the gateway logs, kept off the screen."""
    with capture_logs([threshold]) as captured:
        yield captured


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path) -> pytest.MonkeyPatch:
    """Credentials, and nothing of this machine."""
    forget_machine(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", AWS_TOKEN)
    return monkeypatch


@pytest.fixture
async def upstream() -> AsyncIterator[ModelUpstream]:
    """A healthy endpoint. When all its clients have been closed, none of their connections is left."""
    async with server.listening() as upstream:
        yield upstream


@pytest.fixture
async def start(aws: pytest.MonkeyPatch, upstream: ModelUpstream, transport: dict[str, str]) -> AsyncIterator[Start]:
    """`await start(NAME={"setting": "value"}, ...)` is a gateway with these campaigns; `url`: not straight upstream."""
    async with AsyncExitStack() as stack:

        async def started(url: str | None = None, **campaigns: dict[str, str]) -> Gateway:
            aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", url or upstream.url)
            variables = {"GATEWAY_SERVER__DEADLINE_MS": str(LONG_MS), **transport}
            for name, values in campaigns.items():
                for setting, value in {"arn": arn_of(name), **values}.items():
                    variables[f"GATEWAY_CAMPAIGNS__{name}__{setting}".upper()] = value
            chosen = settings.load(environment=variables)
            service = await stack.enter_async_context(open_service(chosen))
            client = await stack.enter_async_context(TestClient(TestServer(build_app(service, chosen.server))))
            return Gateway(client, service, upstream)

        yield started
    async with asyncio.timeout(10):
        while upstream.stats.open:
            await asyncio.sleep(0.005)


@pytest.fixture
async def plain(aws: pytest.MonkeyPatch, upstream: ModelUpstream) -> AsyncIterator[Naive]:
    """The positive control, straight in front of the endpoint."""
    async with naive(upstream.url) as client:
        yield client

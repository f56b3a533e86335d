"""Gateways with a tracer that keeps its spans in memory."""

from collections.abc import Awaitable, Callable

import pytest

from gateway.settings import ServerSettings
from gateway.web.app import build_app
from tests.faults.conftest import aws, lines, start, transport, upstream  # noqa: F401 - fixtures
from tests.support.gateway_parts import make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.traces.recorder import RECORDERS, Recorder
from tests.web.parts import LOGITS, Client

Connect = Callable[..., Awaitable[Client]]


@pytest.fixture(params=RECORDERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Who records: the SDK, or we ourselves."""
    return str(request.param)


@pytest.fixture
def recorder(kind: str) -> Recorder:
    """Keeps the spans of every request whose caller does not say that its trace is not sampled."""
    return RECORDERS[kind]()


@pytest.fixture
def connect(aiohttp_client: Callable[..., Awaitable[Client]], recorder: Recorder) -> Connect:
    """`await connect(ranker=..., tracer=..., **parts of make_service)` connects to a new gateway."""

    async def made(ranker: SoftmaxRanker | None = None, recorder: Recorder = recorder, **parts: object) -> Client:
        service = make_service(ranker or SoftmaxRanker(lambda _: LOGITS), **parts)  # type: ignore[arg-type]
        service.tracer = recorder.tracer
        return await aiohttp_client(build_app(service, ServerSettings(deadline_ms=30_000)))

    return made

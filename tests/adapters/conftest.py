"""A ranker of the gateway, with credentials, in front of a fake endpoint."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.lean import LeanRanker
from gateway.adapters.personalize import PersonalizeRanker
from gateway.ports import Ranker
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import Upstream
from tests.support.canaries import AWS_SECRET, AWS_TOKEN
from tests.support.machine import forget_machine

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", AWS_SECRET, AWS_TOKEN


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path) -> pytest.MonkeyPatch:
    """An environment in which the credential chain finds what the test sets, and nothing of this machine."""
    forget_machine(monkeypatch, tmp_path)
    return monkeypatch


@pytest.fixture
def credentials(aws: pytest.MonkeyPatch) -> None:
    """A key pair with a session token in the environment."""
    aws.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    aws.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    aws.setenv("AWS_SESSION_TOKEN", TOKEN)


@pytest.fixture
async def upstream(aws: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """An endpoint that answers well until told otherwise; the SDK's own variable points at it."""
    async with fake_upstream.listening() as upstream:
        aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", upstream.url)
        yield upstream


Transport = Callable[[AwsClients], AbstractAsyncContextManager[Any]]
"""What makes a ranker over clients: one of the two transports."""


@asynccontextmanager
async def reference(clients: AwsClients) -> AsyncIterator[PersonalizeRanker]:
    """The transport of aiobotocore."""
    yield PersonalizeRanker(clients)


TRANSPORTS: dict[str, Transport] = {"aiobotocore": reference, "lean": LeanRanker}


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each of the two transports: what is said of a ranker is said of both."""
    return TRANSPORTS[request.param]


@pytest.fixture
async def clients(aws: pytest.MonkeyPatch, credentials: None, upstream: Upstream) -> AsyncIterator[AwsClients]:
    """The clients below the ranker."""
    async with AwsClients(connections_max=1_000) as clients:
        yield clients


@pytest.fixture
async def ranker(clients: AwsClients, transport: Transport) -> AsyncIterator[Ranker]:
    """The adapter under test."""
    async with transport(clients) as ranker:
        yield ranker

"""Credentials: whether there are any, and what a call becomes without them."""

from pathlib import Path

import pytest

from gateway.adapters.aws_clients import AwsClients
from gateway.core import errors
from tests.adapters.conftest import KEY_ID, SECRET, Transport
from tests.adapters.fake_upstream import Upstream
from tests.adapters.test_upstream_answers import ARN, CALL

PROFILE = f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"


async def test_with_credentials(aws: pytest.MonkeyPatch, credentials: None) -> None:
    """A key pair in the environment is enough to sign."""
    async with AwsClients(connections_max=1) as clients:
        assert clients.has_credentials()


async def test_without_credentials(aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport) -> None:
    """Without credentials readiness is denied, and a call is the gateway's own fault, unsent and not retried."""
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        assert not clients.has_credentials()
        with pytest.raises(errors.AccessDenied) as raised:
            await ranker.rank(CALL)
    assert not raised.value.retryable
    assert upstream.sent == []


async def test_half_a_key_pair(aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport) -> None:
    """A key id without its secret is no credentials."""
    aws.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        assert not clients.has_credentials()
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)


async def test_credentials_that_come_late(
    aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport, tmp_path: Path
) -> None:
    """Once credentials are there and readiness says so, calls are signed with them, also over clients made before."""
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        await ranker.open([ARN])
        assert not clients.has_credentials()
        (tmp_path / "credentials").write_text(PROFILE, encoding="utf-8")
        assert await clients.credentials.renewed(None)
        assert clients.has_credentials()
        assert len((await ranker.rank(CALL)).positions) == 3


async def test_a_profile_that_does_not_exist(aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport) -> None:
    """A wrong AWS_PROFILE is a fault of the gateway's credentials, not an unexpected error of every call."""
    aws.setenv("AWS_PROFILE", "nobody")
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        assert not clients.has_credentials()
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)

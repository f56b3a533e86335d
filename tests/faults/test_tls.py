"""TLS to the campaign: whoever cannot prove to be it is not told a user's id, and is not asked again and again."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.faults.conftest import Start
from tests.faults.naive import naive
from tests.faults.parts import WITHIN_S, arn_of, items, whole
from tests.support.model_upstream import server
from tests.support.model_upstream.server import ModelUpstream

FEW = items(60)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ours() -> trustme.CA:
    """The authority that the gateway trusts."""
    return trustme.CA()


@pytest.fixture
def trusting(aws: pytest.MonkeyPatch, ours: trustme.CA, tmp_path: Path) -> None:
    """The SDK's own variable names our authority."""
    ours.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    aws.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))


@asynccontextmanager
async def behind(certificate: trustme.LeafCert) -> AsyncIterator[ModelUpstream]:
    """An endpoint that shows this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    async with server.listening(ssl=context) as upstream:
        yield upstream


def certificates(ours: trustme.CA) -> dict[str, trustme.LeafCert]:
    """Certificates that prove nothing."""
    return {
        "wrong authority": trustme.CA().issue_cert("localhost"),
        "expired": ours.issue_cert("localhost", not_after=LONG_AGO),
        "wrong name": ours.issue_cert("somebody-else.example.com"),
    }


async def test_a_good_certificate(start: Start, trusting: None, ours: trustme.CA) -> None:
    """Over TLS to the one who can prove to be the campaign, answers are whole."""
    async with behind(ours.issue_cert("localhost")) as upstream:
        gateway = await start(upstream.url, demo={})
        assert whole(await gateway.ask("demo", "user-a", items(800)))


@pytest.mark.parametrize("what", ["wrong authority", "expired", "wrong name"])
async def test_a_certificate_that_proves_nothing(start: Start, trusting: None, ours: trustme.CA, what: str) -> None:
    """No request is sent, the caller is told that the campaign is not available, and no more than one retry is made.

    The positive control is a naive client that was told not to look: it sends user and session token to anybody.
    """
    async with behind(certificates(ours)[what]) as upstream:
        gateway = await start(upstream.url, demo={}, kind={"fallback": "input-order"})
        said = await gateway.ask("demo", "user-a", FEW)
        assert (said.status, said.slug) == (503, "upstream-unavailable")
        assert (await gateway.ask("kind", "user-a", FEW)).flag == "fallback"
        assert upstream.stats.attempts == 0
        assert upstream.stats.connections <= 4
        async with naive(upstream.url, verify=False) as blind:
            assert await blind.outcome(arn_of("demo"), "user-a", FEW, patience_s=WITHIN_S) == "right"

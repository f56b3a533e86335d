"""TLS upstream: the service's certificate is checked, and nothing is said to who cannot show one."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from gateway.adapters.aws_clients import AwsClients
from gateway.core import errors
from tests.adapters import fake_upstream
from tests.adapters.conftest import Transport
from tests.adapters.fake_upstream import Upstream
from tests.adapters.test_upstream_answers import CALL

NOW = datetime.now(UTC)
AUTHORITY = trustme.CA()
STRANGER = trustme.CA()


@pytest.fixture
def bundle(aws: pytest.MonkeyPatch, credentials: None, tmp_path: Path) -> Path:
    """The authority of the tests, in a file that AWS_CA_BUNDLE names."""
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    aws.setenv("AWS_CA_BUNDLE", str(path))
    return path


@asynccontextmanager
async def serving(aws: pytest.MonkeyPatch, certificate: trustme.LeafCert, **options: object) -> AsyncIterator[Upstream]:
    """An endpoint that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in options.items():
        setattr(context, name, value)
    async with fake_upstream.listening(tls=context) as upstream:
        aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", upstream.url)
        yield upstream


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_trusted_endpoint(
    aws: pytest.MonkeyPatch, bundle: Path, transport: Transport, version: ssl.TLSVersion
) -> None:
    """An endpoint whose certificate the bundle vouches for is called, and its connection used again."""
    async with (
        serving(aws, AUTHORITY.issue_cert("127.0.0.1"), maximum_version=version) as upstream,
        AwsClients(connections_max=9) as clients,
        transport(clients) as ranker,
    ):
        for _ in range(3):
            assert len((await ranker.rank(CALL)).positions) == 3
        assert (len(upstream.sent), upstream.connections) == (3, 1)
        assert upstream.sent[0].headers["host"] == upstream.url.removeprefix("https://")


async def test_the_name_is_sent_and_checked(aws: pytest.MonkeyPatch, bundle: Path, transport: Transport) -> None:
    """The host's name is told in the handshake, so that the endpoint can choose its certificate, and is what counts."""
    names: list[str] = []
    certificate = AUTHORITY.issue_cert("localhost")

    async with serving(aws, certificate) as upstream:
        # `set_servername_callback` is told what the client asks for.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        context.sni_callback = lambda _, name, __: names.append(name)
        async with fake_upstream.listening(tls=context) as named:
            aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", named.url.replace("127.0.0.1", "localhost"))
            async with AwsClients(connections_max=9) as clients, transport(clients) as ranker:
                assert len((await ranker.rank(CALL)).positions) == 3
    assert names == ["localhost"]
    assert upstream.connections == 0


FORGED = {
    "of a strange authority": lambda: STRANGER.issue_cert("127.0.0.1"),
    "of another host": lambda: AUTHORITY.issue_cert("elsewhere.example"),
    "of another address": lambda: AUTHORITY.issue_cert("127.0.0.2"),
    "expired": lambda: AUTHORITY.issue_cert(
        "127.0.0.1", not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1)
    ),
    "not valid yet": lambda: AUTHORITY.issue_cert("127.0.0.1", not_before=NOW + timedelta(days=1)),
}


@pytest.mark.parametrize("name", FORGED)
async def test_an_endpoint_that_is_not_trusted(
    aws: pytest.MonkeyPatch, bundle: Path, transport: Transport, name: str
) -> None:
    """A certificate that proves nothing ends the call before a byte of it is sent, and trying again is no use."""
    async with (
        serving(aws, FORGED[name]()) as upstream,
        AwsClients(connections_max=9) as clients,
        transport(clients) as ranker,
    ):
        with pytest.raises(errors.Unavailable) as raised:
            await ranker.rank(CALL)
    assert type(raised.value) is errors.Untrusted
    assert not raised.value.retryable
    assert upstream.sent == []


async def test_without_the_bundle(aws: pytest.MonkeyPatch, credentials: None, transport: Transport) -> None:
    """The control of the bundle: the public authorities do not vouch for ours."""
    async with (
        serving(aws, AUTHORITY.issue_cert("127.0.0.1")) as upstream,
        AwsClients(connections_max=9) as clients,
        transport(clients) as ranker,
    ):
        with pytest.raises(errors.Untrusted):
            await ranker.rank(CALL)
    assert upstream.sent == []


async def test_the_bundle_of_a_profile(aws: pytest.MonkeyPatch, bundle: Path, transport: Transport) -> None:
    """The profile's `ca_bundle` counts as the environment's variable does."""
    aws.delenv("AWS_CA_BUNDLE")
    (bundle.parent / "config").write_text(f"[default]\nca_bundle = {bundle}\n", encoding="utf-8")
    async with (
        serving(aws, AUTHORITY.issue_cert("127.0.0.1")),
        AwsClients(connections_max=9) as clients,
        transport(clients) as ranker,
    ):
        assert len((await ranker.rank(CALL)).positions) == 3


async def test_a_bundle_that_is_not_there(aws: pytest.MonkeyPatch, credentials: None, transport: Transport) -> None:
    """A bundle that cannot be read fails the call; it never means that nothing is checked."""
    aws.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    async with (
        serving(aws, AUTHORITY.issue_cert("127.0.0.1")) as upstream,
        AwsClients(connections_max=9) as clients,
        transport(clients) as ranker,
    ):
        with pytest.raises(errors.Unavailable):
            await ranker.rank(CALL)
    assert upstream.sent == []


async def test_a_call_cancelled_in_the_handshake(aws: pytest.MonkeyPatch, bundle: Path, transport: Transport) -> None:
    """A caller that goes while TLS is agreed on leaves no connection behind."""
    async with fake_upstream.listening() as upstream:  # it never says a word of TLS
        aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", upstream.url.replace("http:", "https:"))
        async with AwsClients(connections_max=9) as clients, transport(clients) as ranker:
            call = asyncio.get_running_loop().create_task(ranker.rank(CALL))
            async with asyncio.timeout(10):
                while not upstream.connections:
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.wait([call])
                await upstream.closed.acquire()
            assert call.cancelled()
            assert upstream.open == 0


async def test_a_handshake_that_is_cut_off(aws: pytest.MonkeyPatch, bundle: Path, transport: Transport) -> None:
    """A server that hangs up before it has shown anything is away, not false: that may be tried again."""
    server = await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", f"https://127.0.0.1:{port}")
    async with AwsClients(connections_max=9) as clients, transport(clients) as ranker:
        with pytest.raises(errors.Unavailable) as raised:
            await ranker.rank(CALL)
    server.close()
    await server.wait_closed()
    assert type(raised.value) is errors.Unavailable
    assert raised.value.retryable

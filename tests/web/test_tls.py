"""TLS on the listener: whom it takes, whom it refuses, and papers that change under it."""

import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.web import watched
from gateway.web.tls import Papers
from tests.support.virtual_clock import SetClock
from tests.web.listening import Wire, listening, until, wire

LIVE = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n"


class Office:
    """An authority, and the files of a server that it has certified."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.client_ca = trustme.CA()
        self.cert, self.key, self.clients = (folder / f"{name}.pem" for name in ("cert", "key", "clients"))
        self.issue("127.0.0.1")
        self.client_ca.cert_pem.write_to_path(self.clients)

    def issue(self, *names: str, ca: trustme.CA | None = None) -> None:
        """Write a new certificate with its key."""
        issued = (ca or self.ca).issue_cert(*names)
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    def caller(self, of: trustme.CA | None = None, **how: Any) -> ssl.SSLContext:
        """A caller's context, with a certificate of an authority or without."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if of is not None:
            of.issue_cert("caller@example.org", **how).configure_cert(context)
        return context


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Papers of its own for every test."""
    return Office(tmp_path)


async def answered(caller: Wire) -> int:
    """The status of an answer over the connection."""
    caller.send(LIVE)
    return (await caller.answer())[0]


async def refused(site: Any, context: ssl.SSLContext) -> bool:
    """Whether a caller is turned away: in the handshake, or (by TLS 1.3) with its first word."""
    try:
        async with wire(site, context) as caller:
            caller.send(LIVE)
            return not (await caller.reader.read(1))
    except (ssl.SSLError, ConnectionResetError):
        return True


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_caller_that_trusts_the_authority(office: Office, version: ssl.TLSVersion) -> None:
    """By TLS 1.2 and 1.3 the gateway answers under its certificate."""
    context = office.caller()
    context.minimum_version = context.maximum_version = version
    papers = Papers.of(office.cert, office.key, None, SetClock())
    async with listening(tls=papers) as site, wire(site, context) as caller:
        assert site.name.startswith("https://")
        assert await answered(caller) == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_older_versions_are_refused(office: Office) -> None:
    """TLS 1.1 is not spoken."""
    context = office.caller()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(tls=Papers.of(office.cert, office.key, None, SetClock())) as site:
        assert await refused(site, context)


async def test_plain_http_on_a_tls_port(office: Office) -> None:
    """A caller that does not speak TLS gets no answer in HTTP, and its connection is closed."""
    async with listening(tls=Papers.of(office.cert, office.key, None, SetClock())) as site, wire(site) as caller:
        caller.send(LIVE)
        assert b"HTTP" not in await caller.end()


async def test_mutual_tls(office: Office) -> None:
    """Where callers are asked for certificates, only one of the right authority, in its time, gets in."""
    papers = Papers.of(office.cert, office.key, office.clients, SetClock())
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    async with listening(tls=papers) as site:
        async with wire(site, office.caller(office.client_ca)) as caller:
            assert await answered(caller) == 200
        assert await refused(site, office.caller())
        assert await refused(site, office.caller(trustme.CA()))
        assert await refused(site, office.caller(office.ca))  # the server's own authority does not vouch for callers
        assert await refused(site, office.caller(office.client_ca, not_after=past))


async def test_a_certificate_that_is_renewed(office: Office) -> None:
    """New files are in force for new connections, within a second; one that is open lives on."""
    clock = SetClock()
    papers = Papers.of(office.cert, office.key, None, clock)
    async with listening(tls=papers) as site, wire(site, office.caller()) as old:
        assert await answered(old) == 200
        newer = trustme.CA()
        office.issue("127.0.0.1", ca=newer)
        async with wire(site, office.caller()) as again:  # files are not looked at for every connection
            assert await answered(again) == 200
        clock.now_s += watched.LOOK_EVERY_S
        assert await refused(site, office.caller())
        context = ssl.create_default_context()
        newer.configure_trust(context)
        async with wire(site, context) as new:
            assert await answered(new) == 200
        assert await answered(old) == 200


async def test_an_authority_that_is_withdrawn(office: Office) -> None:
    """Callers of an authority that is no longer in the file are refused from then on: trust does not pile up."""
    clock = SetClock()
    async with listening(tls=Papers.of(office.cert, office.key, office.clients, clock)) as site:
        newer = trustme.CA()
        newer.cert_pem.write_to_path(office.clients)
        clock.now_s += watched.LOOK_EVERY_S
        assert await refused(site, office.caller(office.client_ca))
        async with wire(site, office.caller(newer)) as caller:
            assert await answered(caller) == 200


@pytest.mark.parametrize("content", [b"", b"junk", None])
async def test_a_renewal_that_went_wrong(office: Office, lines: list[Any], content: bytes | None) -> None:
    """Files that cannot be used leave the old papers in force, which is logged; the next good ones are taken."""
    clock = SetClock()
    async with listening(tls=Papers.of(office.cert, office.key, None, clock)) as site:
        if content is None:
            office.key.unlink()
        else:
            office.cert.write_bytes(content)
        clock.now_s += watched.LOOK_EVERY_S
        async with wire(site, office.caller()) as caller:
            assert await answered(caller) == 200
        assert "changed files cannot be used" in [line["event"] for line in lines]
        office.issue("127.0.0.1")
        clock.now_s += watched.LOOK_EVERY_S
        async with wire(site, office.caller()) as caller:
            assert await answered(caller) == 200
        await until(lambda: "changed files are in force" in [line["event"] for line in lines])


def test_papers_that_cannot_be_used_at_all(office: Office, tmp_path: Path) -> None:
    """At the start a file that is missing, or is none, is an error."""
    with pytest.raises(OSError, match="No such file"):
        Papers.of(tmp_path / "missing", office.key, None, SetClock())
    office.key.write_bytes(b"junk")
    with pytest.raises(OSError):  # noqa: PT011 - an ssl.SSLError, worded by OpenSSL
        Papers.of(office.cert, office.key, None, SetClock())

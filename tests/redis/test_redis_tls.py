"""TLS: a private CA, a client certificate, and what is refused without them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import frame_of, key_of, until
from tests.redis.servers import Server, binaries, free_port

KEY = key_of("tls")


def openssl(*arguments):
    """Run openssl; it has no Python package here."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_ca(directory: Path, name: str) -> Path:
    """A certificate authority of our own, with the extensions that Python 3.13 insists on."""
    pem, key = directory / f"{name}.pem", directory / f"{name}.key"
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-addext", "keyUsage=critical,keyCertSign")
    openssl(*new, "-subj", f"/CN={name}", "-keyout", key, "-out", pem)
    return pem


def make_certificate(directory: Path, ca: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by the authority."""
    pem, key, request, names = (directory / f"{name}.{kind}" for kind in ("pem", "key", "csr", "ext"))
    names.write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        ca,
        "-CAkey",
        ca.with_suffix(".key"),
        "-CAcreateserial",
        "-days",
        2,
        "-extfile",
        names,
        "-out",
        pem,
    )
    return pem, key


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Two authorities, and certificates of the first."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    directory = tmp_path_factory.mktemp("papers")
    ca, foreign = make_ca(directory, "ca"), make_ca(directory, "foreign")
    return {
        "ca": ca,
        "foreign": foreign,
        "server": make_certificate(directory, ca, "server"),
        "client": make_certificate(directory, ca, "client"),
    }


@pytest.fixture(params=["no", "yes"])
def tls(request, tmp_path, papers):
    """A server that speaks TLS, with and without asking for client certificates: (server, its port, asks)."""
    pem, key = papers["server"]
    port = free_port()
    options = {
        "tls-port": str(port),
        "tls-cert-file": str(pem),
        "tls-key-file": str(key),
        "tls-ca-cert-file": str(papers["ca"]),
        "tls-auth-clients": request.param,
    }
    for binary in binaries().values():
        server = Server(tmp_path / binary.name, binary, options)
        try:
            server.start()
        except AssertionError:  # it does not know the options, and ended
            continue
        yield server, port, request.param == "yes"
        server.kill()
        return
    pytest.skip("no server binary here speaks TLS (Debian's redis-server does)")


def options_for(port, papers, *, ca="ca", client=False):
    """The store's options for this server."""
    pem, key = papers["client"] if client else (None, None)
    return RedisOptions(f"rediss://127.0.0.1:{port}", timeout_ms=500, ca_file=papers[ca], cert_file=pem, key_file=key)


async def test_right_papers_are_let_in(tls, papers):
    """With the CA that signed the server, and a client certificate where one is asked for, frames are kept."""
    _, port, asks = tls
    async with RedisStore(options_for(port, papers, client=asks)) as store:
        await store.save(KEY, frame_of(1_000), 60.0)
        assert len((await store.load(KEY)).frame) == 1_000
        assert not store.stats.errors


async def test_a_foreign_authority_is_refused(tls, papers):
    """A server that another CA signed is not spoken to: a miss, counted as TLS, and nothing of the command sent."""
    server, port, asks = tls
    async with RedisStore(options_for(port, papers, ca="foreign", client=asks)) as store:
        assert (await store.load(KEY)).epoch is None
        assert store.stats.errors.keys() == {"tls"}
    assert "cmdstat_mget" not in server.info("commandstats")


async def test_no_client_certificate_is_refused(tls, papers):
    """Where one is asked for, a store without it misses."""
    _, port, asks = tls
    async with RedisStore(options_for(port, papers)) as store:
        assert ((await store.load(KEY)).epoch is None) == asks
        assert bool(store.stats.errors) == asks


async def test_connections_share_one_context(tls, papers):
    """A burst of connections costs handshakes only; each is made in time."""
    _, port, asks = tls
    async with RedisStore(options_for(port, papers, client=asks)) as store:
        for number in range(16):
            await store.save(key_of(number), frame_of(5), 60.0)
        await until(lambda: _hit(store), 5.0, "a hit")


async def test_a_port_without_tls_is_a_miss(server, papers):
    """Speaking TLS to a server that does not is a miss like any other."""
    async with RedisStore(options_for(server.port, papers)) as store:
        assert (await store.load(KEY)).epoch is None
        assert store.stats.errors.keys() <= {"tls", "connection", "timeout"}


def test_files_that_cannot_be_used_are_named(tmp_path):
    """A CA file that is missing or is none is an error at once, which names the option and not the content."""
    port = free_port()
    with pytest.raises(ValueError, match="ca_file"):
        RedisStore(RedisOptions(f"rediss://127.0.0.1:{port}", ca_file=tmp_path / "missing"))
    (tmp_path / "junk").write_text("junk")
    with pytest.raises(ValueError, match="ca_file"):
        RedisStore(RedisOptions(f"rediss://127.0.0.1:{port}", ca_file=tmp_path / "junk"))
    with pytest.raises(ValueError, match="cert_file"):
        RedisStore(RedisOptions(f"rediss://127.0.0.1:{port}", cert_file=tmp_path / "junk"))


async def _hit(store):
    return (await store.load(key_of(3))).frame is not None

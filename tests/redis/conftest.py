"""Servers for the tests of this directory, and a store on one; without any binary they fail, and say what to do."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
import redis

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import Key, key_of
from tests.redis.servers import PATIENT_MS, Server, a_binary, binaries, raw_client

NUMBERS = count()


@pytest.fixture(scope="session")
def binary() -> Path:
    """The server binary that faults are tried on."""
    return a_binary()


@pytest.fixture(scope="session", params=sorted(binaries()) or ["none"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A healthy server of every kind there is, or the one that TEST_REDIS_URL names; not to be broken."""
    if url := os.environ.get("TEST_REDIS_URL"):  # tests have no settings
        yield url
        return
    server = Server(tmp_path_factory.mktemp("shared"), a_binary(request.param)).start()
    yield server.url
    server.kill()


@pytest.fixture
def server(tmp_path: Path, binary: Path) -> Iterator[Server]:
    """A server of the test's own, to be broken."""
    server = Server(tmp_path / "server", binary).start()
    yield server
    server.kill()


@pytest.fixture
async def store(shared_url: str) -> AsyncIterator[RedisStore]:
    """A store with time to spare, on the healthy server."""
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS)) as store:
        yield store


@pytest.fixture
def key(request: pytest.FixtureRequest) -> Key:
    """Keys that no other test uses."""
    return key_of(f"{request.path.stem}{next(NUMBERS)}")


@pytest.fixture
def raw(shared_url: str) -> Iterator[redis.Redis]:
    """A client of the healthy server that knows nothing of frames."""
    with raw_client(shared_url) as client:
        yield client

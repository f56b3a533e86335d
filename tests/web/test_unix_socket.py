"""A Unix socket as the data port: who may reach its file, and what becomes of it."""

import os
import socket
import stat
from pathlib import Path

import pytest

from tests.web.listening import guard, listening, wire

LIVE = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n"


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def content(path: Path) -> str | None:
    """What is in a file, if it is there."""
    return path.read_text() if path.exists() else None


def bound(path: Path) -> socket.socket:
    """A socket of somebody else under the path."""
    path.unlink(missing_ok=True)
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(path))
    return other


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket is to be."""
    return tmp_path / "gateway.sock"


async def test_it_answers_on_a_file_for_owner_and_group(path: Path) -> None:
    """Requests are answered over the socket, whose file others cannot write to, and which is gone at the end."""
    async with listening(place=path) as site, wire(site) as caller:
        assert site.name == f"unix:{path}"
        assert mode(path) == 0o660
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200
    assert content(path) is None


async def test_the_umask_is_put_back(path: Path) -> None:
    """Making the file changes nothing for the files of others."""
    before = os.umask(0o022)
    os.umask(before)
    async with listening(place=path):
        now = os.umask(before)
    assert now == before


async def test_limits_hold_there_too(path: Path) -> None:
    """Connections over the socket stand under the same guard."""
    async with listening(guard(head_timeout_s=0.05), place=path) as site, wire(site) as caller:
        caller.send(b"GET /livez HTTP/1.1\r\n")
        assert (await caller.answer())[0] == 408


async def test_what_a_dead_process_left_is_replaced(path: Path) -> None:
    """A socket file behind which nobody listens does not keep the gateway from starting."""
    bound(path).close()
    async with listening(place=path) as site, wire(site) as caller:
        caller.send(LIVE)
        assert (await caller.answer())[0] == 200


async def test_a_living_listener_is_not_pushed_aside(path: Path) -> None:
    """Where another process listens the gateway does not start, and the other one is not hurt."""
    async with listening(place=path) as first:
        with pytest.raises(OSError, match="in use"):
            async with listening(place=path):
                pass
        async with wire(first) as caller:
            caller.send(LIVE)
            assert (await caller.answer())[0] == 200


@pytest.fixture
def file(path: Path) -> Path:
    """Something else under that name."""
    path.write_text("precious")
    return path


async def test_a_file_of_another_kind_is_left_alone(file: Path) -> None:
    """Something else under that name is an error, and stays as it is."""
    with pytest.raises(OSError, match="in use"):
        async with listening(place=file):
            pass
    assert content(file) == "precious"


async def test_the_next_ones_file_is_left_alone(path: Path) -> None:
    """A listener that ends does not remove the file that its successor has put in its place."""
    async with listening(place=path):
        successor = bound(path)
    with successor, socket.socket(socket.AF_UNIX) as caller, pytest.raises(ConnectionRefusedError):
        caller.connect(str(path))  # its file is there, and it does not listen yet

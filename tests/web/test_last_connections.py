"""The moment in which a listener closes: no connection is made that would be reset a moment later."""

import errno
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.web.last_connections import begins_no_more, last_connections

FAMILIES = {"IPv4": (socket.AF_INET, "127.0.0.1"), "IPv6": (socket.AF_INET6, "::1")}
WITHIN_MS = 30_000
"""Only ends a test that would hang."""

ESTABLISHED = 1
"""As `TCP_INFO` begins (netinet/tcp.h)."""


@contextmanager
def listening(family: socket.AddressFamily = socket.AF_INET, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A listener that takes nobody by itself."""
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        yield listener


@contextmanager
def connecting(listener: socket.socket) -> Iterator[socket.socket]:
    """A caller whose connection has begun; nobody waits for it."""
    with socket.socket(listener.family) as caller:
        caller.settimeout(0)
        assert caller.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        yield caller


def connect(caller: socket.socket) -> None:
    """Wait for the end of its handshake."""
    poll = select.poll()
    poll.register(caller, select.POLLOUT)
    assert poll.poll(WITHIN_MS)
    assert caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@pytest.mark.parametrize("family", FAMILIES)
async def test_who_comes_at_the_last_moment_is_not_connected_for_nothing(family: str) -> None:
    """A listener that begins no more connects nobody, so that its end resets nobody; who was connected is taken."""
    with listening(*FAMILIES[family]) as listener, connecting(listener) as early:
        connect(early)
        assert begins_no_more(listener)
        with connecting(listener) as late:
            (taken,) = await last_connections([listener])
            with taken:
                assert taken.getpeername() == early.getsockname()
                early.send(b"asked")
                assert taken.recv(5) == b"asked"
            assert late.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED
            assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, errno.ECONNREFUSED), "it was reset"


def test_a_listener_that_just_closes_resets_who_comes_at_the_last_moment() -> None:
    """The control: without being told, the system connects a caller whom the end of the listener then resets."""
    with listening() as listener, connecting(listener) as late:
        connect(late)
        listener.close()
        with pytest.raises(ConnectionResetError):
            late.recv(1)


def test_a_listener_without_such_a_filter_ends_all_the_same() -> None:
    """A Unix socket cannot be told, which is no error: its file is gone before."""
    with socket.socket(socket.AF_UNIX) as listener:
        assert not begins_no_more(listener)

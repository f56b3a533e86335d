"""The moment in which a listener closes: no connection is made that would be reset a moment later."""

import errno
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.web.last_connections import begins_no_more, last_connections

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
FAMILIES = {"IPv4": (socket.AF_INET, "127.0.0.1"), "IPv6": (socket.AF_INET6, "::1")}
A_WHILE_MS = 50
"""A handshake on loopback takes a hundredth of it."""


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


def is_connected(caller: socket.socket) -> bool:
    """Whether the handshake ends within a while."""
    poll = select.poll()
    poll.register(caller, select.POLLOUT)
    return bool(poll.poll(A_WHILE_MS)) and caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@linux_only
@pytest.mark.parametrize("family", FAMILIES)
async def test_who_comes_at_the_last_moment_is_not_connected_for_nothing(family: str) -> None:
    """A listener that begins no more connects nobody, so that its end resets nobody; who was connected is taken."""
    with listening(*FAMILIES[family]) as listener, connecting(listener) as early:
        assert is_connected(early)
        assert begins_no_more(listener)
        with connecting(listener) as late:
            assert not is_connected(late)
            (taken,) = await last_connections([listener])
            with taken:
                assert taken.getpeername() == early.getsockname()
                early.send(b"asked")
                assert taken.recv(5) == b"asked"


def test_a_listener_that_just_closes_resets_who_comes_at_the_last_moment() -> None:
    """The control: without being told, the system connects a caller whom the end of the listener then resets."""
    with listening() as listener, connecting(listener) as late:
        assert is_connected(late)
        listener.close()
        with pytest.raises(ConnectionResetError):
            late.recv(1)


def test_a_listener_without_such_a_filter_ends_all_the_same() -> None:
    """A Unix socket cannot be told, which is no error: its file is gone before."""
    with socket.socket(socket.AF_UNIX) as listener:
        assert not begins_no_more(listener)

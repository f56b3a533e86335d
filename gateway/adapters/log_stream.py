"""Standard error as a stream that holds up nobody who writes to it.

A pipe whose reader has stopped reading takes 64 KiB, some 200 access lines, and then whoever writes waits: here that is
the event loop, and every request with it. So a line that there is no room for is dropped, and counted. A pipe or a
terminal is opened anew, not to block, which changes nothing for those who share it; a file is not, as it has room, and
its place to write at is shared. Where it cannot be (a socket; a pipe of another user), `poll` says beforehand whether
there is room for `select.PIPE_BUF` bytes, in 1 us: exact as long as nobody else writes to it.
"""

import io
import os
import select
import stat
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ANEW: Final = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK


class LogStream(io.BufferedIOBase):
    """Writes lines to a file descriptor, or drops them. It is never closed, since all of the process share it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.name = descriptor
        self.dropped = 0
        self._is_cut = False
        # The collector may run wherever memory is asked for, find a fault that nobody has looked at, and log it.
        self._lock = threading.RLock()
        self._write_to(descriptor)

    def __repr__(self) -> str:
        return f"<LogStream {self.name} dropped={self.dropped}>"

    def _write_to(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def never_block(self) -> None:
        """Open a pipe or a terminal anew, for this stream alone, if that is possible."""
        try:
            if not stat.S_ISFIFO(os.fstat(self.name).st_mode) and not os.isatty(self.name):
                return
            self._write_to(os.open(f"/proc/self/fd/{self.name}", _ANEW))
        except OSError:
            return

    def fileno(self) -> int:
        """What is written to, as it is shared with others."""
        return self.name

    def writable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Nothing: whoever is done with it is not alone."""

    def write(self, line: "ReadableBuffer") -> int:
        """Write a line, or drop it; one that is longer than a page may be cut, and the next begins on a line of its
        own. Its length, as if all of it had been written. Raises `OSError` where nobody can read it any more, or the
        disk is full."""
        with self._lock:
            rest = memoryview(b"".join((b"\n" if self._is_cut else b"", line)))
            begun = False
            try:
                while rest:
                    if not self._poll.poll(0):
                        raise BlockingIOError
                    rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
                    begun = True
                self._is_cut = False
            except OSError as error:
                self.dropped += 1
                self._is_cut |= begun
                if not isinstance(error, BlockingIOError):
                    raise
        return memoryview(line).nbytes

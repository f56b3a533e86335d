"""Standard error as a stream that never holds up who writes to it.

A pipe whose reader has stopped reading takes 64 KiB, some 200 access lines, and then whoever writes waits: here that is
the event loop, and every request with it. So room is asked for first (`poll` says of a pipe whether it takes
`select.PIPE_BUF` bytes at once, in 1 us), and what there is no room for is dropped and counted. Files always have room.
"""

import io
import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class LogStream(io.BufferedIOBase):
    """Writes whole lines to a file descriptor, or nothing of them. Raises `OSError` where nobody can read them any
    more, or the disk is full."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.name = descriptor
        self.dropped = 0
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._lock = threading.Lock()
        self._is_cut = False

    def __repr__(self) -> str:
        return f"<LogStream {self._descriptor} dropped={self.dropped}>"

    def fileno(self) -> int:
        """What is written to."""
        return self._descriptor

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, line: "ReadableBuffer") -> int:
        """Write a line, or drop it; one that is longer than a page may be cut, and the next begins on a line of its
        own. Its length, as if all of it had been written."""
        with self._lock:
            rest = memoryview(b"".join((b"\n" if self._is_cut else b"", line)))
            begun = False
            while rest:
                if not self._poll.poll(0):
                    self.dropped += 1
                    self._is_cut |= begun
                    break
                rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
                begun = True
            else:
                self._is_cut = False
        return memoryview(line).nbytes

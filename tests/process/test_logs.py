"""Tracebacks in the log tell the place of a fault, not whom it met; a log that is full stops nobody."""

import errno
import http.client
import io
import os
import re
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.adapters.log_stream import LogStream
from gateway.adapters.logs import Logger
from tests.process.parts import ROOT, WITHIN_S, environment, rest_of, running
from tests.support.canaries import USER

CANARY = USER

FILLED = """
import errno, os, resource, signal, sys
from gateway.adapters.log_stream import LogStream
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stream = LogStream(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND))
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, unlimited[1]))
try:
    stream.write(b"x" * 10_000 + bytes([10]))
except OSError as error:
    print(errno.errorcode[error.errno], stream.dropped)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
stream.write(b"another" + bytes([10]))
"""

REQUESTS = 600
"""Three times as many as a pipe takes lines."""


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_hold_no_ids(form: str) -> None:
    """In both forms of the log a fault leaves its traceback, and none of the values that it had in hand."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.failing_gateway", form, CANARY],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    assert done.stdout.split() == ["500", "500"]
    assert "unforeseen" in done.stderr
    assert CANARY not in done.stderr
    assert "\x1b" not in done.stderr, "colours are for terminals"


class FullDisk(io.StringIO):
    """Takes nothing."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")


def onto_a_full_disk(kind: type[Any]) -> Any:
    """A logger of this class that cannot write."""
    drawn = structlog.processors.KeyValueRenderer()
    return structlog.wrap_logger(structlog.WriteLogger(FullDisk()), processors=[drawn], wrapper_class=kind)


def test_a_line_that_cannot_be_written() -> None:
    """It is dropped, and what was to be told of goes on; structlog's own logger (the control) fails."""
    onto_a_full_disk(Logger).info("request")
    with pytest.raises(OSError, match="no space"):
        onto_a_full_disk(structlog.BoundLogger).msg("request")


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """The ends of a pipe that nobody reads, as full as a writer makes it that is never held up."""
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    os.set_blocking(writes, False)
    try:
        with suppress(BlockingIOError):
            while os.write(writes, b"." * select.PIPE_BUF):
                pass
        yield reads, writes
    finally:
        os.close(reads)
        os.close(writes)


def test_a_line_that_nobody_reads() -> None:
    """It is dropped and counted, and the next one that there is room for is written; a plain file (the control) would
    have waited for the reader."""
    with full_pipe() as (reads, writes):
        stream, plain = LogStream(writes), io.FileIO(writes, "w", closefd=False)
        assert plain.write(b"line\n") is None, "it does not block"
        assert stream.write(b"line\n") == 5
        assert stream.dropped == 1
        rest_of(reads)
        stream.write(b"another\n")
        assert (rest_of(reads), stream.dropped) == (b"another\n", 1)


def test_a_line_that_is_longer_than_the_room() -> None:
    """What was cut is counted, and what follows it begins on a line of its own."""
    with full_pipe() as (reads, writes):
        os.read(reads, 2 * select.PIPE_BUF)
        stream = LogStream(writes)
        stream.write(b"x" * 3 * select.PIPE_BUF + b"\n")
        assert stream.dropped == 1
        rest_of(reads)
        stream.write(b"another\n")
        assert rest_of(reads) == b"\nanother\n"


class Interrupting:
    """A poll in whose course something else is logged, as the garbage collector may do anywhere."""

    def __init__(self, stream: LogStream) -> None:
        self._stream: LogStream | None = stream

    def poll(self, _: int) -> list[int]:
        """There is room."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.write(b"another\n")
        return [1]


def test_a_line_in_the_course_of_another() -> None:
    """What is logged while a line is written, in the same thread, is written as well, and nobody waits for himself."""
    with full_pipe() as (reads, writes):
        rest_of(reads)
        stream = LogStream(writes)
        stream._poll = Interrupting(stream)
        thread = threading.Thread(target=stream.write, args=(b"line\n",), daemon=True)
        thread.start()
        thread.join(WITHIN_S)
        assert not thread.is_alive()
        assert rest_of(reads) == b"another\nline\n"


def test_a_line_whose_rest_cannot_be_written(tmp_path: Path) -> None:
    """A disk that is full in the middle of a line: the fault is told, and the next line begins on one of its own."""
    written = subprocess.run(
        [sys.executable, "-c", FILLED, str(tmp_path / "log")],
        cwd=ROOT,
        timeout=WITHIN_S,
        capture_output=True,
        check=True,
    )
    assert written.stdout == b"EFBIG 1\n"
    assert (tmp_path / "log").read_bytes() == b"x" * 5_000 + b"\nanother\n"


def test_it_stays_open_for_all() -> None:
    """Who is done with the stream does not close it for the others."""
    with full_pipe() as (reads, writes):
        rest_of(reads)
        stream = LogStream(writes)
        io.TextIOWrapper(stream).close()
        stream.write(b"line\n")
        stream.flush()
        assert rest_of(reads) == b"line\n"


def test_it_never_blocks_by_itself_alone() -> None:
    """What is written to is opened anew, so that it blocks as before for those who share it."""
    reads, writes = os.pipe()
    try:
        stream = LogStream(writes)
        stream.never_block()
        assert os.get_blocking(writes)
        stream._poll = Interrupting(stream)  # which says that there is room, whatever there is
        for _ in range(REQUESTS):
            stream.write(b"x" * 200)
        assert stream.dropped > 0
    finally:
        os.close(reads)
        os.close(writes)


def test_a_file_is_shared_with_standard_output(tmp_path: Path) -> None:
    """Where both streams go to one file (`>log 2>&1`), neither writes over the other."""
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    try:
        stream = LogStream(os.dup(descriptor))
        stream.never_block()
        stream.write(b"line\n")
        os.write(descriptor, b"output\n")
        stream.write(b"another\n")
        assert (tmp_path / "log").read_bytes() == b"line\noutput\nanother\n"
        os.close(stream.fileno())
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_reader_of_the_log_that_stops_reading(form: str) -> None:
    """Every request is answered all the same; what lines there are, are whole, and those that are not, are counted."""
    env = environment(AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="b", GATEWAY_LOG__FORMAT=form)
    with running("serve", "--port", "0", env=env) as gateway:
        caller = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=WITHIN_S)
        for _ in range(REQUESTS):
            caller.request("GET", "/v1/nothing")
            response = caller.getresponse()
            response.read()
            assert response.status == 404
        caller.request("GET", "/metrics")
        metrics = caller.getresponse().read().decode()
        caller.close()
        lines = os.read(gateway.process.stderr.fileno(), 2**20).splitlines()
    (dropped,) = re.findall(r"^rerank_log_dropped_total (\S+)$", metrics, re.MULTILINE)
    assert len(lines) + float(dropped) >= REQUESTS > len(lines)
    ends = b'"}' if form == "json" else b""
    assert all(line.endswith(ends) for line in lines)

"""One HTTP/1.1 connection to a server that we call: one request at a time, answers parsed by a C parser (llhttp).

Rules. A connection is used again only if it is known to stand right after a whole answer: whatever else happens (an
answer cut short, a caller that goes, bytes that nobody asked for, `Connection: close`) closes it. An answer is given
out whole, and its length is what it declared; one that declares none ends with its connection, as HTTP has it.
"""

import asyncio
import select
from typing import Final, cast

import httptools

from gateway.core.values import dataclass

HEAD_BYTES_MAX: Final = 64 * 1024
"""No head of the service is near this; it is what a list of headers may cost in memory."""

KEPT_HEADERS: Final = frozenset((b"x-amzn-errortype", b"retry-after", b"x-amzn-requestid"))
"""The headers of an answer that anything is made of, traces included."""

READ_BYTES: Final = 256 * 1024
"""What is read at once."""

FRAMING_HEADERS: Final = frozenset((b"content-length", b"transfer-encoding"))


class HttpFailure(Exception):
    """No whole answer came. The messages name no host and hold nothing of a body."""


class ClosedEarly(HttpFailure):
    """The connection ended before the first byte of an answer."""


class ClosedHere(HttpFailure):
    """This side closed the connection: at the end of everything, or because nobody can be waiting any more."""


class Torn(HttpFailure):
    """The connection ended in the middle of an answer."""


class NotHttp(HttpFailure):
    """What came is no HTTP/1.1 answer."""


class TooLarge(HttpFailure):
    """The answer is larger than any ranking can be."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer; of its headers, those in `KEPT_HEADERS`."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connection(asyncio.BufferedProtocol):
    """A connection, as asyncio's transports and the parser drive it.

    `opened_s` and `used_s` are times of the loop's clock: when it was made, and when it last began or ended a call.
    `read` is where it reads to, which all connections of one loop may share: what has come is parsed before anything
    else is read. So an answer of 50 kB is copied once, out of there, and not twice.
    """

    def __init__(self, answer_bytes_max: int, now_s: float, read: memoryview) -> None:
        self.opened_s = self.used_s = now_s
        self.answers = 0
        self.usable = True
        self.stray_bytes = 0
        self._bytes_max = answer_bytes_max
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._poll = select.poll()
        self._waiter: asyncio.Future[HttpAnswer] | None = None
        self._begin()

    def __repr__(self) -> str:
        state = "closed" if not self.usable else "idle" if self._waiter is None else "busy"
        return f"<Connection {state} answers={self.answers}>"

    def _begin(self) -> None:
        self._bytes = self._head_bytes = 0
        self._status = 0
        self._framed = False
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def is_quiet(self) -> bool:
        """Whether the connection may be used again: nothing has come since its answer, not even what the loop has not
        read yet. A byte that is there before a request is sent would be taken for the answer to it."""
        return self.usable and self._transport is not None and not self._poll.poll(0)

    async def exchange(self, request: bytes) -> HttpAnswer:
        """Send the bytes of a request, and wait for its answer. Raises `HttpFailure`.

        Bounded by whoever waits; when it is cancelled the connection is closed, as its answer may still come.
        """
        if not self.usable or self._transport is None:
            raise ClosedEarly("the connection is closed")
        self._begin()
        self._waiter = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        """Close at once, whatever is under way."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()
        self._fail(ClosedHere("the connection was closed from here"))

    def _fail(self, failure: HttpFailure) -> None:
        self.usable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(failure)

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the protocol's signature
        """Where to read to."""
        return self._read

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the parser, which calls the methods below; nothing may come while no request is out."""
        self._bytes += nbytes
        if self._waiter is None or self._waiter.done():
            self.stray_bytes += nbytes
            return self.close()
        if self._bytes > self._bytes_max:
            return self._give_up(TooLarge("the answer is too large"))
        try:
            self._parser.feed_data(self._read[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.stray_bytes += self._waiter.done()  # a whole answer, and then something that is none
            self._give_up(error.__context__ if isinstance(error.__context__, TooLarge) else NotHttp("not HTTP/1.1"))
        if not self._status and self._bytes > 2 * HEAD_BYTES_MAX:  # the first piece of a large answer may be as large
            self._give_up(TooLarge("the head of the answer is too large"))
        if not self.usable and self._transport is not None:
            self._transport.abort()
        return None

    def eof_received(self) -> None:
        """The server has closed: the end of an answer without a length, else of the connection only."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended(reset=exc is not None)
        self._transport = None
        del self._parser  # which knows the connection: neither would go before the collector comes by

    def _ended(self, *, reset: bool = False) -> None:
        if self._waiter is not None and not self._waiter.done():
            if not self._bytes:
                self._fail(ClosedEarly("the connection ended before an answer"))
            elif self._status and not self._framed and not reset:
                self._give_out()
            else:
                self._fail(Torn("the connection ended in the middle of an answer"))
        self.usable = False

    def _give_up(self, failure: HttpFailure) -> None:
        self._fail(failure)
        self.close()

    # --- called by the parser

    def on_message_begin(self) -> None:
        """An answer begins; a second one is none of ours."""
        if self._waiter is None or self._waiter.done():
            self.stray_bytes += 1
            self.usable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the head, or of the trailer."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise TooLarge("the head of the answer is too large")
        name = name.lower()
        if name in KEPT_HEADERS:
            self._headers[name] = value
        elif name in FRAMING_HEADERS:
            self._framed = True

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._waiter is not None and not self._waiter.done():
            self._status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body, without its framing."""
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole; one of 1xx only announces the one that is meant."""
        if self._waiter is None or self._waiter.done():
            return
        if self._status < 200:
            self._status, self._framed, self._headers = 0, False, {}
            return
        if not self._parser.should_keep_alive():
            self.usable = False
        self._give_out()

    def _give_out(self) -> None:
        self.answers += 1
        if self._transport is None or self._transport.get_write_buffer_size():  # answered before it was asked
            self.usable = False
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []  # an idle connection holds no answer
        if self._waiter is not None:
            self._waiter.set_result(HttpAnswer(self._status, self._headers, body))

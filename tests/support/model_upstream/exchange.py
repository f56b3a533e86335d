"""One attempt, as a play sees it: the connection, the rule, and the good answer that it is not to give."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tests.support.model_upstream.faults import Rule

JSON: Final = "application/json"


class Line(Protocol):
    """The connection, as a play may use it."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def done(self) -> None:
        """The answer is whole: on with the next request."""

    def close(self) -> None:
        """Send what was written, then FIN."""

    def reset(self) -> None:
        """RST, at once."""

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something later, unless the connection is gone by then."""

    def pour(self, pieces: Iterator[bytes]) -> None:
        """Send pieces as fast as they are taken, then be done."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt: how to answer it well (`good` makes the body), and by which rule it is not."""

    line: Line
    rule: Rule
    good: Callable[[], bytes]
    elsewhere: str

    def reply(self, body: bytes, status: str = "200 OK", *headers: str, kind: str = JSON) -> None:
        """Answer in due form."""
        self.line.write(response(body, status, *headers, kind=kind))
        self.line.done()


Play = Callable[[Exchange], None]


def response(body: bytes, status: str = "200 OK", *headers: str, kind: str = JSON, length: int | None = None) -> bytes:
    """An answer's bytes, declaring another length than the body's if one is given."""
    declared = len(body) if length is None else length
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {declared}", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1") + body

"""What can come instead of a good answer: a table of names, and for each what goes over the wire.

Those of `bodies` answer 200 with another body; `REFUSALS` with an error as the service or something before it words it;
`PLAYS` holds these and all that is wrong below HTTP, or unusual and yet right (`BENIGN`).
"""

from collections.abc import Callable
from typing import Final

import orjson

from tests.support.model_upstream.bodies import BODIES
from tests.support.model_upstream.exchange import Exchange, Play, response

HTML: Final = "text/html"

HUGE_BYTES: Final = 64 * 1024 * 1024
PIECE: Final = b" " * 1024 * 1024

DRIP_S: Final = 0.05
"""Between two bytes, unless the rule says otherwise: no timeout between bytes ever fires, and 500 items take hours."""

STATUSES: Final[dict[int, str]] = {
    301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip

REFUSALS: Final[dict[str, tuple[str | None, int, str]]] = {
    "throttled": ("ThrottlingException", 400, "Rate exceeded"),
    "bare-429": (None, 429, ""),
    "invalid-input": ("InvalidInputException", 400, "The filter value is not in quotes"),
    "not-found": ("ResourceNotFoundException", 404, "Campaign does not exist"),
    "access-denied": ("AccessDeniedException", 403, "User is not authorized to perform: personalize:Get"),
    "expired-token": ("ExpiredTokenException", 403, "The security token included in the request is expired"),
}
"""Code, status (unless the rule gives one) and message."""


def _refused(code: str | None, usual: int, message: str) -> Play:
    def play(exchange: Exchange) -> None:
        rule = exchange.rule
        status = rule.status or usual
        headers = [f"x-amzn-ErrorType: {code}"] if code else []
        headers += [f"Retry-After: {rule.retry_after_s}"] if rule.retry_after_s is not None else []
        body = orjson.dumps({"message": message}) if code else b""
        exchange.reply(body, f"{status} {STATUSES[status]}", *headers)

    return play


def _answered(body: Callable[[Exchange], bytes]) -> Play:
    return lambda exchange: exchange.reply(body(exchange))


def _error(exchange: Exchange) -> None:
    """5xx as a load balancer words it."""
    status = exchange.rule.status or 500
    exchange.reply(b"<html><h1>Sorry</h1></html>", f"{status} {STATUSES[status]}", kind=HTML)


def _redirect(exchange: Exchange) -> None:
    status = exchange.rule.status or 307
    exchange.reply(b"", f"{status} {STATUSES[status]}", f"Location: {exchange.elsewhere}")


def _hang(_: Exchange) -> None:
    """Until the other side gives up."""


def _close(exchange: Exchange) -> None:
    exchange.line.close()


def _reset(exchange: Exchange) -> None:
    exchange.line.reset()


def _close_in_head(exchange: Exchange) -> None:
    exchange.line.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    exchange.line.close()


def _no_http(exchange: Exchange) -> None:
    exchange.line.write(b"220 mail.example.com ESMTP ready\r\n\r\n")
    exchange.line.close()


def _truncated(exchange: Exchange) -> None:
    """Half the body, then FIN."""
    whole = response(exchange.good())
    exchange.line.write(whole[: len(whole) // 2])
    exchange.line.close()


def _length_too_long(exchange: Exchange) -> None:
    """A whole body that declares to be longer, then FIN."""
    body = exchange.good()
    exchange.line.write(response(body, length=len(body) + 10))
    exchange.line.close()


def _length_too_short(exchange: Exchange) -> None:
    """A body longer than it declares: what is left over looks like the next answer. The connection stays."""
    body = exchange.good()
    exchange.line.write(response(body, length=len(body) // 2))
    exchange.line.done()


def _left_over(exchange: Exchange) -> None:
    """A good answer, and behind it one more that nobody asked for: whoever comes next must not be given it."""
    exchange.line.write(2 * response(exchange.good()))
    exchange.line.done()


def _drip(exchange: Exchange) -> None:
    """A good answer, byte by byte."""
    whole = response(exchange.good())
    _drip_from(exchange, whole, 0)


def _drip_from(exchange: Exchange, whole: bytes, place: int) -> None:
    exchange.line.write(whole[place : place + 1])
    if place + 1 < len(whole):
        exchange.line.after(exchange.rule.seconds or DRIP_S, lambda: _drip_from(exchange, whole, place + 1))
    else:
        exchange.line.done()


def _huge(exchange: Exchange) -> None:
    """A good answer behind more white space than anybody should read."""
    body = exchange.good()
    exchange.line.write(response(b"", length=HUGE_BYTES + len(body)))
    exchange.line.pour(iter([PIECE] * (HUGE_BYTES // len(PIECE)) + [body]))


def _in_chunks(body: bytes) -> list[bytes]:
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]


CHUNKED_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunked(exchange: Exchange) -> None:
    exchange.line.write(CHUNKED_HEAD + b"".join(_in_chunks(exchange.good())) + b"0\r\n\r\n")
    exchange.line.done()


def _chunks_torn(exchange: Exchange) -> None:
    """All chunks but the last, empty one: the JSON is whole, the answer is not."""
    exchange.line.write(CHUNKED_HEAD + b"".join(_in_chunks(exchange.good())))
    exchange.line.close()


def _early_hints(exchange: Exchange) -> None:
    exchange.line.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    exchange.reply(exchange.good())


def _connection_close(exchange: Exchange) -> None:
    exchange.line.write(response(exchange.good(), "200 OK", "Connection: close"))
    exchange.line.close()


def _idle_close(exchange: Exchange) -> None:
    """A good answer, and FIN a while later without a word before."""
    exchange.reply(exchange.good())
    exchange.line.after(exchange.rule.seconds, exchange.line.close)


BENIGN: Final[dict[str, Play]] = {
    "chunked": _chunked,
    "early-hints": _early_hints,
    "connection-close": _connection_close,
    "idle-close": _idle_close,
}
"""Unusual, and yet right: a client must take these."""

PLAYS: Final[dict[str, Play]] = {
    **{name: _answered(body) for name, body in BODIES.items()},
    **{name: _refused(*refusal) for name, refusal in REFUSALS.items()},
    **BENIGN,
    "error": _error,
    "redirect": _redirect,
    "hang": _hang,
    "close": _close,
    "reset": _reset,
    "close-in-head": _close_in_head,
    "no-http": _no_http,
    "truncated": _truncated,
    "length-too-long": _length_too_long,
    "length-too-short": _length_too_short,
    "left-over": _left_over,
    "chunks-torn": _chunks_torn,
    "drip": _drip,
    "huge": _huge,
}

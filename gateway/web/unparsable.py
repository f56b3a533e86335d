"""What is refused before any route is found: requests that the parser cannot read, and expectations nobody can meet.

aiohttp answers the first with its name, its version and the bytes that it could not read, which may be a secret. It has
no setting for that, so the one method that makes those answers is replaced. Both answers are problems like all others.
"""

import uuid
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from gateway.web.problems import PROBLEM_JSON

SERVER: Final = "rerank-gateway"
NOT_CACHED: Final = "private, no-store"


def refuse_in_our_words() -> None:
    """Let the parser's refusals say what ours say. It is done once for the process; again changes nothing."""
    RequestHandler.handle_error = _handle_error  # type: ignore[method-assign, assignment]


async def expect(request: web.Request) -> web.Response | None:
    """Answer `Expect`: a problem for anything but `100-continue`, which is answered when the body is about to be read
    (`body.read_raw`): who is refused before need not send it."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        return _problem(417, "http", "Expectation Failed")
    return None


def _handle_error(
    handler: RequestHandler,
    request: web.BaseRequest,
    status: int = 500,
    exc: BaseException | None = None,
    message: str | None = None,  # noqa: ARG001 - what the parser says quotes what it could not read
) -> web.StreamResponse:
    if request.writer.output_size > 0:
        raise ConnectionError("the answer has begun already: it cannot be another one now")
    if isinstance(exc, HttpProcessingError):
        handler.logger.debug("a request could not be parsed: %s", type(exc).__name__)
        return _problem(status, "unparsable", "The request cannot be parsed")
    handler.log_exception("a request failed outside all handlers", exc_info=exc)
    return _problem(500, "internal", "The gateway failed")


def last_words(status: int, slug: str, title: str, *headers: str) -> bytes:
    """A whole answer as bytes, for connections that end before there is a request to answer."""
    body = _body(status, slug, title)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {PROBLEM_JSON}",
        f"Content-Length: {len(body)}",
        f"Cache-Control: {NOT_CACHED}",
        f"Server: {SERVER}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _problem(status: int, slug: str, title: str) -> web.Response:
    headers = {"Content-Type": PROBLEM_JSON, "Cache-Control": NOT_CACHED, "Server": SERVER}
    response = web.Response(status=status, body=_body(status, slug, title), headers=headers)
    response.force_close()
    return response


def _body(status: int, slug: str, title: str) -> bytes:
    return orjson.dumps(
        {
            "type": f"urn:rerank-gateway:problem:{slug}",
            "title": title,
            "status": status,
            "detail": title,
            "instance": f"urn:rerank-gateway:request:{uuid.uuid4()}",
        }
    )

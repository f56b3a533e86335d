"""Error -> status and body: one table, two renderings (RFC 9457 for the native API, the service's own for the wire).

Messages of `GatewayError`s are written for callers and hold no ids. Everything that is not in the table is a fault of
ours: it is logged with its traceback, and the caller is told no more than that.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.core import errors
from gateway.web.faults import BadMembers, NotJson
from gateway.web.sigv4 import BadSignature

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"


class NotForwarded(Exception):
    """Events could not be forwarded; `__cause__` says why, the message what became of the frames."""


class NotInvalidated(Exception):
    """The cache could not be told that a user's frames are dead."""


class NoCredentials(Exception):
    """The request does not say in whose name it is made."""


class UnknownCredentials(Exception):
    """The key is nobody's."""


class NotAllowed(Exception):
    """The tenant may not do this."""


class TooMany(Exception):
    """The tenant asks for more than its limits; `retry_after_s` is when it may come back."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooLarge(Exception):
    """The body is larger than its limit."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class UnsupportedBody(Exception):
    """The body is not of a kind that is understood."""


class UnsupportedCoding(UnsupportedBody):
    """The body is compressed in a way that is not understood."""


class BadCoding(Exception):
    """The body is not what its content encoding says."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one error is told. `slug` names the problem type, `code` is what an AWS SDK raises."""

    status: int
    slug: str
    title: str
    code: str
    retry_after_s: int | None = None


TABLE: Final[dict[type[BaseException], Row]] = {
    NotJson: Row(400, "not-json", "The body is not JSON", "SerializationException"),
    BadMembers: Row(422, "bad-members", "Members of the request break rules", "InvalidInputException"),
    NotInvalidated: Row(503, "cache-unavailable", "The cache is not available", "ServiceUnavailable", 1),
    web.RequestPayloadError: Row(400, "broken-body", "The body cannot be read", "SerializationException"),
    TooSlow: Row(408, "slow-body", "The body did not arrive in time", "RequestTimeout"),
    TooLarge: Row(413, "too-large", "The body is too large", "RequestEntityTooLarge"),
    UnsupportedBody: Row(415, "unsupported-body", "The body is not of a kind that is understood",
                         "UnsupportedMediaTypeException"),
    BadCoding: Row(400, "bad-coding", "The body cannot be decompressed", "SerializationException"),
    NoCredentials: Row(401, "no-credentials", "The request names no caller", "MissingAuthenticationTokenException"),
    UnknownCredentials: Row(401, "unknown-credentials", "The credentials are nobody's", "UnrecognizedClientException"),
    BadSignature: Row(401, "bad-signature", "The signature does not fit", "InvalidSignatureException"),
    NotAllowed: Row(403, "not-allowed", "The caller may not do this", "AccessDeniedException"),
    TooMany: Row(429, "too-many", "The caller's own limit is reached", "ThrottlingException", 1),
    errors.InvalidInput: Row(422, "invalid-input", "The request breaks a rule", "InvalidInputException"),
    errors.UnknownRanking: Row(404, "no-such-ranking", "No such ranking", "ResourceNotFoundException"),
    errors.RankingGone: Row(410, "ranking-gone", "The ranking is not kept any more", "ResourceNotFoundException"),
    errors.RankingAway: Row(503, "rankings-unavailable", "Pinned rankings cannot be read now", "ServiceUnavailable", 1),
    errors.UnknownResource: Row(404, "no-such-resource", "No such campaign or filter", "ResourceNotFoundException"),
    errors.Overloaded: Row(503, "overloaded", "Too many requests under way", "ServiceUnavailable", 1),
    errors.Throttled: Row(429, "throttled", "The campaign refused the calls for their rate", "ThrottlingException", 1),
    errors.Busy: Row(503, "busy", "The campaign has no room for more calls now", "ServiceUnavailable", 1),
    errors.Unavailable: Row(503, "upstream-unavailable", "The campaign is not available", "ServiceUnavailable", 1),
    errors.Malformed: Row(503, "upstream-malformed", "The campaign's answers cannot be believed",
                          "ServiceUnavailable", 1),
    errors.AccessDenied: Row(503, "upstream-access-denied", "The campaign refused the gateway's credentials",
                             "ServiceUnavailable", 1),
    errors.DeadlineExceeded: Row(504, "deadline", "No answer before the deadline", "GatewayTimeout"),
}  # fmt: skip
"""Every error that a caller can be told, most of them of one of the gateway's own classes."""

BUG: Final = Row(500, "internal", "The gateway failed", "InternalFailure")

WIRE_STATUS: Final[dict[str, int]] = {
    "InvalidInputException": 400,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
}
"""Where the service's own status differs from the native API's."""


def row_of(error: BaseException) -> Row:
    """The row of an error; that of a bug where the table has none."""
    if isinstance(error, NotForwarded) and error.__cause__ is not None:
        return row_of(error.__cause__)
    if isinstance(error, web.HTTPException):  # no such route, or not with this method
        return Row(error.status, "http", error.reason or "HTTP error", "UnknownOperationException")
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), BUG)


def slug_of(kind: type[BaseException]) -> str:
    """The slug of a kind of error."""
    return next((TABLE[one] for one in kind.__mro__ if one in TABLE), BUG).slug


def detail_of(error: BaseException, row: Row) -> str:
    """What is told of the error beyond its kind."""
    return row.title if row is BUG or not str(error) or isinstance(error, web.HTTPException) else str(error)


def problem(error: BaseException, request_id: str) -> web.Response:
    """The error as `application/problem+json`."""
    row = row_of(error)
    body: dict[str, Any] = {
        "type": f"urn:rerank-gateway:problem:{row.slug}",
        "title": row.title,
        "status": row.status,
        "detail": detail_of(error, row),
        "instance": f"urn:rerank-gateway:request:{request_id}",
    }
    if isinstance(error, BadMembers):
        body["detail"] = f"{len(error.faults)} member{'s' * (len(error.faults) > 1)} of the request cannot be taken"
        body["errors"] = [{"pointer": f"#{fault.pointer}", "detail": fault.detail} for fault in error.faults]
    return web.Response(
        status=row.status,
        body=orjson.dumps(body),
        headers={"Content-Type": PROBLEM_JSON, **_headers(row, error)},
    )


def wire_error(error: BaseException, request_id: str) -> web.Response:
    """The error in the shape of the service, so that an SDK raises its own exception."""
    row = row_of(error)
    return web.Response(
        status=WIRE_STATUS.get(row.code, row.status),
        body=orjson.dumps({"message": detail_of(error, row)}),
        headers={
            "Content-Type": JSON,
            "x-amzn-ErrorType": row.code,
            "x-amzn-RequestId": request_id,
            **_headers(row, error),
        },
    )


def _headers(row: Row, error: BaseException) -> dict[str, str]:
    headers = {} if row.retry_after_s is None else {"Retry-After": str(row.retry_after_s)}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    if isinstance(error, UnsupportedCoding):
        headers["Accept-Encoding"] = "gzip, zstd"
    return headers

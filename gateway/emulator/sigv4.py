"""Verifies AWS Signature Version 4 in its header form, for the service `personalize`.

Follows the steps of the public specification: canonical request, string to sign, derived key, HMAC. The payload hash
is always computed from the body that came: a signed `x-amz-content-sha256` that says something else was signed over
another canonical request, and fails by itself. Time is an argument.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from gateway.emulator.errors import ServiceError

SERVICE: Final = "personalize"
CLOCK_SKEW_MAX: Final = timedelta(minutes=15)  # as AWS allows, either way
MUST_BE_SIGNED: Final = frozenset({"host", "x-amz-date"})

_SCHEME: Final = "AWS4-HMAC-SHA256"
_AUTHORIZATION: Final = re.compile(
    _SCHEME + r"\s+Credential=(?P<key_id>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request\s*,\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers: `path` and `query` as sent (still encoded), `headers` by lower-case name."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def verify(request: SignedRequest, secrets: Mapping[str, str], now: datetime) -> None:
    """Check that the request was signed by one of `secrets` (access key id to secret) within 15 minutes of `now`.

    Raises:
        ServiceError: MissingAuthenticationTokenException, UnrecognizedClientException or InvalidSignatureException.
    """
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(_SCHEME):
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    given = _AUTHORIZATION.fullmatch(authorization)
    if given is None:
        raise _invalid("The Authorization header is not of the form of Signature Version 4.")
    secret = secrets.get(given["key_id"])
    if secret is None:
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
    _check_scope(given, request.headers.get("x-amz-date", ""), now)
    signed = given["signed"].split(";")
    if missing := MUST_BE_SIGNED.difference(signed):
        raise _invalid(f"These headers must be signed: {', '.join(sorted(missing))}.")
    expected = _signature(request, secret, given, signed)
    if not hmac.compare_digest(expected, given["signature"]):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidSignatureException", message)


def _check_scope(given: re.Match[str], stamp: str, now: datetime) -> None:
    if given["service"] != SERVICE:
        raise _invalid(f"Credential should be scoped to correct service: '{SERVICE}'.")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _invalid("X-Amz-Date must be a time in the form YYYYMMDD'T'HHMMSS'Z'.") from error
    if not stamp.startswith(given["date"]):
        raise _invalid("Date in Credential scope does not match X-Amz-Date.")
    if abs(now - signed_at) > CLOCK_SKEW_MAX:
        raise _invalid("Signature expired or not yet current: X-Amz-Date is more than 15 minutes from now.")


def _signature(request: SignedRequest, secret: str, given: re.Match[str], signed: list[str]) -> str:
    # Every service but S3 encodes the path once more; header values have their runs of spaces folded.
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed)
    canonical = "\n".join(
        (
            request.method,
            quote(request.path, safe="/-_.~"),
            "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in request.query.split("&") if pair)),
            headers,
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    scope = (given["date"], given["region"], given["service"], "aws4_request")
    to_sign = "\n".join((_SCHEME, request.headers["x-amz-date"], "/".join(scope), _digest(canonical)))
    key = f"AWS4{secret}".encode()
    for part in (*scope, to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()  # headers may hold bytes beyond UTF-8

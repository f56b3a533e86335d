"""Verifies requests that an AWS SDK has signed (Signature Version 4, in the Authorization header).

No kept library verifies; botocore signs, and trusts headers that a verifier must not. So the public specification is
followed here: canonical request, string to sign, derived key, HMAC. Three rules keep it honest. Everything is computed
from what came over the wire: the payload's hash is that of the body which was read, whatever `x-amz-content-sha256`
says. Host and time must be signed, so a signature is good for this gateway and for five minutes; within them a request
may be replayed, which asks for the same ranking again. Comparison takes the same time for every wrong signature.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

SCHEME: Final = "AWS4-HMAC-SHA256"
SERVICE: Final = "personalize"
"""What the SDKs sign for, runtime and events alike."""

SKEW_MAX_S: Final = 300.0
MUST_BE_SIGNED: Final = frozenset({"host", "x-amz-date"})

_AUTHORIZATION: Final = re.compile(
    SCHEME
    + r" +Credential=(?P<key_id>[^/,\s]{1,128})/(?P<scope>(?P<date>\d{8})/[a-z0-9-]{1,64}/(?P<service>[a-z-]{1,64})"
    r"/aws4_request) *, *SignedHeaders=(?P<signed>[a-z0-9;_-]{1,2048}) *, *Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)
_STAMP: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


class BadSignature(Exception):
    """The signature is not one of the key's for this request; the message says why, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a signature covers beside the body: target as it was sent, headers by lower-case name, joined by commas."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an Authorization header says: whose key, over what, and the signature."""

    key_id: str
    scope: str
    stamp: str
    signed: tuple[str, ...]
    signature: str = field(repr=False)


def claim_of(head: Head, wall_s: float) -> Claim:
    """The claim of a request, checked in all that needs no key. Raises `BadSignature`."""
    given = _AUTHORIZATION.fullmatch(head.headers.get("authorization", ""))
    if given is None:
        raise BadSignature("the Authorization header is not of the form of Signature Version 4")
    if given["service"] != SERVICE:
        raise BadSignature(f"the credential is not scoped to the service {SERVICE}")
    signed = tuple(given["signed"].split(";"))
    if not MUST_BE_SIGNED.issubset(signed) or list(signed) != sorted(set(signed)):
        raise BadSignature("host and x-amz-date must be signed, and every signed header named once, in order")
    if not head.headers.keys() >= set(signed):
        raise BadSignature("a header that is said to be signed is not there")
    stamp = head.headers["x-amz-date"]
    if not stamp.startswith(given["date"]) or abs(_seconds(stamp) - wall_s) > SKEW_MAX_S:
        raise BadSignature(
            f"x-amz-date is more than {SKEW_MAX_S:.0f} seconds from now, or not in the credential's scope"
        )
    return Claim(given["key_id"], given["scope"], stamp, signed, given["signature"])


def verify(head: Head, claim: Claim, payload_sha256: str, secret: str) -> None:
    """Check the signature by the key's secret and the hash (in hex) of the body as read. Raises `BadSignature`."""
    lines = (SCHEME, claim.stamp, claim.scope, _sha256(_canonical(head, claim.signed, payload_sha256)))
    if not hmac.compare_digest(signature("\n".join(lines), claim.scope, secret), claim.signature):
        raise BadSignature("the signature is not that of this request by this key")


def signature(text: str, scope: str, secret: str) -> str:
    """The signature of a string to sign, in hex, by the key that is derived for a scope."""
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _canonical(head: Head, signed: tuple[str, ...], payload_sha256: str) -> str:
    path, _, query = head.target.partition("?")
    return "\n".join(
        (
            head.method,
            quote(path, safe="/-_.~"),  # encoded once more than it was sent, as all services have it but S3
            "&".join(sorted(map(_canonical_pair, filter(None, query.split("&"))))),
            *(f"{name}:{' '.join(head.headers[name].split())}" for name in signed),
            "",
            ";".join(signed),
            payload_sha256,
        )
    )


def _canonical_pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    return f"{quote(unquote(name), safe='-_.~')}={quote(unquote(value), safe='-_.~')}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()  # a header may hold bytes beyond UTF-8


def _seconds(stamp: str) -> float:
    """Seconds since the epoch of a time such as 20261122T101500Z."""
    if not _STAMP.fullmatch(stamp):
        raise BadSignature("x-amz-date is not of the form YYYYMMDDTHHMMSSZ")
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise BadSignature("x-amz-date is no date") from None

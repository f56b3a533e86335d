"""A vendor's exception -> an error of the gateway, once, by tables.

Throttling is not in the service's model and comes as HTTP 400 or 429, so codes decide first and the status only where
there is no known code. Messages of the service are passed on for the caller's own faults alone, without the user id.
"""

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aiohttp import ClientError as HttpClientError
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from gateway.core.errors import (
    AccessDenied,
    GatewayError,
    InvalidInput,
    Malformed,
    Throttled,
    Unavailable,
    UnknownResource,
    Untrusted,
    UpstreamError,
)

MESSAGE_MAX_CHARS: Final = 500

SHORT_ID_CHARS: Final = 8
"""Ids below this length may be a piece of any word."""

RETRY_AFTER_MAX_S: Final = 3600.0
"""An hour is as good as for ever; a number with a hundred digits must not become one."""

CALLER_CODES: Final[dict[str, type[GatewayError]]] = {
    "InvalidInputException": InvalidInput,
    "ValidationException": InvalidInput,
    "ValidationError": InvalidInput,
    "SerializationException": InvalidInput,
    "ResourceNotFoundException": UnknownResource,
}

UPSTREAM_CODES: Final[dict[str, type[UpstreamError]]] = {
    "ThrottlingException": Throttled,
    "Throttling": Throttled,
    "TooManyRequestsException": Throttled,
    "RequestLimitExceeded": Throttled,
    "LimitExceededException": Throttled,
    "AccessDeniedException": AccessDenied,
    "ExpiredToken": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "IncompleteSignature": AccessDenied,
    "InvalidClientTokenId": AccessDenied,
    "InvalidSignatureException": AccessDenied,
    "MissingAuthenticationTokenException": AccessDenied,
    "NotAuthorized": AccessDenied,
    "OptInRequired": AccessDenied,
    "RequestExpired": AccessDenied,
    "UnrecognizedClientException": AccessDenied,
}

STATUSES: Final[dict[int, type[UpstreamError]]] = {401: AccessDenied, 403: AccessDenied, 429: Throttled}

STALE_KEYS: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""Error codes that say: these keys are expired, or none that AWS knows (any more). Others may help."""


class BadEndpoint(boto.BotoCoreError):  # type: ignore[misc] # botocore has no types
    """An endpoint of the SDK's own settings that cannot be one; aiobotocore has no error of its own for it."""

    fmt = "the endpoint URL that is set for the AWS SDK is not one of http:// or https://"


Kinds: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]

VENDOR_ERRORS: Final[tuple[tuple[Kinds, type[GatewayError], str], ...]] = (
    ((boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound),
     AccessDenied, "the gateway has no AWS credentials"),
    (boto.NoRegionError, InvalidInput, "the campaign's ARN names no region, and the gateway has no default one"),
    (boto.InvalidRegionError, InvalidInput, "the campaign's ARN names a region that there cannot be"),
    (BadEndpoint, Unavailable, BadEndpoint.fmt),
    (boto.ParamValidationError, InvalidInput, "the request does not fit the service's model"),
    (ResponseParserError, Malformed, "the answer cannot be parsed"),
    (boto.SSLError, Untrusted, "Personalize's endpoint cannot be trusted: TLS failed"),
    ((boto.HTTPClientError, boto.ConnectionError), Unavailable, "Personalize cannot be reached"),
    ((HttpClientError, OSError), Unavailable, "Personalize cannot be reached"),
    # A body that is no JSON, or JSON of another shape, leaves botocore's parser as whatever it tripped over.
    ((ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError),
     Malformed, "the answer cannot be parsed"),
)  # fmt: skip
"""In this order: the first row that fits decides."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the service said when it gave no ranking; `retry_after` is the text of that header."""

    status: int
    code: str
    message: str = field(default="", repr=False)
    retry_after: str = ""


def translate(error: Exception, user_id: str) -> GatewayError | None:
    """The gateway's error for what a call raised; None for what is no fault of the call (a bug of ours)."""
    if isinstance(error, boto.ClientError):
        return error_of(refusal_in(error), user_id)
    for kinds, ours, message in VENDOR_ERRORS:
        if isinstance(error, kinds):
            return ours(message)
    return None


def refusal_in(error: boto.ClientError) -> Refusal:
    """What the service said, out of botocore's error."""
    said, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    return Refusal(
        status=int(about.get("HTTPStatusCode", 0)),
        code=str(said.get("Code", "")),
        message=str(said.get("Message") or ""),
        retry_after=str(about.get("HTTPHeaders", {}).get("retry-after", "")),
    )


def error_of(refusal: Refusal, user_id: str) -> GatewayError:
    """The gateway's error for what the service said."""
    if refusal.code in CALLER_CODES:
        said = refusal.message or "Personalize refused the request"
        return CALLER_CODES[refusal.code](without(user_id, said)[:MESSAGE_MAX_CHARS])
    kind = UPSTREAM_CODES.get(refusal.code) or STATUSES.get(refusal.status) or Unavailable
    message = f"Personalize answered with status {refusal.status}"
    if issubclass(kind, Throttled):
        return kind(message, _seconds(refusal.retry_after))
    return kind(message)


def without(user_id: str, said: str) -> str:
    """What was said without the user's id. A short one is looked for as a word of its own: the letter `u`, blotted out
    wherever it stands, would leave `Val***e`."""
    if len(user_id) >= SHORT_ID_CHARS:
        return said.replace(user_id, "***")
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(user_id)}(?![A-Za-z0-9])", "***", said) if user_id else said


def _seconds(text: str) -> float | None:
    """The seconds of a Retry-After; None for none, and for a date."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return min(float(text), RETRY_AFTER_MAX_S)

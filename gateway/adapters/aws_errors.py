"""A vendor's exception -> an error of the gateway, once, by tables.

Throttling is not in the service's model and comes as HTTP 400 or 429, so codes decide first and the status only where
there is no known code. Messages of the service are passed on for the caller's own faults alone, without the user id.
"""

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
    UpstreamError,
)

MESSAGE_MAX_CHARS: Final = 500

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

Kinds: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]

VENDOR_ERRORS: Final[tuple[tuple[Kinds, type[GatewayError], str], ...]] = (
    ((boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound),
     AccessDenied, "the gateway has no AWS credentials"),
    (boto.NoRegionError, InvalidInput, "the campaign's ARN names no region, and the gateway has no default one"),
    (boto.InvalidRegionError, InvalidInput, "the campaign's ARN names a region that there cannot be"),
    (boto.ParamValidationError, InvalidInput, "the request does not fit the service's model"),
    (ResponseParserError, Malformed, "the answer cannot be parsed"),
    ((boto.HTTPClientError, boto.ConnectionError), Unavailable, "the campaign cannot be reached"),
    ((HttpClientError, OSError), Unavailable, "the campaign cannot be reached"),
    # A body that is no JSON, or JSON of another shape, leaves botocore's parser as whatever it tripped over.
    ((ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError),
     Malformed, "the answer cannot be parsed"),
)  # fmt: skip
"""In this order: the first row that fits decides."""


def translate(error: Exception, user_id: str) -> GatewayError | None:
    """The gateway's error for what a call raised; None for what is no fault of the call (a bug of ours)."""
    if isinstance(error, boto.ClientError):
        return _of_response(error, user_id)
    for kinds, ours, message in VENDOR_ERRORS:
        if isinstance(error, kinds):
            return ours(message)
    return None


def _of_response(error: boto.ClientError, user_id: str) -> GatewayError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in CALLER_CODES:
        said = error.response.get("Error", {}).get("Message") or "the campaign refused the request"
        return CALLER_CODES[code](str(said).replace(user_id, "***")[:MESSAGE_MAX_CHARS])
    kind = UPSTREAM_CODES.get(code) or STATUSES.get(status) or Unavailable
    return kind(f"the campaign answered with status {status}")

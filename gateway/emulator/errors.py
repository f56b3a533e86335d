"""The errors of the service, as they go over the wire.

    Exception
      ServiceError    one row of STATUSES: the code in `x-amzn-ErrorType`, the HTTP status, a message

The table has the modelled errors first, then those of every AWS service. A message never repeats a user id.
"""

from typing import Final, Literal

Code = Literal[
    "InvalidInputException",
    "ResourceNotFoundException",
    "SerializationException",
    "UnknownOperationException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "RequestEntityTooLarge",
    "ThrottlingException",
    "InternalFailure",
    "ServiceUnavailable",
]

STATUSES: Final[dict[Code, int]] = {
    "InvalidInputException": 400,
    "ResourceNotFoundException": 404,
    "SerializationException": 400,
    "UnknownOperationException": 404,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "RequestEntityTooLarge": 413,
    "ThrottlingException": 400,  # so it is documented
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
}


class ServiceError(Exception):
    """A refusal as the service gives it: `code` is a key of STATUSES, `message` is for people.

    `status` is the HTTP status that goes with the code, unless another one is asked for.
    """

    def __init__(self, code: Code, message: str, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code: Code = code
        self.message = message
        self.status = STATUSES[code] if status is None else status

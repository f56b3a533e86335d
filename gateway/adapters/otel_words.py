"""What spans say, whoever records them: the names and facts of a call's attempt, and how spans end with their block.

What a call is told by are the attributes of the conventions for AWS SDKs, and what it came to (`core.attempt`). What
says nothing is left out, since every attribute is recorded, encoded and sent: the status of a good answer, the wait of
a call that had none.
"""

from functools import lru_cache
from typing import Final, Protocol, Self

from gateway.core.attempt import Attempt
from gateway.core.errors import DeadlineExceeded
from gateway.core.routing import region_of

SERVICE: Final = "Personalize Runtime"
"""What the AWS SDKs call the service."""

ERRORS: Final = frozenset({"failed", "throttled", "late"})
"""Outcomes that are the campaign's failure; an attempt that was overtaken or cancelled did not fail."""

QUEUED_MS: Final = 1.0
"""A wait for a permit that is worth an attribute: there is none as long as the campaign has room."""

OUTCOME: Final = "rerank.outcome"

_region: Final = lru_cache(1024)(region_of)
"""More ARNs than a gateway has."""


class Ending(Protocol):
    """A span, as far as its end goes."""

    def note(self, name: str, value: str | float) -> None:
        """Add a fact."""

    def end(self, error: str | None = None) -> None:
        """It is over, with the kind of error."""


class Block:
    """Ends a span with its block."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self: Ending, kind: type[BaseException] | None, error: BaseException | None, trace: object, /) -> None:
        failed = kind is not None and issubclass(kind, Exception)  # who was cancelled did not fail
        self.end(kind.__name__ if failed and kind is not None else None)


def name_of(attempt: Attempt) -> str:
    """What the span of an attempt is called."""
    return f"{SERVICE}.{attempt.call.operation}"


def called(attempt: Attempt) -> dict[str, str | float]:
    """What is known of a call when it begins."""
    arn, call = attempt.arn or "", attempt.call
    told: dict[str, str | float] = {
        "rpc.system": "aws-api",
        "rpc.service": SERVICE,
        "rpc.method": call.operation,
        "cloud.region": _region(arn),
        "aws.personalize.arn": arn,
        "rerank.call": call.number,
        "rerank.round": call.purpose,
        "rerank.items": call.items,
        "rerank.attempt": attempt.kind,
    }
    if (queued_ms := 1e3 * attempt.waited_s) >= QUEUED_MS:
        told["rerank.queued_ms"] = round(queued_ms, 1)
    return told


def failure_of(attempt: Attempt) -> str | None:
    """The kind of error that an attempt ended with, if it failed."""
    if attempt.outcome not in ERRORS:
        return None
    if attempt.outcome == "late":
        return DeadlineExceeded.__name__
    return "_OTHER" if attempt.error is None else attempt.error.__name__


def concluded(span: Ending, attempt: Attempt) -> None:
    """End the span of an attempt by what that has come to."""
    span.note(OUTCOME, attempt.outcome or "failed")
    span.end(failure_of(attempt))

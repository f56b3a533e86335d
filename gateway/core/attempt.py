"""What was attempted for a ranking: one small record for every call, retry and hedge, always kept.

    Rounds of a plan:   plan ──> bridge                    scores on one scale
                        plan ──> playoff ──> playoff ──> … orders of an ordinal campaign
    and beside them:    metadata (of a page), listing (the one call of a question)

Outcomes, by what ended the attempt:

    answered    the call itself: an answer
    throttled   the call itself: the campaign refused it for its rate
    failed      the call itself: any other error
    overtaken   another attempt of the same call answered first
    late        the deadline
    cancelled   the caller left, or another call found the request wrong
    refused     never made: the campaign had no room for it, or is left alone

Every outcome but the last is of a call that was sent, so it is billed.
"""

from typing import Literal, TypeAlias

from gateway.core.errors import GatewayError, Throttled
from gateway.core.values import dataclass

Purpose: TypeAlias = Literal["plan", "bridge", "playoff", "metadata", "listing"]
Kind: TypeAlias = Literal["first", "retry", "hedge"]
Outcome: TypeAlias = Literal["answered", "overtaken", "failed", "throttled", "late", "cancelled", "refused"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that is wanted: what for, its number among the calls of its plan, how many items it asks about (none for a
    listing), and the service's name of its operation."""

    purpose: Purpose
    number: int
    items: int
    operation: str = "GetPersonalizedRanking"


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of a call; seconds of the stopwatch. It was wanted at `wanted_s`, sent at `began_s`, when it had its
    permit, and over at `ended_s`. `outcome` is None while it is out."""

    call: Wanted
    kind: Kind
    wanted_s: float
    arn: str | None = None
    began_s: float = 0.0
    ended_s: float = 0.0
    outcome: Outcome | None = None
    error: type[GatewayError] | None = None

    def begin(self, arn: str, now_s: float) -> None:
        """It is sent to an ARN."""
        self.arn, self.began_s = arn, now_s

    def refused(self, error: type[GatewayError], now_s: float) -> "Attempt":
        """It is not sent at all; the attempt itself."""
        self.began_s = now_s
        self.end("refused", now_s, error)
        return self

    def end_with(self, said: object, now_s: float) -> None:
        """The call is over by itself, with an answer or a `GatewayError`."""
        if not isinstance(said, GatewayError):
            self.end("answered", now_s)
        else:
            self.end("throttled" if isinstance(said, Throttled) else "failed", now_s, type(said))

    def end(self, outcome: Outcome, now_s: float, error: type[GatewayError] | None = None) -> None:
        """It is over."""
        self.outcome, self.ended_s, self.error = outcome, now_s, error

    @property
    def sent(self) -> bool:
        """Whether the call was made, and is billed."""
        return self.outcome != "refused"

    @property
    def waited_s(self) -> float:
        """How long it waited for its permit."""
        return self.began_s - self.wanted_s

    @property
    def took_s(self) -> float:
        """How long the call was out."""
        return self.ended_s - self.began_s

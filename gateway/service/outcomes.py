"""What came of calls: of each its answer or its error, and all attempts that were made, from which all numbers come."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gateway.core.attempt import Attempt, Kind
from gateway.core.errors import UpstreamError

Said = TypeVar("Said")
"""What a call is answered with: an `Answer` or a `Listing`."""


@dataclass(slots=True)
class FanOut(Generic[Said]):
    """What came of a set of calls: outcomes in their order, and all attempts as they began."""

    outcomes: list[Said | UpstreamError]
    log: list[Attempt] = field(default_factory=list, repr=False)

    def sent(self) -> list[Kind]:
        """The kinds of the attempts that were sent, each of which is billed."""
        return [one.kind for one in self.log if one.sent]

    @property
    def attempts(self) -> int:
        """How many were sent."""
        return sum([one.sent for one in self.log])

    @property
    def retries(self) -> int:
        """How many of them were second tries."""
        return self.sent().count("retry")

    @property
    def hedges(self) -> int:
        """How many of them were hedges."""
        return self.sent().count("hedge")

    @property
    def queue_s(self) -> float:
        """The longest wait of a call for its permit."""
        return max((one.waited_s for one in self.log if one.sent), default=0.0)

    @property
    def answers(self) -> list[Said | None]:
        """The answers, None for a call that failed."""
        return [None if isinstance(outcome, UpstreamError) else outcome for outcome in self.outcomes]

    @property
    def failures(self) -> list[UpstreamError]:
        """Why calls failed, one error a failed call."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, UpstreamError)]


@dataclass(slots=True)
class Asked:
    """What became of calls whose answers are read at once and not kept: 2,000 of them, freed in one go when a request
    ends, would hold the loop up for 20 ms. How many there were, why some failed, and all attempts."""

    calls: int = 0
    failures: list[UpstreamError] = field(default_factory=list)
    log: list[Attempt] = field(default_factory=list, repr=False)

    def add(self, fan: FanOut[Any]) -> None:
        """Take note of more calls that are over."""
        self.calls += len(fan.outcomes)
        self.failures += fan.failures
        self.log += fan.log

"""What the service needs of the world: the fewest verbs, in the words of the core. Adapters implement them."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.answer import Answer
from gateway.core.frame import Frame
from gateway.core.model import Subject


@dataclass(frozen=True, slots=True)
class Call:
    """One GetPersonalizedRanking request: which ARN, for whom, which items (at most 500, distinct)."""

    arn: str
    subject: Subject
    items: list[str] = field(repr=False)


class Ranker(Protocol):
    """Makes one call, once; retries and deadlines are the service's."""

    async def rank(self, call: Call) -> Answer:
        """The checked answer.

        Raises `UpstreamError` when there is none to believe, `CallerError` when the call itself is wrong. Must release
        what it holds when it is cancelled.
        """
        ...


class FrameStore(Protocol):
    """Keeps frames for a while. Never fails: what it cannot do is a miss."""

    async def load(self, key: str) -> Frame | None:
        """The frame that was saved last under the key, if it is still kept."""
        ...

    async def save(self, key: str, frame: Frame, keep_s: float) -> None:
        """Keep the frame for at most `keep_s` seconds, in place of any other."""
        ...


class Clock(Protocol):
    """Three clocks, for three questions."""

    def now_s(self) -> float:
        """Monotonic seconds of the event loop: for deadlines."""
        ...

    def wall_s(self) -> float:
        """Seconds since the epoch: for the age of what is shared or outlives the process."""
        ...

    def stopwatch_s(self) -> float:
        """Monotonic seconds of the finest resolution: for measuring how long things took."""
        ...

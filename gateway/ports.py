"""What the service needs of the world: the fewest verbs, in the words of the core. Adapters implement them."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gateway.core.answer import Answer
from gateway.core.frame import Frame
from gateway.core.keys import FrameKey
from gateway.core.model import Subject
from gateway.core.question import Listing, Question

TRACE: Final[ContextVar[tuple[tuple[str, str], ...]]] = ContextVar("trace", default=())
"""The headers of the trace that a request belongs to, checked; adapters send them along with the calls made for it."""


@dataclass(frozen=True, slots=True)
class Events:
    """One PutEvents request. `members` are those of the operation, checked, as they go to the SDK."""

    tracking_id: str
    user_id: str = field(repr=False)
    members: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One GetPersonalizedRanking request: which ARN, for whom, which items (at most 500, distinct; at most 50 with
    `metadata_columns`, the columns of the Items dataset to answer with)."""

    arn: str
    subject: Subject
    items: list[str] = field(repr=False)
    metadata_columns: tuple[str, ...] = ()


class Ranker(Protocol):
    """Makes one call, once; retries and deadlines are the service's."""

    async def rank(self, call: Call) -> Answer:
        """The checked answer.

        Raises `UpstreamError` when there is none to believe, `CallerError` when the call itself is wrong. Must release
        what it holds when it is cancelled.
        """
        ...

    async def ask(self, arn: str, question: Question) -> Listing:
        """The checked answer of a campaign or recommender to a question; errors and cancellation as of `rank`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store knows of a subject.

    `epoch` is the user's epoch now, 0 before any event, None when the store could not be asked; `frame` the one that is
    kept, if it is of that very epoch.
    """

    epoch: int | None
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class KeptListing:
    """What a store knows of a question; `epoch` as of `Kept`, `listing` the one that is kept, if of that very epoch."""

    epoch: int | None
    listing: Listing | None


class FrameStore(Protocol):
    """Keeps frames, listings and epochs for a while. Never fails: what it cannot read is a miss, what it cannot write
    is lost."""

    async def load(self, key: FrameKey) -> Kept:
        """Epoch and frame, in one round trip."""
        ...

    async def save(self, key: FrameKey, frame: Frame, keep_s: float) -> None:
        """Keep the frame for at most `keep_s` seconds, in place of any other."""
        ...

    async def load_listing(self, key: FrameKey) -> KeptListing:
        """Epoch and listing, in one round trip."""
        ...

    async def save_listing(self, key: FrameKey, listing: Listing, keep_s: float) -> None:
        """Keep the listing for at most `keep_s` seconds, in place of any other."""
        ...

    async def bump(self, user: str, epoch: int, keep_s: float) -> bool:
        """Begin a new epoch, to be remembered for `keep_s` seconds; False if that could not be stored."""
        ...

    def health(self) -> dict[str, object]:
        """Its own numbers since the start, and how it stands."""
        ...


class ValueStore(Protocol):
    """Keeps bytes under keys for a while. Never fails: what it cannot read is not there, what it cannot write is lost.

    All keys of one request have one hash tag: they lie in one slot of a cluster.
    """

    async def fetch(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """The values in the order of the keys, in one round trip; None if the store could not be asked."""
        ...

    async def put(self, values: Mapping[str, bytes], keep_s: float) -> bool:
        """Keep the values for at most `keep_s` seconds, in one command. Whether they are known to be stored."""
        ...


class EventSink(Protocol):
    """Takes users' events to where the model learns of them."""

    async def put(self, events: Events) -> None:
        """Forward the events, once. Errors are those of `Ranker.rank`."""
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

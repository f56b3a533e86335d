"""What the service needs of the world: the fewest verbs, in the words of the core. Adapters implement them."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import field
from typing import Any, Final, Protocol, TypeAlias

from gateway.core.answer import Answer
from gateway.core.attempt import Attempt
from gateway.core.frame import Frame
from gateway.core.keys import FrameKey
from gateway.core.model import Subject
from gateway.core.question import Listing, Question
from gateway.core.values import dataclass

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Span(Protocol):
    """Something under way, as a trace tells it. As a context manager it ends with the block, and notes what broke it.

    One that nothing records costs nothing and has no children of its own: it is its own child.
    """

    @property
    def headers(self) -> Headers:
        """What is sent along with whatever is asked for it."""
        ...

    @property
    def trace_id(self) -> str | None:
        """The trace that it belongs to, in hex; None for none."""
        ...

    def step(self, name: str) -> "Span":
        """A piece of our own work within it."""
        ...

    def attempt(self, attempt: Attempt, beside: "Span | None" = None) -> "Span":
        """An attempt of a call within it, just begun; `beside` is the one that it is a hedge of. What the attempt came
        to is read when the span ends."""
        ...

    def note(self, name: str, value: str | int | float | bool) -> None:
        """Add a fact, by its name in the conventions of OpenTelemetry. Never a user, an item or a secret."""
        ...

    def end(self, error: str | None = None) -> None:
        """It is over; `error` is the kind of failure that it ended with, if it failed."""
        ...

    def __enter__(self) -> "Span": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A span that nothing records: all there is of it are the caller's headers, which are passed on."""

    headers: Headers = ()

    @property
    def trace_id(self) -> str | None:
        """That of the caller's trace."""
        return self.headers[0][1].split("-")[1] if self.headers else None

    def step(self, name: str) -> Span:  # noqa: ARG002
        """Itself."""
        return self

    def attempt(self, attempt: Attempt, beside: Span | None = None) -> Span:  # noqa: ARG002
        """Itself."""
        return self

    def note(self, name: str, value: str | float) -> None:
        """Nothing."""

    def end(self, error: str | None = None) -> None:
        """Nothing."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return


TRACE: Final[ContextVar[Span]] = ContextVar("trace", default=Unrecorded())  # noqa: B039 - it is frozen
"""What is under way here, the caller's headers checked; adapters send its headers along with the calls made for it."""


class Tracer(Protocol):
    """Begins what stands at the top of what this process tells of a trace."""

    def request(self, name: str, parent: Headers) -> Span:
        """A request that came in, as part of the trace that its headers name, if they name one (`traceparent` first,
        checked)."""
        ...


class Untraced:
    """A tracer that records nothing."""

    def request(self, name: str, parent: Headers) -> Span:  # noqa: ARG002
        """The caller's headers, to be passed on."""
        return Unrecorded(parent)


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

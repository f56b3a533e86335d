"""`Tracer` for spans that this process sends to a collector itself: as light as they can be, since a ranking of 10,000
has 25 of them.

Of a request the SDK's sampler is asked, once: those of the standard say of a span within it what they said of the
request. What is recorded then is a name, two times, ids and a dict, with no lock and no limits to be looked up; the
SDK's batch processor takes it as it is, and its thread has it encoded (`otlp`). Together that is a fifth of what
spans of the SDK and its own encoder cost, and the collector cannot tell the difference.
"""

from random import getrandbits
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.adapters.otel_words import Block, called, concluded, name_of
from gateway.core.attempt import Attempt
from gateway.ports import Headers, Span, Unrecorded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.sampling import Sampler

INTERNAL, SERVER, CLIENT = 1, 2, 3
"""Kinds of spans, by their numbers in OTLP."""

SAMPLED: Final = TraceFlags.SAMPLED
RANDOM: Final = 2
"""The flag that a trace's id is random (W3C Trace Context, level 2)."""

_W3C: Final = TraceContextTextMapPropagator()
_NOWHERE: Final = Context()


class LeanTracer:
    """Begins spans that a processor of the SDK takes when they are over."""

    def __init__(self, sampler: "Sampler", processor: "SpanProcessor") -> None:
        self._sampler = sampler
        self._processor = processor

    def __repr__(self) -> str:
        return f"<LeanTracer {self._sampler.get_description()}>"

    def request(self, name: str, parent: Headers) -> Span:
        """The span of a request; one that is not sampled has nothing but the headers it came with."""
        context = _W3C.extract(dict(parent), _NOWHERE) if parent else _NOWHERE
        above = trace.get_current_span(context).get_span_context()
        number = above.trace_id if above.is_valid else getrandbits(128) or 1
        sample = self._sampler.should_sample(context, number, name, SpanKind.SERVER)
        if not sample.decision.is_sampled():  # type: ignore[no-untyped-call] # the SDK's
            return Unrecorded(parent)
        flags = SAMPLED | (above.trace_flags & RANDOM if above.is_valid else RANDOM)
        state = sample.trace_state.to_header() if sample.trace_state else ""
        of = Trace(number, flags, state, self._processor)
        return LeanSpan(of, name, SERVER, above.span_id.to_bytes(8, "big") if above.is_valid else b"", {})


class Trace:
    """What the spans of a request have in common."""

    __slots__ = ("flags", "id", "processor", "start", "state")

    def __init__(self, number: int, flags: int, state: str, processor: "SpanProcessor") -> None:
        self.id = number.to_bytes(16, "big")
        self.start = f"00-{number:032x}-"
        self.flags = f"-{flags:02x}"
        self.state = state
        self.processor = processor


class LeanSpan(Block):
    """A span; when it is over, also what the encoder reads."""

    __slots__ = ("attributes", "began_ns", "beside", "ended_ns", "failed", "id", "kind", "name", "of", "parent")

    context: Final = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(SAMPLED))
    """All that a processor of the SDK asks of a span: whether it is sampled. Those that are not do not come to be."""

    def __init__(self, of: Trace, name: str, kind: int, parent: bytes, attributes: dict[str, str | float]) -> None:
        self.of = of
        self.name = name
        self.kind = kind
        self.parent = parent
        self.attributes = attributes
        self.beside = b""
        self.failed = False
        self.id = (getrandbits(64) or 1).to_bytes(8, "big")
        self.began_ns = time_ns()
        self.ended_ns = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.headers}>"

    @property
    def headers(self) -> Headers:
        """What is sent to whoever is asked within it."""
        of = self.of
        parent = ("traceparent", f"{of.start}{self.id.hex()}{of.flags}")
        return (parent, ("tracestate", of.state)) if of.state else (parent,)

    @property
    def trace_id(self) -> str:
        """The trace that it belongs to."""
        return self.of.id.hex()

    def step(self, name: str) -> Span:
        """A span of our own work."""
        return LeanSpan(self.of, name, INTERNAL, self.id, {})

    def attempt(self, attempt: Attempt, beside: Span | None = None) -> Span:
        """A span of a call, linked to the one that it is a hedge of."""
        span = _Attempted(self.of, name_of(attempt), CLIENT, self.id, called(attempt))
        span.of_attempt = attempt
        if isinstance(beside, LeanSpan):
            span.beside = beside.id
        return span

    def note(self, name: str, value: str | float) -> None:
        """An attribute."""
        self.attributes[name] = value

    def end(self, error: str | None = None) -> None:
        """The end. An error is told by its kind alone, which cannot hold what must not be told."""
        if error is not None:
            self.attributes["error.type"] = error
            self.failed = True
        self.ended_ns = time_ns()
        taken: Any = self
        self.of.processor.on_end(taken)


class _Attempted(LeanSpan):
    """The span of an attempt, which knows itself how it ended."""

    __slots__ = ("of_attempt",)
    of_attempt: Attempt

    def __exit__(self, *_: object) -> None:
        concluded(self, self.of_attempt)

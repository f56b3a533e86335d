"""`Tracer` for spans that this process sends to a collector itself: as light as they can be, since a ranking of 10,000
has 25 of them.

A request is recorded whole or not at all: the samplers of the standard say of a span within it what they said of the
request. What is recorded then is a name, two times, ids and a dict, with no lock and no limits to be looked up; the
SDK's batch processor takes it as it is, and its thread has it encoded (`otlp`). The collector cannot tell the spans
from those of the SDK and its encoder, which cost six times as much.
"""

from random import getrandbits
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanContext, TraceFlags

from gateway.adapters.otel_sampler import Sampler
from gateway.adapters.otel_words import Block, called, concluded, name_of
from gateway.core.attempt import Attempt
from gateway.ports import Headers, Span, Unrecorded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

INTERNAL, SERVER, CLIENT = 1, 2, 3
"""Kinds of spans, by their numbers in OTLP."""

SAMPLED, RANDOM = 1, 2
"""Flags of a trace: it is recorded; its id is random (W3C Trace Context, level 2)."""


class LeanTracer:
    """Begins spans that a processor of the SDK takes when they are over."""

    def __init__(self, sampled: Sampler, processor: "SpanProcessor") -> None:
        self._sampled = sampled
        self._processor = processor

    def __repr__(self) -> str:
        return f"<LeanTracer {type(self._processor).__name__}>"

    def request(self, name: str, parent: Headers) -> Span:
        """The span of a request; one that is not sampled has nothing but the headers it came with."""
        if not parent:
            trace = getrandbits(128) or 1
            return self._begun(name, trace, RANDOM, b"", "") if self._sampled(trace, None) else Unrecorded()
        _, trace_hex, span_hex, flags_hex = parent[0][1].split("-")
        trace, flags = int(trace_hex, 16), int(flags_hex, 16)
        if not self._sampled(trace, bool(flags & SAMPLED)):
            return Unrecorded(parent)
        state = parent[1][1] if len(parent) > 1 else ""
        return self._begun(name, trace, flags & RANDOM, bytes.fromhex(span_hex), state)

    def _begun(self, name: str, trace: int, flags: int, above: bytes, state: str) -> Span:
        of = Trace(trace.to_bytes(16, "big"), SAMPLED | flags, state, self._processor)
        return LeanSpan(of, name, SERVER, above, {})


class Trace:
    """What the spans of a request have in common."""

    __slots__ = ("end", "id", "processor", "start", "state")

    def __init__(self, trace_id: bytes, flags: int, state: str, processor: "SpanProcessor") -> None:
        self.id = trace_id
        self.start = f"00-{trace_id.hex()}-"
        self.end = f"-{flags:02x}"
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
        parent = ("traceparent", f"{of.start}{self.id.hex()}{of.end}")
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
        """An attribute; of a span that is over, which may be encoded at this moment, none any more."""
        if not self.ended_ns:
            self.attributes[name] = value

    def end(self, error: str | None = None) -> None:
        """The end. An error is told by its kind alone, which cannot hold what must not be told."""
        if self.ended_ns:
            return
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

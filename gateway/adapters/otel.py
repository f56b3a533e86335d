"""`Tracer` over the API of OpenTelemetry: a span for each request, and within it one for each attempt of a call.

Who records and where it goes is the business of whatever provider was set up for the process; what goes to a collector
by our own means is recorded by `otel_lean`, at a fifth of the cost. Where nobody records a request (no provider, not
sampled) it has no spans at all, and costs one question to the sampler; the caller's headers are passed on as they came.
Times are the provider's.
"""

from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.adapters.otel_words import Block, called, concluded, name_of
from gateway.core.attempt import Attempt
from gateway.ports import Headers, Span, Unrecorded

_W3C: Final = TraceContextTextMapPropagator()
_NOWHERE: Final = Context()


class OtelTracer:
    """Begins spans of requests with a tracer of OpenTelemetry."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def __repr__(self) -> str:
        return f"<OtelTracer {type(self._tracer).__name__}>"

    def request(self, name: str, parent: Headers) -> Span:
        """The span of a request; one that nobody records has nothing but the headers it came with."""
        context = _W3C.extract(dict(parent), _NOWHERE) if parent else _NOWHERE
        span = self._tracer.start_span(name, context, SpanKind.SERVER)
        return Recorded(self._tracer, span) if span.is_recording() else Unrecorded(parent)


class Recorded(Block):
    """A span that somebody records."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self.span = span
        self._inside = trace.set_span_in_context(span, _NOWHERE)
        self.headers = _headers(span.get_span_context())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.headers}>"

    @property
    def trace_id(self) -> str | None:
        """The trace that it belongs to."""
        return f"{self.span.get_span_context().trace_id:032x}"

    def step(self, name: str) -> Span:
        """A span of our own work."""
        return Recorded(self._tracer, self._tracer.start_span(name, self._inside))

    def attempt(self, attempt: Attempt, beside: Span | None = None) -> Span:
        """A span of a call, linked to the one that it is a hedge of."""
        links = [Link(beside.span.get_span_context())] if isinstance(beside, Recorded) else None
        span = self._tracer.start_span(name_of(attempt), self._inside, SpanKind.CLIENT, called(attempt), links)
        return _Attempted(self._tracer, span, attempt)

    def note(self, name: str, value: str | float) -> None:
        """An attribute."""
        self.span.set_attribute(name, value)

    def end(self, error: str | None = None) -> None:
        """The end. An error is told by its kind alone, which cannot hold what must not be told."""
        if error is not None:
            self.span.set_attribute("error.type", error)
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


class _Attempted(Recorded):
    """The span of an attempt, which knows itself how it ended."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span, attempt: Attempt) -> None:
        super().__init__(tracer, span)
        self._attempt = attempt

    def __exit__(self, *_: object) -> None:
        concluded(self, self._attempt)


def _headers(context: trace.SpanContext) -> Headers:
    """What is sent to whoever is asked within a span."""
    parent = ("traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")
    state = context.trace_state.to_header()
    return (parent, ("tracestate", state)) if state else (parent,)

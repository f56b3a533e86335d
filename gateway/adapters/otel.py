"""`Tracer` over the API of OpenTelemetry: a span for each request, and within it one for each attempt of a call.

Who records and where it goes is the provider's business: that of `otel_sdk`, or whatever else was set up for the
process. Where nobody records a request (no provider, not sampled) it has no spans at all, and costs one question to the
sampler; the caller's headers are passed on as they came.

What a call is told by are the attributes of the conventions for AWS SDKs, and what it came to (`core.attempt`). Times
are the provider's. An attribute costs the SDK 2.5 microseconds, most of it when it is exported, so what says nothing is
left out: the status of a good answer, the wait of a call that had none.
"""

from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.core.attempt import Attempt
from gateway.core.errors import DeadlineExceeded
from gateway.core.routing import region_of
from gateway.ports import Headers, Span, Unrecorded

SERVICE: Final = "Personalize Runtime"
"""What the AWS SDKs call the service."""

ERRORS: Final = frozenset({"failed", "throttled", "late"})
"""Outcomes that are the campaign's failure; an attempt that was overtaken or cancelled did not fail."""

QUEUED_S: Final = 0.001
"""A wait for a permit that is worth an attribute: there is none as long as the campaign has room."""

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


class Recorded:
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
        name = f"{SERVICE}.{attempt.call.operation}"
        span = self._tracer.start_span(name, self._inside, SpanKind.CLIENT, _called(attempt), links)
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

    def __enter__(self) -> Span:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object, /) -> None:
        failed = kind is not None and issubclass(kind, Exception)  # who was cancelled did not fail
        self.end(kind.__name__ if failed and kind is not None else None)


class _Attempted(Recorded):
    """The span of an attempt, which knows itself how it ended."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span, attempt: Attempt) -> None:
        super().__init__(tracer, span)
        self._attempt = attempt

    def __exit__(self, *_: object) -> None:
        attempt = self._attempt
        self.note("rerank.outcome", attempt.outcome or "failed")
        self.end(_error(attempt) if attempt.outcome in ERRORS else None)


def _error(attempt: Attempt) -> str:
    if attempt.outcome == "late":
        return DeadlineExceeded.__name__
    return "_OTHER" if attempt.error is None else attempt.error.__name__


def _called(attempt: Attempt) -> dict[str, str | int | float]:
    """What is known of a call when it begins."""
    arn = attempt.arn or ""
    told: dict[str, str | int | float] = {
        "rpc.system": "aws-api",
        "rpc.service": SERVICE,
        "rpc.method": attempt.call.operation,
        "cloud.region": region_of(arn),
        "aws.personalize.arn": arn,
        "rerank.call": attempt.call.number,
        "rerank.round": attempt.call.purpose,
        "rerank.items": attempt.call.items,
        "rerank.attempt": attempt.kind,
    }
    if attempt.waited_s >= QUEUED_S:
        told["rerank.queued_ms"] = round(1e3 * attempt.waited_s, 1)
    return told


def _headers(context: trace.SpanContext) -> Headers:
    """What is sent to whoever is asked within a span."""
    parent = ("traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")
    state = context.trace_state.to_header()
    return (parent, ("tracestate", state)) if state else (parent,)

"""Tracers that keep their spans in memory, and what tests ask of them.

Spans of the SDK, and our own, which are read out of what a collector would be sent. Both are looked at as the SDK's, so
every test holds for both.
"""

from abc import ABC, abstractmethod
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, DEFAULT_OFF, DEFAULT_ON
from opentelemetry.trace import SpanKind

from gateway.adapters.otel import OtelTracer
from gateway.adapters.otel_lean import LeanSpan, LeanTracer
from gateway.adapters.otel_sampler import DEFAULT, sampler_of
from gateway.adapters.otlp import Encoder
from gateway.ports import Tracer
from tests.traces.decoded import spans_of

SAMPLERS: Final = {
    "always_on": ALWAYS_ON,
    "always_off": ALWAYS_OFF,
    "parentbased_always_on": DEFAULT_ON,
    "parentbased_always_off": DEFAULT_OFF,
}


class Recorder(ABC):
    """Spans of one tracer."""

    tracer: Tracer

    @property
    @abstractmethod
    def spans(self) -> list[ReadableSpan]:
        """All that have ended, as they ended."""

    @abstractmethod
    def clear(self) -> None:
        """Forget them."""

    def of(self, kind: SpanKind) -> list[ReadableSpan]:
        """Those of a kind."""
        return [span for span in self.spans if span.kind is kind]

    @property
    def request(self) -> ReadableSpan:
        """The one of a request."""
        (span,) = self.of(SpanKind.SERVER)
        return span

    @property
    def calls(self) -> list[ReadableSpan]:
        """Those of attempts."""
        return self.of(SpanKind.CLIENT)

    def named(self, name: str) -> ReadableSpan:
        """The one of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span


class SdkRecorder(Recorder):
    """Of a provider of the SDK."""

    def __init__(self, sampler: str = DEFAULT) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=SAMPLERS[sampler], shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OtelTracer(provider.get_tracer("test"))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def clear(self) -> None:
        self._exporter.clear()


class LeanRecorder(Recorder):
    """Of our own."""

    def __init__(self, sampler: str = DEFAULT) -> None:
        self._sent: list[bytes] = []
        self._encoder = Encoder(b"", b"")
        self.tracer = LeanTracer(sampler_of({"OTEL_TRACES_SAMPLER": sampler}), self)  # type: ignore[arg-type]

    def on_end(self, span: LeanSpan) -> None:
        """A span is over."""
        assert span.context.trace_flags.sampled
        self._sent.append(self._encoder([span]))

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for sent in self._sent for span in spans_of(sent)]

    def clear(self) -> None:
        self._sent.clear()


RECORDERS: Final = {"sdk": SdkRecorder, "lean": LeanRecorder}


def facts(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span."""
    return dict(span.attributes or {})


def header_of(span: ReadableSpan) -> str:
    """The `traceparent` of what a span asks for, but for its flags, which nobody is told by a collector."""
    context = span.context
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-"

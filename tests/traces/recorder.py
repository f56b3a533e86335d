"""A provider of the SDK that keeps its spans in memory, and what tests ask of them."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import SpanKind

from gateway.adapters.otel import OtelTracer


class Recorder:
    """Spans of one tracer."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler or ParentBased(ALWAYS_ON), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = OtelTracer(provider.get_tracer("test"))

    @property
    def spans(self) -> list[ReadableSpan]:
        """All that have ended, as they ended."""
        return list(self.exporter.get_finished_spans())

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


def facts(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span."""
    return dict(span.attributes or {})


def header_of(span: ReadableSpan) -> str:
    """The `traceparent` of what a span asks for."""
    context = span.context
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

"""What a collector is sent, as spans of the SDK, so that the same can be asked of both."""

from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

KINDS = {
    Span.SpanKind.SPAN_KIND_INTERNAL: SpanKind.INTERNAL,
    Span.SpanKind.SPAN_KIND_SERVER: SpanKind.SERVER,
    Span.SpanKind.SPAN_KIND_CLIENT: SpanKind.CLIENT,
}


def spans_of(export: bytes) -> Iterator[ReadableSpan]:
    """The spans of an export."""
    for of_resource in ExportTraceServiceRequest.FromString(export).resource_spans:
        for of_scope in of_resource.scope_spans:
            yield from map(_read, of_scope.spans)


def _read(span: Span) -> ReadableSpan:
    state = TraceState.from_header([span.trace_state])
    return ReadableSpan(
        span.name,
        _context(span.trace_id, span.span_id, state),
        _context(span.trace_id, span.parent_span_id, state) if span.parent_span_id else None,
        attributes=dict(map(_attribute, span.attributes)),
        links=[Link(_context(link.trace_id, link.span_id, state)) for link in span.links],
        kind=KINDS[span.kind],
        status=Status(StatusCode(span.status.code)),
        start_time=span.start_time_unix_nano,
        end_time=span.end_time_unix_nano,
    )


def _context(trace_id: bytes, span_id: bytes, state: TraceState) -> SpanContext:
    number, trace = int.from_bytes(span_id, "big"), int.from_bytes(trace_id, "big")
    return SpanContext(trace, number, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)


def _attribute(told: KeyValue) -> tuple[str, str | float]:
    return told.key, getattr(told.value, str(told.value.WhichOneof("value")))

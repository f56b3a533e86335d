"""Our spans as bytes: whatever they hold, a collector reads of them what the SDK's encoder would have told it."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from gateway.adapters.otel_exporter import encoder_of
from gateway.adapters.otel_lean import CLIENT, INTERNAL, SERVER, LeanSpan, Trace
from gateway.adapters.otlp import UNLIKE, Encoder, varint
from tests.traces.recorder import LeanRecorder, facts

KINDS = {INTERNAL: SpanKind.INTERNAL, SERVER: SpanKind.SERVER, CLIENT: SpanKind.CLIENT}
RESOURCE = Resource({"service.name": "shop", "process.command_args": ("a", "b")})
SCOPE = InstrumentationScope("gateway", "1.2")

values = st.one_of(
    st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.sampled_from([0, 0.0, 1])
)
names = st.one_of(st.text(min_size=1), st.sampled_from(["a", "b", *sorted(UNLIKE)]))
ids = st.binary(min_size=8, max_size=8).filter(any)


class Nobody:
    """A processor that forgets."""

    def on_end(self, span: object) -> None:
        pass


@dataclass(frozen=True)
class Drawn:
    """What a span is made of."""

    trace: bytes
    state: str
    parent: bytes
    name: str
    kind: int
    attributes: dict[str, str | float]
    beside: bytes
    error: str | None
    began_ns: int

    def span(self) -> LeanSpan:
        """The span, when it is over."""
        of = Trace(self.trace, 1, self.state, Nobody())  # type: ignore[arg-type]
        span = LeanSpan(of, self.name, self.kind, self.parent, {})
        for name, value in self.attributes.items():
            span.note(name, value)
        span.beside = self.beside
        span.end(self.error)
        span.began_ns = self.began_ns
        return span


drawn = st.builds(
    Drawn,
    trace=st.binary(min_size=16, max_size=16).filter(any),
    state=st.sampled_from(["", "a=1", "a=1,b=2"]),
    parent=st.one_of(st.just(b""), ids),
    name=st.text(),
    kind=st.sampled_from(list(KINDS)),
    attributes=st.dictionaries(names, values, max_size=8),
    beside=st.one_of(st.just(b""), ids),
    error=st.one_of(st.none(), st.just("Unavailable")),
    began_ns=st.integers(1, 2**64 - 1),
)


def as_the_sdks(span: LeanSpan) -> ReadableSpan:
    """The same as a span of the SDK."""

    def context(span_id: bytes, *, remote: bool = False) -> SpanContext:
        trace, number = int.from_bytes(span.of.id, "big"), int.from_bytes(span_id, "big")
        return SpanContext(trace, number, remote, TraceFlags(1), TraceState.from_header([span.of.state]))

    return ReadableSpan(
        span.name,
        context(span.id),
        context(span.parent, remote=span.kind == SERVER) if span.parent else None,
        RESOURCE,
        dict(span.attributes),
        links=[Link(context(span.beside))] if span.beside else [],
        kind=KINDS[span.kind],
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=span.began_ns,
        end_time=span.ended_ns,
        instrumentation_scope=SCOPE,
    )


def told(export: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """An export, attributes in the order of their names, as their order says nothing."""
    for of_resource in export.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                span.attributes.sort(key=lambda one: one.key)
    return export


@settings(max_examples=100)
@given(st.lists(drawn, min_size=1, max_size=3))
def test_it_is_what_the_sdk_would_send(all_drawn: list[Drawn]) -> None:
    """Names, ids, times, kinds, attributes of all types, links, states, flags and statuses: all as the SDK encodes
    them, in one resource and scope."""
    spans = [one.span() for one in all_drawn]
    expected = encode_spans([as_the_sdks(span) for span in spans])
    sent = encoder_of(RESOURCE, SCOPE.name, SCOPE.version or "")(spans)
    assert told(ExportTraceServiceRequest.FromString(sent)) == told(expected)


def test_a_lost_field_is_seen() -> None:
    """The control: an export without its resource is not what the SDK sends."""
    span = LeanSpan(Trace(b"t" * 16, 1, "", Nobody()), "x", SERVER, b"", {})  # type: ignore[arg-type]
    span.end()
    assert ExportTraceServiceRequest.FromString(Encoder(b"", b"")([span])) != encode_spans([as_the_sdks(span)])


def test_it_ends_once() -> None:
    """What is noted of a span that is over, or its end once more, changes nothing."""
    recorder = LeanRecorder()
    span = recorder.tracer.request("x", ())
    span.end()
    span.note("a", 1)
    span.end("late")
    assert [(one.name, facts(one), one.status.status_code) for one in recorder.spans] == [("x", {}, StatusCode.UNSET)]
    assert isinstance(span, LeanSpan)
    assert (span.attributes, span.failed) == ({}, False)


def test_what_is_no_text() -> None:
    """A lone surrogate, which has no bytes, costs its character and not the batch."""
    span = LeanSpan(Trace(b"t" * 16, 1, "", Nobody()), "a\ud800", SERVER, b"", {"b": "c\udfff"})  # type: ignore[arg-type]
    export = ExportTraceServiceRequest.FromString(Encoder(b"", b"")([span]))
    (sent,) = export.resource_spans[0].scope_spans[0].spans
    assert (sent.name, sent.attributes[0].value.string_value) == ("a?", "c?")


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "f" * 18 + "01")]
)
def test_varints(number: int, expected: str) -> None:
    """Seven bits a byte, lowest first."""
    assert varint(number).hex() == expected

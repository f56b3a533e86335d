"""The OTLP exporter of the SDK, heard once an episode: one line when spans begin to be lost, and one when they arrive
again, however long a collector is away. By itself it would write two lines a batch.

How a batch is sent (where to, with which headers, when again, compressed or not) is the exporter's; the spans of
`otel_lean` are encoded by `otlp`. For the sending alone the SDK has no public name: where an exporter of another
version has none by the name that is known here (`sends_bytes`), all of it is left to the SDK.
"""

import logging
from collections.abc import Sequence
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from gateway.adapters.otlp import Encoder, field

_log = structlog.get_logger("gateway.traces")


class Episode(logging.Filter):
    """Lets the first error of an episode through, which has the reason, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        return record.levelno >= logging.ERROR and not self.lost


class ExporterOfEpisodes(SpanExporter):
    """An exporter that tells episodes; only the thread of its processor calls it."""

    def __init__(self, exporter: SpanExporter, episode: Episode) -> None:
        self._exporter = exporter
        self._episode = episode

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and count what is lost."""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._episode.lost:
                _log.warning("traces cannot be exported")
            self._episode.lost += len(spans)
        elif self._episode.lost:
            _log.info("traces are exported again", lost=self._episode.lost)
            self._episode.lost = 0
        return result

    def shutdown(self) -> None:
        """Give up what is under way."""
        self._exporter.shutdown()


class LeanExporter(trace_exporter.OTLPSpanExporter):
    """The SDK's exporter, for spans of `otel_lean`."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._encoder = encoder

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """Encode and send."""
        sent = self._client.export(self._encoder(spans))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE


def encoder_of(resource: Resource, name: str, version: str) -> Encoder:
    """The encoder for spans of a scope. What is the same in all exports is encoded by the SDK."""
    span = ReadableSpan(
        "", INVALID_SPAN_CONTEXT, resource=resource, instrumentation_scope=InstrumentationScope(name, version)
    )
    (of_resource,) = encode_spans([span]).resource_spans
    (of_scope,) = of_resource.scope_spans
    return Encoder(field(1, of_resource.resource.SerializeToString()), field(1, of_scope.scope.SerializeToString()))


def sends_bytes() -> bool:
    """Whether an exporter of the version that is installed can be told to send what is encoded."""
    exporter = trace_exporter.OTLPSpanExporter()
    try:
        return callable(getattr(getattr(exporter, "_client", None), "export", None))
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call] # the SDK's


def exporter_of_episodes(encoder: Encoder | None) -> SpanExporter:
    """The exporter as the variables have it: with an encoder for spans of `otel_lean`, else for those of the SDK.
    Raises `OSError` and `ValueError` for variables that it cannot use."""
    episode = Episode()
    logger = logging.getLogger(trace_exporter.__name__)
    for former in [one for one in logger.filters if isinstance(one, Episode)]:
        logger.removeFilter(former)
    logger.addFilter(episode)
    exporter = trace_exporter.OTLPSpanExporter() if encoder is None else LeanExporter(encoder)
    return ExporterOfEpisodes(exporter, episode)

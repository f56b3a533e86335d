"""The OTLP exporter of the SDK, heard once an episode: one line when spans begin to be lost, and one when they arrive
again, however long a collector is away. By itself it would write two lines a batch.
"""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

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


def exporter_of_episodes() -> SpanExporter:
    """The exporter as the variables have it. Raises `OSError` and `ValueError` for those that it cannot use."""
    episode = Episode()
    logger = logging.getLogger(trace_exporter.__name__)
    for former in [one for one in logger.filters if isinstance(one, Episode)]:
        logger.removeFilter(former)
    logger.addFilter(episode)
    return ExporterOfEpisodes(trace_exporter.OTLPSpanExporter(), episode)

"""`/metrics`: numbers that live on objects, read when somebody asks, in the text formats of Prometheus.

Nothing is counted here. `metrics_families` is the table of what there is, `metrics_reading` looks at the service; this
renders. It answers whatever the state of the gateway, also when it is draining. Beside the table stand the metrics of
the process that the client library reads from the system (`process_...`).
"""

from collections.abc import Awaitable, Callable, Iterable
from itertools import accumulate
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gateway.core.histogram import Histogram
from gateway.service.service import Service
from gateway.web.metrics_families import FAMILIES, Family, Kind
from gateway.web.metrics_reading import Seen

KINDS: Final[dict[Kind, type[CounterMetricFamily] | type[GaugeMetricFamily] | type[HistogramMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def metrics_handler(service: Service) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of `GET /metrics`: it negotiates text or OpenMetrics, and compression."""
    registry = CollectorRegistry()
    registry.register(_Numbers(service))
    ProcessCollector(registry=registry)
    return make_aiohttp_handler(registry)


class _Numbers:
    """The collector: renders what the service's objects say at this moment."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[Metric]:
        """The names, without looking at anything."""
        return [KINDS[family.kind](family.name, family.help, labels=family.labels) for family in FAMILIES]

    def collect(self) -> Iterable[Metric]:
        """All families with their samples."""
        seen = Seen.of(self._service)
        return [_rendered(family, seen) for family in FAMILIES]


def _rendered(family: Family, seen: Seen) -> Metric:
    metric = KINDS[family.kind](family.name, family.help, labels=family.labels)
    for labels, value in family.read(seen):
        if isinstance(value, Histogram):
            assert isinstance(metric, HistogramMetricFamily)  # noqa: S101 - the table says so, and a test
            metric.add_metric(labels, buckets=_buckets(value), sum_value=value.total)
        elif value is not None:
            assert not isinstance(metric, HistogramMetricFamily)  # noqa: S101 - as above
            metric.add_metric(labels, float(value))
    return metric


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative counts by the upper end of each bucket."""
    ends = [*map(str, map(float, histogram.bounds)), "+Inf"]
    return list(zip(ends, map(float, accumulate(histogram.counts)), strict=True))

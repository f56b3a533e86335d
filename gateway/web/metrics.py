"""`/metrics`: numbers that live on objects, read when somebody asks, in the text formats of Prometheus.

Nothing is counted here. `metrics_families` is the table of what there is, `metrics_reading` looks at the service; this
renders. It answers whatever the state of the gateway, also when it is draining. Beside the table stand the metrics of
the process that the client library reads from the system (`process_...`).

A hundred campaigns are 10,000 samples, which take a quarter of a second to write down. So families are read one by one
with turns for others in between, and what is long is written in a thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import accumulate
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gateway.core.histogram import Histogram
from gateway.service.service import Service
from gateway.web.metrics_families import FAMILIES, Family, Kind
from gateway.web.metrics_reading import Seen

KINDS: Final[dict[Kind, type[CounterMetricFamily] | type[GaugeMetricFamily] | type[HistogramMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}

AT_ONCE: Final = 500
"""Samples that are read, or written, at a stretch: 2 ms."""


def metrics_handler(service: Service) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of `GET /metrics`: it negotiates text or OpenMetrics, and compression; `name[]` asks for some."""

    async def metrics(http: web.Request) -> web.StreamResponse:
        families, samples = await _collected(service)
        registry = CollectorRegistry(auto_describe=True)
        registry.register(_Collected(families))
        ProcessCollector(registry=registry)
        names = http.query.getall("name[]", [])
        asked = registry.restricted_registry(names) if names else registry
        encode, content_type = choose_encoder(",".join(http.headers.getall("Accept", [])))
        body = encode(asked) if samples <= AT_ONCE else await asyncio.to_thread(encode, asked)
        response = web.Response(body=body, headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    return metrics


class _Collected(Collector):
    """Families that were read."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


async def _collected(service: Service) -> tuple[list[Metric], int]:
    """All families, and how many samples they have."""
    seen = Seen.of(service)
    families: list[Metric] = []
    samples = told = 0
    for family in FAMILIES:
        families.append(_rendered(family, seen))
        samples += len(families[-1].samples)
        if samples - told > AT_ONCE:
            told = samples
            await asyncio.sleep(0)
    return families, samples


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

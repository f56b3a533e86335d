"""`/metrics`: numbers that live on objects, read when somebody asks, in the text formats of Prometheus.

Nothing is counted here. A family is a row of a table (name, kind, help, where its number stands in a health report); a
number that is not there now (no end to expire at) has no sample. Labels would be bounded names, never a user, an item
or a key. It answers whatever the state of the gateway, also when it is draining.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from gateway.service.service import Service


class Family(NamedTuple):
    """One number of a health report, and what it is called outside."""

    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    name: str
    help: str
    member: str


CREDENTIALS: Final = (
    Family(GaugeMetricFamily, "rerank_credentials_usable", "Whether upstream calls can be signed (1 or 0)", "usable"),
    Family(
        GaugeMetricFamily,
        "rerank_credentials_expiry_seconds",
        "Seconds until the credentials in use expire; absent if they do not",
        "expiresS",
    ),
    Family(
        GaugeMetricFamily, "rerank_credentials_age_seconds", "Seconds since the source first gave those in use", "ageS"
    ),
    Family(
        CounterMetricFamily,
        "rerank_credentials_refreshes_total",
        "Questions to the source that it answered with usable credentials",
        "refreshes",
    ),
    Family(
        CounterMetricFamily,
        "rerank_credentials_refresh_failures_total",
        "Questions to the source that it did not answer so",
        "failures",
    ),
)


def metrics_handler(service: Service) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of `GET /metrics`: it negotiates text or OpenMetrics, and compression."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(_Numbers(service))
    return make_aiohttp_handler(registry)


class _Numbers:
    """The collector: renders what the service's objects say at this moment."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        yield from _rendered(CREDENTIALS, self._service.credentials_health())


def _rendered(families: Iterable[Family], health: Mapping[str, object]) -> Iterable[Metric]:
    for family in families:
        value = health[family.member]
        yield family.kind(family.name, family.help, value=float(value) if isinstance(value, int | float) else None)

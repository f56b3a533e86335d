"""How traces are set up: what the standard variables ask for, and what an exporter that fails costs."""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from gateway.adapters import otel_exporter, otel_sdk
from gateway.adapters.otel import OtelTracer, Recorded
from gateway.adapters.otel_exporter import Episode, ExporterOfEpisodes
from gateway.adapters.otel_lean import LeanSpan
from gateway.adapters.otel_sdk import CannotTrace, exporter_wanted, opened_tracer
from gateway.ports import Unrecorded
from gateway.settings import standard
from tests.traces.collector import collecting

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}

WANTED: list[tuple[dict[str, str], str | None]] = [
    ({}, None),
    ({"OTEL_SERVICE_NAME": "shop"}, None),
    (ENDPOINT, "otlp"),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, "otlp"),
    ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
    ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
    ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, None),
    ({**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"}, None),
    ({**ENDPOINT, "OTEL_SDK_DISABLED": "false"}, "otlp"),
    ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "otlp"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
]

REFUSED = [
    ({"OTEL_TRACES_EXPORTER": "zipkin"}, "none of otlp"),
    ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "only http/protobuf"),
    ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "only http/protobuf"),
]


@pytest.mark.parametrize(("variables", "exporter"), WANTED)
def test_what_is_wanted(variables: Mapping[str, str], exporter: str | None) -> None:
    """Traces are wanted where an exporter is named or has an endpoint, unless the SDK is disabled."""
    assert exporter_wanted(variables) == exporter


@pytest.mark.parametrize(("variables", "why"), REFUSED)
async def test_what_cannot_be_had(variables: Mapping[str, str], why: str, lines: list[Any]) -> None:
    """An exporter that there is not is told in a warning, by its variable, and costs nothing but the traces."""
    with pytest.raises(CannotTrace, match=why):
        exporter_wanted(variables)
    async with opened_tracer(variables) as tracer:
        assert tracer.request("x", ()) == Unrecorded()
    assert [(line["log_level"], why in line["why"]) for line in lines] == [("warning", True)]


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, lines: list[Any]) -> None:
    """Without the SDK the API alone records nothing and passes the caller's headers on; that is told if traces were
    asked for."""
    monkeypatch.setattr(otel_sdk, "_is_installed", lambda _: False)
    parent = (("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),)
    for variables in ({}, ENDPOINT):
        async with opened_tracer(variables) as tracer:
            span = tracer.request("x", parent)
            assert span == Unrecorded(parent)
            assert span.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert ["extra `otel`" in line["why"] for line in lines] == [True]


async def test_what_is_installed() -> None:
    """Exporters that are there are found; one in a package that is not there is not."""
    assert otel_sdk._is_installed("otlp")
    assert otel_sdk._is_installed("console")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(otel_sdk, "MODULES", {"other": "nowhere.to.be.found"})
        assert not otel_sdk._is_installed("other")


async def test_a_provider_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set up for the process (by `opentelemetry-instrument`) records, and is nobody's here to shut down."""
    there = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(otel_sdk.trace, "get_tracer_provider", lambda: there)
    async with opened_tracer(ENDPOINT) as tracer:
        assert isinstance(tracer.request("x", ()), Recorded)
    there.shutdown()


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """`variables(NAME=value)` sets variables of OpenTelemetry, and these alone; what the gateway then reads."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)

    def given(**variables: str) -> dict[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return standard("OTEL_")

    return given


async def test_the_name_is_the_given_one(variables: Callable[..., dict[str, str]]) -> None:
    """`OTEL_SERVICE_NAME` wins over the name that the gateway gives itself, and spans are exported at the end."""
    with collecting() as collector:
        given = variables(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="shop")
        async with opened_tracer(given) as tracer:
            tracer.request("POST /x", ()).end()
        assert [span.name for span in collector.spans] == ["POST /x"]
        assert collector.resource["service.name"] == "shop"


async def test_spans_for_a_collector_are_our_own(variables: Callable[..., dict[str, str]]) -> None:
    """What goes to a collector is recorded by ourselves, and says of us what the standard variables say: all of it
    arrives, with the headers and the compression that they ask for."""
    with collecting() as collector:
        given = variables(
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/there",
            OTEL_EXPORTER_OTLP_HEADERS="x-tenant=shop%201",
            OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test,service.name=shop",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="3",
        )
        async with opened_tracer(given) as tracer:
            for number in range(10):
                span = tracer.request(f"POST /{number}", ())
                assert isinstance(span, LeanSpan)
                span.end()
        assert {span.name for span in collector.spans} == {f"POST /{number}" for number in range(10)}
        assert collector.paths == {"/there"}
        assert len(collector.exports) == 4
        assert (collector.headers["x-tenant"], collector.headers["content-encoding"]) == ("shop 1", "gzip")
        assert collector.resource["service.name"] == "shop"
        assert collector.resource["deployment.environment"] == "test"
        (scope,) = {of.scope.name for one in collector.exports[0].resource_spans for of in one.scope_spans}
        assert scope == "rerank-gateway"


async def test_limits_are_the_sdks_business(variables: Callable[..., dict[str, str]]) -> None:
    """Where a variable limits what a span may hold, the SDK records, and holds to it."""
    with collecting() as collector:
        given = variables(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="1")
        async with opened_tracer(given) as tracer:
            span = tracer.request("x", ())
            assert isinstance(span, Recorded)
            span.note("a", 1)
            span.note("b", 2)
            span.end()
        (sent,) = collector.spans
        assert (len(sent.attributes), sent.dropped_attributes_count) == (1, 1)


async def test_an_unknown_version_of_the_exporter(
    variables: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the exporter cannot be told to send bytes (the one that is installed can), all is left to the SDK."""
    assert otel_exporter.sends_bytes()
    monkeypatch.setattr(otel_exporter, "sends_bytes", lambda: False)
    with collecting() as collector:
        async with opened_tracer(variables(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)) as tracer:
            span = tracer.request("x", ())
            assert isinstance(span, Recorded)
            span.end()
        assert [span.name for span in collector.spans] == ["x"]


async def test_the_queue_is_bounded(variables: Callable[..., dict[str, str]]) -> None:
    """Of spans that come faster than they can be sent, so many are kept as the variable says."""
    with collecting() as collector:
        given = variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_MAX_QUEUE_SIZE="4",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4",
        )
        collector.hold()
        async with opened_tracer(given) as tracer:
            for _ in range(40):
                tracer.request("x", ()).end()
            collector.release()
        assert 4 <= len(collector.spans) <= 8


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
async def test_the_switches(variables: Callable[..., dict[str, str]], off: dict[str, str]) -> None:
    """Switched off by the standard's own switches, nothing is recorded, wherever a collector is."""
    async with opened_tracer(variables(**ENDPOINT, **off)) as tracer:
        assert tracer.request("x", ()) == Unrecorded()


async def test_a_collector_that_is_not_there(variables: Callable[..., dict[str, str]], lines: list[Any]) -> None:
    """Spans that nobody takes are told once, and do not hold up the end."""
    given = variables(**ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT="0.2", OTEL_BSP_SCHEDULE_DELAY="1")
    async with opened_tracer(given) as tracer:
        for _ in range(3):
            tracer.request("x", ()).end()
    assert [line["event"] for line in lines] == ["traces cannot be exported"]


class Hanging(SpanExporter):
    """Never comes back by itself."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.release.wait(60)
        return SpanExportResult.FAILURE


async def test_an_exporter_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last spans have so long, and are given up then."""
    exporter = Hanging()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    pipeline = otel_sdk.Pipeline(OtelTracer(provider.get_tracer("test")), provider)
    monkeypatch.setattr(otel_sdk, "_pipeline", lambda _: pipeline)
    monkeypatch.setattr(otel_sdk, "FLUSH_S", 0.05)
    async with opened_tracer(ENDPOINT) as tracer:
        tracer.request("x", ()).end()
    assert not exporter.release.is_set()
    (left,) = [thread for thread in threading.enumerate() if thread.name == otel_sdk.LAST_SPANS]
    exporter.release.set()
    left.join(20)
    assert not left.is_alive()


class Failing(SpanExporter):
    """Fails as long as it is told to."""

    def __init__(self) -> None:
        self.well = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS if self.well else SpanExportResult.FAILURE


def test_a_collector_that_is_away_is_an_episode(lines: list[Any]) -> None:
    """However many batches are lost: one line when it begins, with the SDK's reason beside it, and one when it ends."""
    exporter, episode = Failing(), Episode()
    told = ExporterOfEpisodes(exporter, episode)
    error = logging.LogRecord("x", logging.ERROR, "", 0, "refused", (), None)
    retry = logging.LogRecord("x", logging.WARNING, "", 0, "retrying", (), None)
    heard = []
    for _ in range(4):
        heard.append((episode.filter(retry), episode.filter(error)))
        told.export([None, None])  # type: ignore[list-item]
    exporter.well = True
    told.export([])
    told.export([])
    assert heard == [(False, True), *[(False, False)] * 3]
    assert [(line["event"], line.get("lost")) for line in lines] == [
        ("traces cannot be exported", None),
        ("traces are exported again", 8),
    ]
    assert episode.filter(error)

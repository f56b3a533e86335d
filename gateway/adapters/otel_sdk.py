"""Sets the SDK of OpenTelemetry up as its standard variables say, where the extra `otel` is installed.

    OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT     one of them set: traces are wanted
    OTEL_SDK_DISABLED=true, OTEL_TRACES_EXPORTER=none              they are not
    OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES                    who we are (default: rerank-gateway)
    OTEL_TRACES_SAMPLER[_ARG], OTEL_BSP_*, OTEL_SPAN_*             read by the SDK itself
    OTEL_EXPORTER_OTLP_*                                           read by its exporter

Spans for a collector are recorded by `otel_lean` and encoded by `otlp`, queued and sent by the SDK. Those for the
console are the SDK's, and so are all where a variable limits what they may hold (OTEL_..._LIMIT): it counts for us.
Variables that cannot be followed cost the traces and a warning, as the standard has it, never the gateway: they may
have been set for every pod of a cluster. A provider that the process already has (`opentelemetry-instrument`) is used.
Spans are exported by a thread of the SDK's; what it still holds at the end has `FLUSH_S`.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import structlog
from opentelemetry import trace

from gateway.adapters.otel import OtelTracer
from gateway.adapters.otel_lean import LeanTracer
from gateway.adapters.otel_sampler import sampler_of
from gateway.ports import Tracer, Untraced

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

NAME: Final = "rerank-gateway"

FLUSH_S: Final = 2.0
"""The last spans are worth this much of a shutdown."""

LAST_SPANS: Final = "last-spans"
"""What the thread is called that exports them."""

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP: Final = "http/protobuf"

LIMIT: Final = "_LIMIT"
"""How the names of variables end that limit what a span may hold."""

MODULES: Final = {
    "otlp": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "console": "opentelemetry.sdk.trace.export",
}
"""What the exporters stand in."""


_log = structlog.get_logger("gateway.traces")


class CannotTrace(Exception):
    """What the variables ask for cannot be had; the message says what."""


def exporter_wanted(variables: Mapping[str, str]) -> str | None:
    """The exporter that the variables ask for, "otlp" or "console"; None for none. Raises `CannotTrace` for others."""
    given = {name: value.strip() for name, value in variables.items() if value.strip()}
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    name = given.get("OTEL_TRACES_EXPORTER", "otlp" if any(one in given for one in ENDPOINTS) else "none")
    if name == "none":
        return None
    if name not in MODULES:
        raise CannotTrace(f"OTEL_TRACES_EXPORTER: {name!r} is none of otlp, console, none")
    protocol = next((given[one] for one in PROTOCOLS if one in given), HTTP)
    if name == "otlp" and protocol != HTTP:
        raise CannotTrace(f"OTEL_EXPORTER_OTLP_PROTOCOL: only {HTTP} is spoken, not {protocol!r}")
    return name


@dataclass(frozen=True)
class Pipeline:
    """From a tracer to an exporter; the provider has all that lies between."""

    tracer: Tracer
    provider: "TracerProvider"


@asynccontextmanager
async def opened_tracer(variables: Mapping[str, str]) -> AsyncIterator[Tracer]:
    """The tracer of this process; with an exporter of our own, if the variables want one, flushed at the end."""
    there = trace.get_tracer_provider()
    try:
        ours = _pipeline(variables) if isinstance(there, trace.ProxyTracerProvider) else None
    except CannotTrace as error:
        ours = None
        _log.warning("no traces", why=str(error))
    if ours is None:
        is_none = isinstance(there, trace.ProxyTracerProvider)  # it stands in for one that nobody has set
        yield Untraced() if is_none else OtelTracer(there.get_tracer(NAME, version(NAME)))
        return
    try:
        yield ours.tracer
    finally:
        await _shut_down(ours.provider)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(MODULES[name]) is not None
    except ModuleNotFoundError:  # not even what it stands in
        return False


def _pipeline(variables: Mapping[str, str]) -> Pipeline | None:
    """All that records and exports as the variables have it, None for nothing. The SDK is imported here: it costs
    nothing where there are no traces. Raises `CannotTrace`."""
    if (name := exporter_wanted(variables)) is None:
        return None
    if not _is_installed(name):
        raise CannotTrace("they are asked for (OTEL_...), but rerank-gateway is installed without its extra `otel`")
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    exporter: SpanExporter
    try:
        provider = TracerProvider(resource=Resource.create(_resource(variables)), shutdown_on_exit=False)
        if name == "console":  # not to standard output, where the address is told
            exporter, lean = ConsoleSpanExporter(out=sys.stderr), False
        else:
            from gateway.adapters.otel_exporter import encoder_of, exporter_of_episodes, sends_bytes

            lean = sends_bytes() and not any(one.endswith(LIMIT) for one in variables)
            exporter = exporter_of_episodes(encoder_of(provider.resource, NAME, version(NAME)) if lean else None)
        processor = BatchSpanProcessor(exporter)
        provider.add_span_processor(processor)
    except (OSError, ValueError) as error:  # a certificate that is not there, a number that is none
        raise CannotTrace(f"OTEL_...: {error}") from error
    if lean:
        return Pipeline(LeanTracer(sampler_of(variables), processor), provider)
    return Pipeline(OtelTracer(provider.get_tracer(NAME, version(NAME))), provider)


def _resource(variables: Mapping[str, str]) -> dict[str, str]:
    """What the variables do not say of this process. What is said here would win over them."""
    named = variables.get("OTEL_SERVICE_NAME") or "service.name=" in variables.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {"service.version": version(NAME)} | ({} if named else {"service.name": NAME})


async def _shut_down(provider: "TracerProvider") -> None:
    """Export what is left, for so long. A thread that may be left behind, since an exporter that hangs cannot be told
    to stop."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, name=LAST_SPANS, daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(FLUSH_S):
            await done.wait()

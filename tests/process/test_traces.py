"""Traces of a real gateway: exported over OTLP to a collector on a socket, as the standard variables say."""

from http.client import HTTPConnection
from typing import Any

import orjson
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.process.parts import WITHIN_S, Running, running, signed
from tests.traces.collector import collecting

CANARY = "canary-user-77aa"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = PARENT[:-2] + "00"


def rank(gateway: Running, **headers: str) -> dict[str, Any]:
    """One ranking of two calls."""
    members = {"campaign": "demo", "userId": CANARY, "inputList": [f"item-{number}" for number in range(700)]}
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=WITHIN_S)
    connection.request("POST", "/v1/rerank", orjson.dumps(members), {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    answer: dict[str, Any] = orjson.loads(response.read())
    connection.close()
    assert response.status == 200, answer
    return answer


def ended(gateway: Running) -> str:
    """End a gateway by SIGTERM; what it logged."""
    gateway.process.terminate()
    _, logged = gateway.process.communicate(timeout=WITHIN_S)
    assert gateway.process.returncode == 0, logged
    return logged


def test_spans_are_exported_by_the_end(emulator: Running) -> None:
    """A gateway told where the collector is, and to go by the caller's trace, exports the spans of the one ranking that
    is sampled, by the end at the latest; no user's id is in any of them."""
    with collecting() as collector:
        variables = {
            "GATEWAY_SERVER__LAME_DUCK_S": "0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }
        with running("serve", "--port", "0", env=signed(emulator.url, **variables)) as gateway:
            answer = rank(gateway, traceparent=PARENT)
            rank(gateway, traceparent=UNSAMPLED)
            rank(gateway)
            assert collector.exports == []
            ended(gateway)
    spans = collector.spans
    assert collector.paths == {"/v1/traces"}
    assert collector.resource["service.name"] == "rerank-gateway"
    assert collector.resource["service.version"]
    assert {span.trace_id.hex() for span in spans} == {PARENT.split("-")[1]}
    (server,) = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    calls = [span for span in spans if span.kind == Span.SPAN_KIND_CLIENT]
    assert server.parent_span_id.hex() == PARENT.split("-")[2]
    assert len(calls) == answer["usage"]["upstreamCalls"] == 2
    assert {call.parent_span_id for call in calls} == {server.span_id}
    assert {"frame load", "frame save", "merge"} <= {span.name for span in spans}
    assert CANARY.encode() not in b"".join(export.SerializeToString() for export in collector.exports)

"""A collector of traces as a process: it takes OTLP over HTTP, and says what it was sent.

    python -m loadtests.collector       prints its address; `POST /v1/traces` takes spans, `GET /` says how many

What came is decoded by OpenTelemetry's own classes, after it was thanked for, so that a sender waits for the network
alone. A trace is whole if its request, all the calls that this request says it made, and its own work have come.
"""

import gzip
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

CALLS: Final = "rerank.upstream_calls"
"""What a request's span says of its calls."""

ASK_WITHIN_S: Final = 60.0


class Handler(BaseHTTPRequestHandler):
    """Counts what it is sent."""

    protocol_version = "HTTP/1.1"
    counts: Final[Counter[str]] = Counter()

    def do_POST(self) -> None:
        """Say thanks, then look."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")
        self.counts["posts"] += 1
        self.counts["bytes"] += len(body)
        self.counts.update(counted(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))

    def do_GET(self) -> None:
        """Tell."""
        self._answer(orjson.dumps(self.counts))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def counted(body: bytes) -> Counter[str]:
    """Spans by their kind, and the calls that requests say they made."""
    counts: Counter[str] = Counter()
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                counts["spans"] += 1
                counts[Span.SpanKind.Name(span.kind)] += 1
                counts["told"] += sum(one.value.int_value for one in span.attributes if one.key == CALLS)
    return counts


def received(url: str) -> dict[str, int]:
    """What a collector has received."""
    where = urlsplit(url)
    assert where.hostname is not None  # noqa: S101 - it has said its address
    connection = HTTPConnection(where.hostname, where.port, timeout=ASK_WITHIN_S)
    try:
        connection.request("GET", "/")
        found: dict[str, int] = orjson.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()


def main() -> None:
    """Serve for ever."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

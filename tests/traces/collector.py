"""A collector of traces on a real socket: it takes OTLP over HTTP, and keeps what it was sent, decoded."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What was exported to it, decoded."""

    url: str = ""
    exports: list[ExportTraceServiceRequest] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    free: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> None:
        """Answer nobody until it is released."""
        self.free.clear()

    def release(self) -> None:
        """Answer."""
        self.free.set()

    @property
    def spans(self) -> list[Span]:
        """All spans, of all exports."""
        return [
            span
            for export in self.exports
            for of_resource in export.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    @property
    def resource(self) -> dict[str, str]:
        """Who exported."""
        return {one.key: one.value.string_value for one in self.exports[0].resource_spans[0].resource.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, on a thread of its own."""
    collector = Collector()
    collector.release()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.free.wait(60)
            collector.paths.add(self.path)
            collector.headers |= {name.lower(): value for name, value in self.headers.items()}
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            collector.exports.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield collector
        server.shutdown()
        thread.join()

"""Requests that two readers could understand differently, or that nobody can: what is to be refused as unparsable."""

import pytest

from tests.web.parts import NATIVE, head

CANARY = "canary-7f3a"

UNPARSABLE = [
    pytest.param(f"{CANARY} / HTTP/1.1\r\n\r\n".encode(), id="method"),
    pytest.param(f"GET /livez HTTP/1.1\r\nHost: x\r\n{CANARY}\r\n\r\n".encode(), id="header without a colon"),
    pytest.param(f"GET /livez HTTP/1.1\r\nAuthorization: {CANARY}{'x' * 9_000}\r\n\r\n".encode(), id="long header"),
    pytest.param(head(NATIVE, f"Content-Length: {CANARY}"), id="length"),
    pytest.param(head(NATIVE, "Content-Length: 5", "Content-Length: 6") + b"hello", id="two lengths"),
    pytest.param(
        head(NATIVE, "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n", id="length and chunks"
    ),
    pytest.param(head(NATIVE, "Transfer-Encoding: xchunked") + b"0\r\n\r\n", id="no such encoding"),
    pytest.param(head(NATIVE, "Transfer-Encoding: chunked") + CANARY.encode() + b"\r\n", id="chunk size"),
    pytest.param(head(NATIVE, "Transfer-Encoding: chunked") + b"2\r\n{}" + CANARY.encode(), id="end of a chunk"),
    pytest.param(
        head(NATIVE, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n", id="chunked twice"
    ),
    pytest.param(head(NATIVE, "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n", id="chunked not last"),
    pytest.param(head(NATIVE, "Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n", id="odd space before chunked"),
    pytest.param(head(NATIVE, "Content-Length: +5") + b"hello", id="signed length"),
    pytest.param(head(NATIVE, "Content-Length: 0x5") + b"hello", id="length in hex"),
    pytest.param(head(NATIVE, "Content-Length: 5, 5") + b"hello", id="lengths in one line"),
    pytest.param(head(NATIVE, "Content-Length: 5_0") + b"hello", id="length with an underscore"),
    pytest.param(head(NATIVE, "Host: other"), id="two hosts"),
    pytest.param(head(NATIVE, "X-A: b\r\n folded"), id="folded header"),
    pytest.param(head(NATIVE, "X-A : b"), id="space before the colon"),
    pytest.param(head(NATIVE, "X-A: b\x00c"), id="NUL in a header"),
    pytest.param(head(NATIVE, "X-A: b\rc"), id="bare CR"),
    pytest.param(b"GET /livez HTTP/1.1\nHost: x\n\n", id="bare LF"),
    pytest.param(f"GET /livez\x01{CANARY} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), id="control character in the path"),
    pytest.param(f"GET /livez HTTP/9.{CANARY}\r\nHost: x\r\n\r\n".encode(), id="version"),
    pytest.param(f"GET /{CANARY}{'x' * 9_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), id="long path"),
    pytest.param(head(NATIVE, *[f"X-{n}: {CANARY}" for n in range(200)]), id="many headers"),
    pytest.param(f"\x16\x03\x01\x02{CANARY}".encode() * 10, id="TLS on a port without"),
]

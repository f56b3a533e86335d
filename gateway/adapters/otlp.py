"""Spans as bytes of OTLP (`ExportTraceServiceRequest` of opentelemetry-proto 1.x), the messages put together by hand.

The generated classes take 33 microseconds a span, nearly all of it for an object or two an attribute. Nearly every
attribute has been sent before, though, name and value: its bytes are kept. What is left of a span are ids and times,
which have fixed widths. Tests hold the bytes against the generated classes.

    a field       tag (number << 3 | type), then by its type
    varint 0      seven bits a byte, lowest first; the top bit says that more follow
    fixed 1, 5    8 or 4 bytes, lowest first
    bytes 2       a varint with the length; strings and messages as well
"""

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct
from typing import Final

from gateway.adapters.otel_lean import SERVER, LeanSpan

KEPT: Final = 4096
"""Attributes whose bytes are kept, 0.2 MB: a fleet of campaigns, every number of items."""

UNLIKE: Final = frozenset({"aws.request_id", "rerank.queued_ms"})
"""Attributes whose values do not come again."""

BITS_64: Final = (1 << 64) - 1
FLOAT: Final = Struct("<Bd")
TIMES: Final = Struct("<BQBQ")
BEGAN, ENDED = 0x39, 0x41

BYTE: Final = [bytes((number,)) for number in range(128)]
"""Numbers that are one byte as a varint."""

UNSET, ERROR = b"\x7a\x00", b"\x7a\x02\x18\x02"
"""The message `Status`."""

IS_LOCAL, IS_REMOTE = b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00"
"""The flags of a span: it is known whether its parent is another process's; it is not, or is."""

LINK_IS_LOCAL: Final = b"\x35\x00\x01\x00\x00"


class Encoder:
    """Encodes spans of one resource and scope, which it is given encoded."""

    def __init__(self, resource: bytes, scope: bytes) -> None:
        self._resource = resource
        self._scope = scope

    def __call__(self, spans: Iterable[LeanSpan]) -> bytes:
        """The body of an export."""
        of_scope = field(2, self._scope + b"".join([field(2, span_bytes(span)) for span in spans]))
        return field(1, self._resource + of_scope)


def span_bytes(span: LeanSpan) -> bytes:
    """The message `Span`."""
    of, attributes = span.of, span.attributes
    parts = [
        b"\x0a\x10", of.id, b"\x12\x08", span.id, _named(span.name, span.kind),
        TIMES.pack(BEGAN, span.began_ns, ENDED, span.ended_ns),
        ERROR if span.failed else UNSET,
        IS_REMOTE if span.parent and span.kind == SERVER else IS_LOCAL,
    ]  # fmt: skip
    if span.parent:
        parts += b"\x22\x08", span.parent
    if of.state:
        parts.append(field(3, of.state.encode()))
    if span.beside:
        parts.append(field(13, b"".join((b"\x0a\x10", of.id, b"\x12\x08", span.beside, LINK_IS_LOCAL))))
    if not UNLIKE.isdisjoint(attributes):
        attributes = attributes.copy()
        parts += [attribute(name, attributes.pop(name)) for name in UNLIKE if name in attributes]
    parts += map(_kept, attributes, attributes.values())
    return b"".join(parts)


def attribute(name: str, value: str | float) -> bytes:
    """The field `attributes` of a span."""
    return field(9, _key(name) + field(2, _value(value)))


_kept: Final = lru_cache(KEPT, typed=True)(attribute)  # typed: 1, 1.0 and True are not the same


@lru_cache(KEPT)
def _key(name: str) -> bytes:
    return field(1, _text(name))


@lru_cache(KEPT)
def _named(name: str, kind: int) -> bytes:
    return field(5, _text(name)) + bytes((0x30, kind))


def _value(value: str | float) -> bytes:
    """The message `AnyValue`."""
    if isinstance(value, str):
        return field(1, _text(value))
    if isinstance(value, bool):
        return bytes((0x10, value))
    if isinstance(value, int):
        return b"\x18" + varint(value & BITS_64)  # negative ones as their two's complement
    return FLOAT.pack(0x21, value)


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def field(number: int, body: bytes) -> bytes:
    """A field (below 16) of bytes, text or a message."""
    length = len(body)
    return BYTE[number << 3 | 2] + (BYTE[length] if length < 128 else varint(length)) + body


def varint(number: int) -> bytes:
    """A number from 0 on."""
    found = bytearray()
    while number >= 128:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)

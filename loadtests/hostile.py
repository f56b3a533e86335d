"""The worst megabyte: what one request may cost everybody else, in stalls of the event loop and in memory.

    python -m loadtests.hostile [--only NAME] [--repeat 3] [--json]

A gateway on a real socket, guarded as in production, around a ranker in this process; another thread sends one hostile
request of about 1 MiB after the other. For each: the longest time in which the loop did not turn, in CPU time of its
thread (what the gateway is to blame for; the least and the median of the repeats, since a busy machine only ever adds
to it) and by the wall, and how far memory rose above its level before. Some are as large as a body may be: 16 MiB when
they are decompressed. Ends by itself; exit code 1 if the least stall of CPU time of a case is above `STALL_MS_MAX`.
"""

import asyncio
import gc
import gzip
import random
import socket
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvloop
import zstandard
from structlog.testing import capture_logs

from loadtests.beat import Beat, Pauses, forget_peak, options
from loadtests.vitals import memory_mib
from tests.web.listening import guard, listening

MIB: Final = 2**20
MIBS: Final = 16 * MIB - 1024
"""As much as a body may have, with some room for the members round it."""

STALL_MS_MAX: Final = 20.0
CHUNKED, GZIP = "Transfer-Encoding: chunked", "Content-Encoding: gzip"
WIRE, NATIVE, SHELVES = "/personalize-ranking", "/v1/rerank", "/v1/rerank/shelves"
GOOD = b'"campaignArn":"demo","campaign":"demo","userId":"u","inputList":["p1"]'


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A request with a body."""
    given = [f"Content-Length: {len(body) if length is None else length}"] if length != -1 else []
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *given, *headers, "", ""]).encode() + body


def wire(more: bytes) -> bytes:
    """A request on the AWS wire with one more member or several, which it need not know."""
    return post(WIRE, b"{" + GOOD + b"," + more + b"}")


def native(members: bytes) -> bytes:
    """A request of the native API."""
    return post(NATIVE, b'{"campaign":"demo","userId":"u",' + members + b"}")


def object_of(members: bytes) -> bytes:
    """A document that either route can read, with more members."""
    return b"{" + GOOD + b"," + members + b"}"


def packed(path: str, body: bytes) -> bytes:
    """A request that stands for a larger one."""
    return post(path, zstandard.compress(body), "Content-Encoding: zstd")


def packed_ids(piece: bytes) -> bytes:
    """A request of as many ids as there is room for, the last of which is none: all of them are read before."""
    ids = filled(piece, size=MIBS)
    return packed(NATIVE, b'{"campaign":"demo","userId":"u","inputList":[%b,""]}' % ids)


def events(listed: bytes) -> bytes:
    """PutEvents."""
    return post("/events", b'{"trackingId":"t","sessionId":"s","eventList":[%s]}' % listed)


def filled(piece: bytes, between: bytes = b",", size: int = MIB) -> bytes:
    """The piece over and over, up to a size."""
    return between.join([piece] * (size // (len(piece) + len(between))))


def bomb(size: int) -> bytes:
    """A gzip body that stands for so many spaces, made without having them."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(size // MIB)), packing.flush()])


def zstd_bomb(size: int) -> bytes:
    """The same in zstd, without a word on its size."""
    packing = zstandard.ZstdCompressor().compressobj()
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(size // MIB)), packing.flush()])


def names(count: int) -> bytes:
    """Members of different names."""
    return b",".join(b'"%05x":1' % number for number in range(count))


LONG = b"{" + GOOD + b',"x":"' + random.Random(1).randbytes(200_000).hex().encode() * 40 + b'"}'
MANY = [f"item-{number:05}" for number in range(99_999)]

CASES: Final[dict[str, Callable[[], bytes]]] = {
    "control: 10,000 ids": lambda: native(b'"inputList":' + orjson.dumps([f"p{n}" for n in range(10_000)])),
    "depth: 1 MiB of [": lambda: wire(b'"x":' + b"[" * MIB),
    "depth: 900 levels, over and over": lambda: wire(b'"x":[' + filled(b"[" * 900 + b"]" * 900) + b"]"),
    "empty lists, unknown member": lambda: wire(b'"x":[' + filled(b"[]") + b"]"),
    "empty lists, unknown member, U+0000": lambda: wire(b'"x":[' + filled(b"[]") + b',"\\u0000"]'),
    "empty lists, refused": lambda: native(b'"x":[' + filled(b"[]") + b"]"),
    "escapes in an unknown member": lambda: wire(b'"x":"' + filled(b"\\u0041", b"") + b'"'),
    "escapes in ids": lambda: native(b'"inputList":[' + filled(b'"' + b"\\u00e9" * 100 + b'"') + b"]"),
    "backslashes, U+0000 behind": lambda: wire(b'"x":"' + b"\\\\" * (MIB // 2) + b'\\u0000"'),
    "an id that is 1 MiB": lambda: native(b'"inputList":["' + b"a" * MIB + b'"]'),
    "100,000 ids, U+0000 in the last": lambda: native(b'"inputList":' + orjson.dumps([*MANY, "a\0"])),
    "100,000 ids, the last a number": lambda: native(b'"inputList":' + orjson.dumps([*MANY, 1])),
    "every id a number": lambda: native(b'"inputList":[' + filled(b"1") + b"]"),
    "every second id empty": lambda: native(b'"inputList":[' + filled(b'"a",""', size=MIB // 2) + b"]"),
    "one member over and over": lambda: native(filled(b'"limit":1') + b',"inputList":[]'),
    "unknown members, one name": lambda: wire(filled(b'"x":1')),
    "unknown members, all different": lambda: wire(names(100_000)),
    "unknown members, refused": lambda: native(names(100_000)),
    "context, one name": lambda: native(b'"inputList":[],"context":{' + filled(b'"A":"1"') + b"}"),
    "context, all different": lambda: native(b'"inputList":[],"context":{' + names(100_000) + b"}"),
    "a number of 1 MiB, refused": lambda: native(b'"limit":' + b"9" * MIB),
    "a number of 1 MiB, unknown": lambda: wire(b'"x":' + b"9" * MIB),
    "a float of 1 MiB": lambda: wire(b'"x":0.' + b"9" * MIB + b"e-9"),
    "a time of 1 MiB": lambda: events(b'{"eventType":"c","sentAt":' + b"9" * MIB + b"}"),
    "events, 1 MiB of them": lambda: events(filled(b'{"eventType":"c","sentAt":1}')),
    "bad UTF-8 at the end": lambda: wire(b'"x":"' + b"\xc3\xa9" * (MIB // 2) + b'\xff"'),
    "chunks of one byte": lambda: post(NATIVE, b"1\r\nx\r\n" * (MIB // 6) + b"0\r\n\r\n", CHUNKED, length=-1),
    "chunk of endless size line": lambda: post(NATIVE, b"0" * MIB, CHUNKED, length=-1),
    "gzip bomb of 1 GiB": lambda: post(NATIVE, bomb(1024 * MIB), GZIP),
    "zstd bomb of 4 GiB": lambda: post(NATIVE, zstd_bomb(4096 * MIB), "Content-Encoding: zstd"),
    "gzip, 16 MiB of spaces": lambda: post(NATIVE, bomb(16 * MIB), GZIP),
    "zstd that stands for 16 MiB": lambda: packed(WIRE, LONG),
    "16 MiB: lists in a list, unknown": lambda: packed(WIRE, object_of(b'"x":[' + filled(b"[]", size=MIBS) + b"]")),
    "16 MiB: 900 levels, over and over": lambda: packed(
        WIRE, object_of(b'"x":[' + filled(b"[" * 900 + b"]" * 900, size=MIBS) + b"]")
    ),
    "16 MiB: depth": lambda: packed(NATIVE, object_of(b'"x":' + b"[" * MIBS)),
    "16 MiB: unknown members": lambda: packed(WIRE, object_of(filled(b'"x":1', size=MIBS))),
    "16 MiB: escapes, unknown member": lambda: packed(
        WIRE, object_of(b'"x":"' + filled(b"\\u0041", b"", MIBS) + b'"')
    ),
    "16 MiB: escapes, unknown strings": lambda: packed(
        WIRE, object_of(b'"x":[' + filled(b'"' + b"\\u0041" * 2_000 + b'"', size=MIBS) + b"]")
    ),
    "16 MiB: backslashes": lambda: packed(WIRE, object_of(b'"x":"' + b"\\" * MIBS + b'"')),
    "16 MiB: numbers": lambda: packed(WIRE, object_of(b'"x":[' + filled(b"1", size=MIBS) + b"]")),
    "16 MiB: empty strings": lambda: packed(WIRE, object_of(b'"x":[' + filled(b'""', size=MIBS) + b"]")),
    "16 MiB: ids of escapes, the last empty": lambda: packed_ids(b'"' + b"\\u00e9" * 200 + b'"'),
    "16 MiB: ids of brackets, the last empty": lambda: packed_ids(b'"' + b"[" * 250 + b'"'),
    "16 MiB: ids of 4 bytes, the last empty": lambda: packed_ids(b'"' + "\U0001f600".encode() * 250 + b'"'),
    "16 MiB: a good shelf and a bad one": lambda: packed(
        SHELVES,
        b'{"campaign":"demo","userId":"u","shelves":{"a":[%b],"b":[""]}}' % filled(b'"%b"' % (b"a" * 250), size=MIBS),
    ),
    "gzip, a header of 1 MiB": lambda: post(NATIVE, b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * MIB, GZIP),
    "gzip that is none": lambda: post(NATIVE, gzip.compress(b"x")[:10] + b"\xff" * MIB, GZIP),
    "headers, as many as are taken": lambda: post(NATIVE, b"{}", *(f"X-{n}: {'v' * 8_000}" for n in range(120))),
    "header of 1 MiB": lambda: post(NATIVE, b"{}", f"X-A: {'v' * MIB}"),
    "requests, one behind the other": lambda: b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * (MIB // 34),
    "no HTTP at all": lambda: b"\x16\x03\x01" * (MIB // 3),
}  # fmt: skip


def exchange(port: int, request: bytes) -> str:
    """Send all of a request, however much is refused of it; the status of the first answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
        with suppress(ConnectionError, TimeoutError):
            caller.sendall(request)
        try:
            answer = caller.recv(65536)
        except ConnectionError:
            return "reset"
    return answer.split()[1].decode() if answer else "closed"


async def measure(only: str, repeat: int, *, tell: bool) -> list[dict[str, Any]]:
    """Run the cases; their figures, told as they come if asked for."""
    rows: list[dict[str, Any]] = []
    if tell:
        print(
            f"{'case':<42}{'request':>10}{'answer':>8}{'CPU: least':>12}{'median':>11}{'wall: least':>12}{'memory':>12}"
        )
    async with listening(guard()) as site:
        port = urlsplit(site.name).port or 0
        beat = Beat()
        for name, make in CASES.items():
            if only not in name:
                continue
            rows.append({"name": name, **await measured(beat, port, make(), repeat)})
            if tell:
                print(line(rows[-1]), flush=True)
        beat.on = False
    return rows


async def measured(beat: Beat, port: int, request: bytes, repeat: int) -> dict[str, Any]:
    """The figures of a case; the first request, which warms up, has none."""
    pauses, peaks_mib = Pauses(), []
    answer = await asyncio.to_thread(exchange, port, request)
    for _ in range(repeat):
        gc.collect()
        forget_peak()
        before_mib = memory_mib("VmRSS")
        await asyncio.sleep(0.01)
        beat.reset()
        answer = await asyncio.to_thread(exchange, port, request)
        pauses.keep(beat)
        peaks_mib.append(memory_mib("VmHWM") - before_mib)
    return {
        "requestKib": len(request) / 1024,
        "answer": answer,
        **pauses.figures(),
        "memoryMib": max(peaks_mib),
    }


def line(row: dict[str, Any]) -> str:
    """The figures of a case, for people."""
    return (
        f"{row['name']:<42}{row['requestKib']:>6.0f} KiB{row['answer']:>8}{row['cpuLeastMs']:>9.1f} ms"
        f"{row['cpuMedianMs']:>8.1f} ms{row['wallLeastMs']:>9.1f} ms{row['memoryMib']:>8.1f} MiB"
        f"{'  TOO LONG' if row['cpuLeastMs'] > STALL_MS_MAX else ''}"
    )


def main() -> None:
    """Run, and end with the verdict."""
    given = options(__doc__, repeat=3)
    with capture_logs():
        rows = uvloop.run(measure(given.only, given.repeat, tell=not given.json))
    if given.json:
        print(orjson.dumps({"goalMs": STALL_MS_MAX, "rows": rows}).decode())
    sys.exit(0 if all(row["cpuLeastMs"] <= STALL_MS_MAX for row in rows) else 1)


if __name__ == "__main__":
    main()

"""Reading a body: its kind and length are checked before a byte is read, and the reading has its time.

aiohttp has no limit on the time of a body and waits for one of any declared length.
"""

import asyncio
from typing import Final

from aiohttp import HttpVersion11, StreamReader, hdrs, web

from gateway.web.members import BODY_BYTES_MAX
from gateway.web.problems import JSON, TooLarge, TooSlow, UnsupportedBody, UnsupportedCoding
from gateway.web.unpacking import CODINGS, unpacked
from gateway.web.visit import VISIT

NOT_SENT: Final = "application/octet-stream"
"""What aiohttp takes a body for whose kind was not sent."""


async def read_body(
    request: web.Request, timeout_s: float, *, json_only: bool, limit: int = BODY_BYTES_MAX
) -> bytes | bytearray:
    """The body's bytes, decompressed, `limit` of them at most. They are handed over: nothing here holds them any more,
    so they are gone (170 kB of 10,000 candidates) while calls are under way, if the caller drops them as well.

    Raises `UnsupportedBody`, `TooLarge`, `TooSlow` (the connection is not used again then) or `BadCoding`.
    """
    headers = request.headers
    coding = _coding(headers.getall(hdrs.CONTENT_ENCODING)) if hdrs.CONTENT_ENCODING in headers else None
    if json_only and headers.get(hdrs.CONTENT_TYPE) != JSON and request.content_type not in (JSON, NOT_SENT):
        raise UnsupportedBody("Content-Type must be application/json")
    body = await read_raw(request, timeout_s, limit)
    request[VISIT].body = b""
    return body if coding is None else await unpacked(body, coding, limit)


def _coding(lines: list[str]) -> str | None:
    """How a body is compressed, None for not at all. Raises `UnsupportedCoding`."""
    given = [one.strip() for line in lines for one in line.lower().split(",")]
    packed = [one for one in given if one not in ("identity", "")]  # a list may have empty places
    if len(packed) > 1 or not CODINGS.keys() >= set(packed):
        raise UnsupportedCoding(f"a body is compressed once, with {' or '.join(CODINGS)}, or not at all")
    return packed[0] if packed else None


async def read_raw(request: web.Request, timeout_s: float, limit: int = BODY_BYTES_MAX) -> bytes:
    """The body's bytes as they were sent, as often as it is called before `read_body` hands them over: after that there
    are none. Raises `TooLarge` or `TooSlow`."""
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body may have {limit} bytes")
    visit = request[VISIT]
    if visit.body is None:
        if hdrs.EXPECT in request.headers and request.version >= HttpVersion11 and not request.content.is_eof():
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer proper has not begun
        visit.body = await _read(request.content, timeout_s, limit)
    if len(visit.body) > limit:  # it came in chunks, without a length
        raise TooLarge(f"the body may have {limit} bytes")
    return visit.body


async def _read(content: StreamReader, timeout_s: float, limit: int) -> bytes:
    """All of a body, or a little more of it than the limit; one that is there already needs no timer."""
    if content.is_eof():
        return content.read_nowait()
    content.set_read_chunk_size(BODY_BYTES_MAX)  # the most that is held back; less, and the connection is paused
    pieces, length = [], 0
    try:
        async with asyncio.timeout(timeout_s):
            while length <= limit and (piece := await content.readany()):
                pieces.append(piece)
                length += len(piece)
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {timeout_s:g} s") from None
    return b"".join(pieces)

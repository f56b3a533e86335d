"""Reading a body: its kind and length are checked before a byte is read, and the reading has its time.

aiohttp has no limit on the time of a body and waits for one of any declared length.
"""

import asyncio

from aiohttp import HttpVersion11, StreamReader, hdrs, web

from gateway.web.members import BODY_BYTES_MAX
from gateway.web.problems import JSON, TooLarge, TooSlow, UnsupportedBody, UnsupportedCoding
from gateway.web.unpacking import CODINGS, unpacked
from gateway.web.visit import VISIT


async def read_body(
    request: web.Request, timeout_s: float, *, json_only: bool, limit: int = BODY_BYTES_MAX
) -> bytes | bytearray:
    """The body's bytes, decompressed, `limit` of them at most.

    Raises `UnsupportedBody`, `TooLarge`, `TooSlow` (the connection is not used again then) or `BadCoding`.
    """
    codings = [
        one.strip().lower() for line in request.headers.getall("Content-Encoding", []) for one in line.split(",")
    ]
    packed = [coding for coding in codings if coding not in ("identity", "")]  # a list may have empty places
    if len(packed) > 1 or not CODINGS.keys() >= set(packed):
        raise UnsupportedCoding(f"a body is compressed once, with {' or '.join(CODINGS)}, or not at all")
    if json_only and request.content_type not in (JSON, "application/octet-stream"):  # the latter: no header was sent
        raise UnsupportedBody("Content-Type must be application/json")
    body = await read_raw(request, timeout_s, limit)
    return await unpacked(body, packed[0], limit) if packed else body


async def read_raw(request: web.Request, timeout_s: float, limit: int = BODY_BYTES_MAX) -> bytes:
    """The body's bytes as they were sent; read once, however often it is called. Raises `TooLarge` or `TooSlow`."""
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

"""Compressed bodies: gzip and zstd, with the limit on what comes out, in slices between which the loop turns.

A few kilobytes can stand for gigabytes, so no call may give more than a slice, and what is too much is refused as soon
as it is seen. aiohttp's own decompression is off: bad gzip would be a 500 there, and zstd needs another library.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import zstandard

from gateway.web.problems import BadCoding, TooLarge

SLICE_BYTES: Final = 256 * 1024
"""What one step takes in or gives out: below a millisecond of work."""

GZIP_WBITS: Final = 31
"""zlib's way to say: a gzip header, the largest window."""

ZSTD_WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024
"""What RFC 8878 asks every decoder to have, and advises not to exceed for strangers."""


async def unpacked(body: bytes, coding: str, limit: int) -> bytearray:
    """The body without its content coding, one of `CODINGS`. Raises `BadCoding` or `TooLarge`."""
    whole = bytearray()
    try:
        for piece in CODINGS[coding](body):
            whole += piece
            if len(whole) > limit:
                raise TooLarge(f"the body may have {limit} bytes when it is decompressed")
            await asyncio.sleep(0)
    except (zlib.error, zstandard.ZstdError):
        raise BadCoding(f"the body is not {coding}") from None
    return whole


def _gzip(body: bytes) -> Iterator[bytes]:
    """The pieces of one gzip member, which must be all of the body."""
    inflating = zlib.decompressobj(GZIP_WBITS)
    for start in range(0, len(body), SLICE_BYTES):
        rest = body[start : start + SLICE_BYTES]
        while rest and not inflating.eof:
            yield inflating.decompress(rest, SLICE_BYTES)
            rest = inflating.unconsumed_tail
        if inflating.eof and (inflating.unused_data or start + SLICE_BYTES < len(body)):
            raise BadCoding("something follows the gzip member of the body")
    while not inflating.eof and (piece := inflating.decompress(b"", SLICE_BYTES)):
        yield piece
    if not inflating.eof:
        raise BadCoding("the gzip member of the body is cut short")


def _zstd(body: bytes) -> Iterator[bytes]:
    """The pieces of one zstd frame; one that is cut short shows as JSON that is."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES_MAX)
    with decompressor.stream_reader(body, read_size=SLICE_BYTES) as frame:
        while piece := frame.read(SLICE_BYTES):
            yield piece


CODINGS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {"gzip": _gzip, "zstd": _zstd}
"""What `Content-Encoding` may say."""

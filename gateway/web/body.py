"""Reading a body: its kind and length are checked before a byte is read, and the reading has its time.

aiohttp has no limit on the time of a body and waits for one of any declared length.
"""

import asyncio

from aiohttp import web

from gateway.web.members import BODY_BYTES_MAX
from gateway.web.problems import JSON, TooLarge, TooSlow, UnsupportedBody


async def read_body(request: web.Request, timeout_s: float, *, json_only: bool) -> bytes:
    """The body's bytes. Raises `UnsupportedBody`, `TooLarge` or `TooSlow`; the connection is not used again then."""
    if any(coding.lower() != "identity" for coding in request.headers.getall("Content-Encoding", [])):
        raise UnsupportedBody("compressed bodies are not understood")
    if json_only and request.content_type not in (JSON, "application/octet-stream"):  # the latter: no header was sent
        raise UnsupportedBody("Content-Type must be application/json")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise TooLarge(f"the body may have {BODY_BYTES_MAX} bytes")
    try:
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {timeout_s:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(f"the body may have {BODY_BYTES_MAX} bytes") from None

"""What aiobotocore does by default and must not do here: follow redirects, and read answers without a bound.

A redirect would carry the session token, and the user id in the body, to whatever host it names. An answer of a ranking
call is at most 500 items with metadata; nothing that large is worth the memory. Both are closed where the requests are
sent, by standing between aiobotocore and its aiohttp session.
"""

from typing import Any, Final

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from yarl import URL

RESPONSE_BYTES_MAX: Final = 32 * 1024 * 1024
"""50 items with 10 metadata columns of up to 20,000 characters are 10 MB, in UTF-8 up to 30 MB."""


class RedirectRefused(aiohttp.ClientError):
    """The upstream answered with a redirect; nothing was sent to where it points."""


class ResponseTooLarge(aiohttp.ClientError):
    """The upstream's answer is larger than any ranking can be."""


class GuardedHttpSession(AIOHTTPSession):  # type: ignore[misc] # the library is untyped
    """aiobotocore's HTTP session without redirects and with bounded answers."""

    async def _get_session(self, proxy_url: str | None) -> "_Guard":
        return _Guard(await super()._get_session(proxy_url))


class _Guard:
    """The one method of an aiohttp session that aiobotocore calls."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> "_BoundedResponse":
        response = await self._session.request(method, allow_redirects=False, **options)
        if 300 <= response.status < 400:
            response.close()
            raise RedirectRefused
        return _BoundedResponse(response)


class _BoundedResponse:
    """What aiobotocore reads of a response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.url: URL = response.url
        self.status: int = response.status
        self.raw_headers = response.raw_headers

    async def read(self) -> bytes:
        body = bytearray()
        try:
            async for piece in self._response.content.iter_any():
                body += piece
                if len(body) > RESPONSE_BYTES_MAX:
                    raise ResponseTooLarge
        except BaseException:  # a cancelled reader too: the rest of the body is still to come on this connection
            self._response.close()
            raise
        self._response.release()
        return bytes(body)

"""TLS on the listener: certificates that are read anew when they change, and callers' own if they are asked for.

A context that is in use keeps authorities it once trusted, so a change makes a new one. Whoever serves asks the context
for one thing, a new connection's TLS, which is handed over to the newest.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.web.watched import Watched


class Papers(ssl.SSLContext):
    """A server's context that follows its files.

    Raises `OSError` (of which `ssl.SSLError` is one) at its making if they cannot be used.
    """

    _newest: Watched[ssl.SSLContext]

    @classmethod
    def of(cls, cert: Path, key: Path, client_ca: Path | None, now_s: Callable[[], float]) -> "Papers":
        """The context of a certificate and its key; with `client_ca` a caller must show a certificate of its."""
        papers = cls(ssl.PROTOCOL_TLS_SERVER)
        files = [cert, key] if client_ca is None else [cert, key, client_ca]
        papers._newest = Watched(files, lambda: _context(cert, key, client_ca), now_s)
        return papers

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """The TLS of one new connection."""
        return self._newest.value.wrap_bio(*arguments, **options)


def _context(cert: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key, password="")
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

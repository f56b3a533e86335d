"""What can be done to an honest request: shown credentials of any kind, signed, and edited after that.

A request is bytes on a bare socket, so that anything can be sent.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.web.keys import bearer, signed


class Sent(NamedTuple):
    """A request as it goes out."""

    method: str
    target: str
    host: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def raw(self) -> bytes:
        """Its bytes; header values may hold any, by way of surrogates."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


Change = Callable[[Sent], Sent]


def shows(*headers: tuple[str, str], query: str = "") -> Change:
    """With these headers."""
    return lambda sent: sent._replace(headers=[*sent.headers, *headers], target=sent.target + query)


def by(name: str) -> Change:
    """With the key of a tenant."""
    return shows(*bearer(name).items())


def signs(then: Change = lambda sent: sent, /, **how: Any) -> Change:
    """Signed, and changed after that. What is signed is the request itself, but for the `target`, `host`, `method` and
    `body` that are given; how it is signed is for `keys.signed`."""

    parts = {name: how.pop(name) for name in ("target", "host", "method", "body") if name in how}

    def change(sent: Sent) -> Sent:
        it = sent._replace(**parts)
        headers = signed("shop", f"http://{it.host}{it.target}", it.body, it.method, **how)
        headers.pop("Content-Length", None)
        return then(sent._replace(headers=[*headers.items()]))

    return change


def edits(name: str, edit: Callable[[str], str]) -> Change:
    """With one header's value edited."""
    return lambda sent: sent._replace(
        headers=[(one, edit(value) if one.lower() == name.lower() else value) for one, value in sent.headers]
    )


def a_second_later(stamp: str) -> str:
    """A time such as 20261122T101500Z, and a second."""
    form = "%Y%m%dT%H%M%SZ"
    return (datetime.strptime(stamp, form) + timedelta(seconds=1)).strftime(form)

"""How calls of a region go out: endpoint, headers and signing as aiobotocore has them, found by rehearsing one call of
each operation.

So every setting that aiobotocore knows of works as it does there (endpoint URLs of the environment and of profiles,
FIPS, dual stack, CA bundles), without a rule of it being written here a second time. A rehearsal is believed only if
our signer gives the very signature that it holds; whatever would be sent in another way has no lean route.
"""

from calendar import timegm
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit
from uuid import uuid4

from botocore.utils import normalize_url_path

from gateway.adapters.aws_session import Rehearsal, Rehearsed, rehearsal
from gateway.adapters.connections import Origin
from gateway.adapters.sigv4 import ALGORITHM, Keys, Signer
from gateway.adapters.wire_listing import METHODS
from gateway.ports import TRACE

SIGNING: Final = ("authorization", "x-amz-date", "x-amz-security-token")
"""Headers that the signer adds."""

MADE_HERE: Final = frozenset(
    (*SIGNING, "host", "content-length", "accept-encoding", "connection", "amz-sdk-invocation-id", "x-amzn-trace-id")
)
"""Headers that are not those of the rehearsed call but of each one."""

_PROCESS: Final = str(uuid4()).rpartition("-")[0].encode()
_COUNT: Final = count(1)

RANKING: Final = "get_personalized_ranking"

REHEARSED: Final[dict[str, dict[str, Any]]] = {
    RANKING: {"campaignArn": "arn", "userId": "user", "inputList": ["item"]},
    **{method: {"campaignArn": "arn", "userId": "user"} for method in METHODS.values()},
}
"""The methods of the SDK that have a lean route, each with the members of its rehearsal."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Route:
    """How calls go out: to which origin, with which head, signed by whom."""

    origin: Origin
    signer: Signer
    head: bytes = field(repr=False)

    def request(self, keys: Keys, second: int, body: bytes) -> bytes:
        """The bytes of a request with this body, signed at this second of the epoch."""
        trace = TRACE.get().headers
        return b"".join((
            self.head,
            self.signer.sign(keys, second, body),
            "".join([f"{name}: {value}\r\n" for name, value in trace]).encode() if trace else b"",
            b"amz-sdk-invocation-id: %b\r\nContent-Length: %d\r\n\r\n" % (_invocation(), len(body)),
            body,
        ))  # fmt: skip


async def rehearsed(client: Any, method: str = RANKING) -> Rehearsal:
    """What a client of aiobotocore would send by a method. Raises what making and signing a request raises."""
    shown = Rehearsal()
    token = rehearsal.set(shown)
    try:
        await getattr(client, method)(**REHEARSED[method])
    except Rehearsed:
        return shown
    finally:
        rehearsal.reset(token)
    raise AssertionError("the client sends requests by other means than its HTTP session")


def route_of(shown: Rehearsal, keys: Keys) -> Route | None:
    """The lean route of what was rehearsed with these keys; None if it has to be sent by aiobotocore itself."""
    request = shown.request
    headers = {name.lower(): (name, _text(value)) for name, value in request.headers.items()}
    url = urlsplit(request.url)
    scope = _scope(headers.get("authorization", ("", ""))[1])
    if shown.proxied or scope is None or url.query or url.username or not url.hostname or request.method != "POST":
        return None
    region, service, names = scope
    host = _host(url)
    values = {name: text for name, (_, text) in headers.items()} | {"host": host}
    if not set(names) <= set(values):
        return None
    signed = {name: values[name] for name in names if name not in SIGNING}
    path = url.path or "/"
    signer = Signer(quote(normalize_url_path(path), safe="/~"), signed, region, service)
    if not _signs_alike(signer, keys, request.body, values):
        return None
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
    lines += [f"{name}: {text}" for name, text in headers.values() if name.lower() not in MADE_HERE]
    port = url.port or DEFAULT_PORTS[url.scheme]
    return Route(Origin(url.hostname, port, shown.tls), signer, "".join(f"{line}\r\n" for line in lines).encode())


def _signs_alike(signer: Signer, keys: Keys, body: bytes, values: dict[str, str]) -> bool:
    second = timegm(datetime.strptime(values["x-amz-date"], "%Y%m%dT%H%M%SZ").timetuple())
    return f"Authorization: {values['authorization']}\r\n".encode() in signer.sign(keys, second, body)


def _scope(authorization: str) -> tuple[str, str, list[str]] | None:
    """Region, service and names of the signed headers; None if it is no plain signature of version 4."""
    algorithm, _, rest = authorization.partition(" ")
    fields = dict(part.partition("=")[::2] for part in rest.split(", "))
    scope, signed = fields.get("Credential", "").rsplit("/", 4), fields.get("SignedHeaders", "")
    if algorithm != ALGORITHM or len(scope) != 5 or not signed:
        return None
    return scope[2], scope[3], signed.split(";")


def _host(url: SplitResult) -> str:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return host if url.port in (None, DEFAULT_PORTS[url.scheme]) else f"{host}:{url.port}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _invocation() -> bytes:
    """A name for a request, in the form of a UUID: random for the process, counted within it."""
    return b"%b-%012x" % (_PROCESS, next(_COUNT) & 0xFFFF_FFFF_FFFF)

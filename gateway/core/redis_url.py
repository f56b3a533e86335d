"""Where a Redis or Valkey is: its URL, checked part by part.

    redis://[user[:password]@]host[:port][/database]          rediss:// the same over TLS
    redis+cluster://[...@]host[:port],host[:port],...         rediss+cluster:// over TLS
    redis+sentinel://[...@]host[:port],.../service[/database] rediss+sentinel:// over TLS
    unix://[user[:password]@]/path[?db=number]                redis+unix:// the same

It is taken apart by hand, since the standard library's messages quote what they could not read, and in a URL with an
unescaped character that is a piece of the password. A message here names the part that is wrong, never its content.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

Kind = Literal["single", "cluster", "sentinel", "unix"]

PORT: Final = 6379
SENTINEL_PORT: Final = 26379

SCHEMES: Final[dict[str, tuple[Kind, bool]]] = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "unix": ("unix", False),
    "redis+unix": ("unix", False),
}
"""Scheme -> what stands behind it, and whether over TLS."""


class Address(NamedTuple):
    """One host and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, read."""

    kind: Kind
    tls: bool
    addresses: tuple[Address, ...] = ()
    path: str = ""
    service: str = ""
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Where it is, without credentials, for people to read."""
        return self.path or ",".join(f"{host}:{port}" for host, port in self.addresses)


def parse(url: str) -> Target:
    """Read a URL. Raises `ValueError` that names the part that is wrong."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        raise ValueError(f"the scheme of a Redis URL must be one of {', '.join(SCHEMES)}")
    kind, tls = SCHEMES[scheme.lower()]
    if "#" in rest:
        raise ValueError("a Redis URL has no fragment; write # in a password as %23")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    userinfo, at, hosts = authority.rpartition("@")
    username, password = _credentials(userinfo) if at else (None, None)
    database = _query(query)
    if kind == "unix":
        if hosts or not path:
            raise ValueError("a Unix socket is written as unix:///path; write / in a password as %2F")
        place = Target(kind, tls, path=unquote(slash + path), database=database or 0)
    else:
        place = _networked(kind, tls, hosts, unquote(path), database)
    return Target(kind, tls, place.addresses, place.path, place.service, place.database, username, password)


def _networked(kind: Kind, tls: bool, hosts: str, path: str, database: int | None) -> Target:
    port = SENTINEL_PORT if kind == "sentinel" else PORT
    addresses = tuple(_address(one, port) for one in hosts.split(","))
    if kind == "single" and len(addresses) > 1:
        raise ValueError("several hosts need redis+cluster:// or redis+sentinel://")
    service = ""
    if kind == "sentinel":
        service, _, path = path.partition("/")
        if not service:
            raise ValueError("a sentinel URL needs the name of the service after the hosts: .../service")
    if path:
        if database is not None:
            raise ValueError("the database of the Redis URL is given twice")
        database = _database(path)
    if kind == "cluster" and database:
        raise ValueError("a cluster has only database 0")
    return Target(kind, tls, addresses, service=service, database=database or 0)


def _credentials(userinfo: str) -> tuple[str | None, str | None]:
    username, _, password = userinfo.partition(":")
    return unquote(username) or None, unquote(password) or None


def _address(text: str, default_port: int) -> Address:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default_port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("a host of the Redis URL holds a colon; write IPv6 addresses in brackets")
    if not host:
        raise ValueError("the Redis URL has no host")
    if any(one.isspace() for one in host):
        raise ValueError("a host of the Redis URL holds a space; hosts are separated by commas alone")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("a port of the Redis URL is not a number from 1 to 65535; write / in a password as %2F")
    return Address(unquote(host), int(port))


def _query(query: str) -> int | None:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if options.keys() - {"db"}:
        raise ValueError("the only option after ? of a Redis URL is db; write ? in a password as %3F")
    return _database(options["db"]) if options else None


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise ValueError("the database of the Redis URL is not a number")
    return int(text)

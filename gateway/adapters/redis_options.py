"""How a Redis or Valkey is spoken to: what its URL says (`core.redis_url`), and the numbers around it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.redis_url import Target, parse


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Everything that can be set; `username` and `password` go before those of the URL.

    `timeout_ms` is what one operation may take of a caller's time. A callable `password` is asked at every new
    connection, so a rotated one is found without a restart. `connections_max` counts per server: one event loop keeps
    five or six busy at 1 ms of distance, since a command costs it 0.2 ms; more only make a cold burst slower.
    """

    url: str = field(repr=False)
    timeout_ms: float = 20.0
    username: str | None = None
    password: str | Callable[[], str] | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    connections_max: int = 16
    compression: int = 0
    target: Target = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", parse(self.url))
        if not self.timeout_ms > 0:
            raise ValueError("timeout_ms must be above 0")
        if self.connections_max < 1:
            raise ValueError("connections_max must be at least 1")
        if not 0 <= self.compression <= 9:
            raise ValueError("compression must be a level from 0 (none) to 9")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs a cert_file")
        if (self.ca_file or self.cert_file) and not self.target.tls:
            raise ValueError("ca_file and cert_file need a URL over TLS (rediss://)")

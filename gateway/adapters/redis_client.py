"""redis-py's clients (single server, sentinel, cluster), with everything that hurts by default set explicitly.

By default one frozen server holds a command for 58 s (5 s of socket timeout x 11 attempts) and a refused port for 4 s.
Here: one attempt, short timeouts, RESP3 without maintenance notifications, nothing sent at connecting but HELLO (and
SELECT), no health checks (the pool looks whether the socket is at its end before it lends it out), a bounded pool.

The timeouts of a socket are longer than what a caller waits (`PATIENCE`): an answer that is late for its caller is
still taken off its connection, which then lives on; only a server that says nothing costs connections.
"""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.maint_notifications import MaintNotificationsConfig

from gateway.adapters.redis_options import RedisOptions

PATIENCE: Final = 10
"""A socket may take ten budgets (within the bounds below) before it is given up."""

PATIENCE_MIN_S: Final = 0.1
PATIENCE_MAX_S: Final = 1.0
"""A probe waits for at most this, and the server's return is to be seen within two seconds."""

REFRESH_S: Final = 0.2
"""Between two looks at a cluster's topology; a failover takes ten times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """What the store needs of redis-py."""

    execute: Callable[..., Awaitable[Any]]
    _redis: Redis | RedisCluster
    _sentinel: Sentinel | None = None

    async def reconnect(self) -> None:
        """Let no connection be used again: who answers at the address may have changed."""
        if isinstance(self._redis, Redis):
            pool = self._redis.connection_pool
            await pool.update_active_connections_for_reconnect()
            with suppress(Exception):
                await pool.disconnect(inuse_connections=False)

    async def aclose(self) -> None:
        """Close all connections, whatever the server does."""
        with suppress(Exception):
            await self._redis.aclose()
        if isinstance(self._redis, RedisCluster):  # it closes nothing while its topology is in doubt
            for nodes in ("nodes_cache", "startup_nodes"):
                with suppress(Exception):
                    await self._redis.nodes_manager.aclose(nodes)
        if self._sentinel is not None:
            with suppress(Exception):
                await self._sentinel.aclose()


def patience_s(options: RedisOptions) -> float:
    """How long a socket is waited for: connecting, and between a command and its answer."""
    return min(max(PATIENCE * options.timeout_ms / 1e3, PATIENCE_MIN_S), PATIENCE_MAX_S)


def make_client(options: RedisOptions, tls: ssl.SSLContext | None) -> Client:
    """A client; nothing is connected yet."""
    make = {"single": _single, "unix": _single, "sentinel": _sentinel, "cluster": _cluster}
    return make[options.target.kind](options, tls)


def make_tls(options: RedisOptions) -> ssl.SSLContext | None:
    """The TLS context, made once (36 ms, for which the loop stands still): private CA if given, else the system's.

    Raises `ValueError` for files that cannot be used.
    """
    if not options.target.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise ValueError(f"ca_file cannot be used: {type(error).__name__}") from None
    if options.cert_file:
        try:
            context.load_cert_chain(options.cert_file, options.key_file)
        except OSError as error:
            raise ValueError(f"cert_file and key_file cannot be used: {type(error).__name__}") from None
    return context


class _Credentials(CredentialProvider):
    """User and password, asked for at every new connection."""

    def __init__(self, username: str | None, password: str | Callable[[], str] | None) -> None:
        self._username = username
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._password() if callable(self._password) else self._password or ""
        return (self._username, password) if self._username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The same; the library's own would log a warning at every new connection."""
        return self.get_credentials()


class _Tls(SSLConnection):
    """A TLS connection that shares its context; redis-py makes one for each."""

    def __init__(self, *, tls_context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call, unused-ignore]
        self.ssl_context.context = tls_context


class _SentinelTls(SentinelManagedSSLConnection):
    """The same for connections whose address a sentinel knows."""

    def __init__(self, *, tls_context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call, unused-ignore]
        self.ssl_context.context = tls_context


class _KeysKnown:
    """Which arguments are keys, for the two commands whose keys redis-py does not know by itself (it does those of
    EVAL); it would ask the server for all 240 of its own."""

    async def initialize(self, _node: ClusterNode) -> None:
        """There is nothing to learn."""

    async def get_keys(self, command: str, *arguments: Any) -> tuple[Any, ...]:
        """The keys of an MGET or a SET."""
        return arguments if command == "MGET" else arguments[:1]


class _CalmCluster(RedisCluster):
    """A cluster client that learns its topology anew at most every `REFRESH_S`.

    redis-py does so before the next command after every failed connection. That is 10 ms of CPU and a reconnection to
    every node: while one of three masters is dead, all of its slots' failures would be paid by the slots of the others.
    """

    _refreshed_s = -math.inf

    async def initialize(self, *arguments: Any, **options: Any) -> RedisCluster:
        now_s = asyncio.get_running_loop().time()
        if self._initialize and self.nodes_manager.default_node is not None:
            if now_s < self._refreshed_s + REFRESH_S:
                self._initialize = False
                return self
            self._refreshed_s = now_s
        return await super().initialize(*arguments, **options)


def _common(options: RedisOptions) -> dict[str, Any]:
    """What every connection has in common."""
    target, wait_s = options.target, patience_s(options)
    username, password = options.username or target.username, options.password or target.password
    return {
        "protocol": 3,
        "decode_responses": False,
        "socket_timeout": wait_s,
        "socket_connect_timeout": wait_s,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "driver_info": None,
        "credential_provider": _Credentials(username, password) if username or password else None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


def _pooled(options: RedisOptions, tls: ssl.SSLContext | None, plain: type, secure: type) -> dict[str, Any]:
    """The same for a pool, with the kind of connection that it makes."""
    kind = {"connection_class": secure, "tls_context": tls} if tls else {"connection_class": plain}
    return _common(options) | {"db": options.target.database, "max_connections": options.connections_max} | kind


def _single(options: RedisOptions, tls: ssl.SSLContext | None) -> Client:
    target = options.target
    if target.kind == "unix":
        pool = ConnectionPool(path=target.path, **_pooled(options, None, UnixDomainSocketConnection, _Tls))
    else:
        (address,) = target.addresses
        pool = ConnectionPool(host=address.host, port=address.port, **_pooled(options, tls, Connection, _Tls))
    redis = Redis.from_pool(pool)
    return Client(redis.execute_command, redis)


def _sentinel(options: RedisOptions, tls: ssl.SSLContext | None) -> Client:
    target, wait_s = options.target, patience_s(options)
    sentinels = Sentinel([], sentinel_kwargs={})
    for address in target.addresses:
        own = _common(options) | {"max_connections": options.connections_max, "socket_timeout": wait_s}
        own["credential_provider"] = (
            _Credentials(options.sentinel_username, options.sentinel_password) if options.sentinel_password else None
        )
        kind = {"connection_class": _Tls, "tls_context": tls} if tls else {"connection_class": Connection}
        sentinels.sentinels.append(Redis.from_pool(ConnectionPool(host=address.host, port=address.port, **own, **kind)))
    pool = SentinelConnectionPool(
        target.service, sentinels, **_pooled(options, tls, SentinelManagedConnection, _SentinelTls)
    )
    redis = Redis.from_pool(pool)
    return Client(redis.execute_command, redis, sentinels)


def _cluster(options: RedisOptions, tls: ssl.SSLContext | None) -> Client:
    """Its nodes answer for their slots only; which node has which is learnt from any of them.

    `require_full_coverage` off: slots without a master are misses, the others go on.
    """
    redis = _CalmCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in options.target.addresses],
        max_connections=options.connections_max,
        require_full_coverage=False,
        ssl=tls is not None,
        **_common(options),
    )
    redis.commands_parser = _KeysKnown()  # type: ignore[assignment] # it answers the one question that is asked
    if tls is not None:  # the client passes on no class of connections, but makes them of these
        kind = {"connection_class": _Tls, "tls_context": tls}
        redis.connection_kwargs.update(kind)
        for node in redis.nodes_manager.startup_nodes.values():
            node.connection_class = _Tls
            node.connection_kwargs["tls_context"] = tls
    return Client(redis.execute_command, redis)

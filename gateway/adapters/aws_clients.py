"""aiobotocore's clients, one for each service and region, made once and closed together.

aiobotocore brings session, credential chain, endpoint rules, signing and error codes. What is set differently, and why:
one attempt (retries need a budget across calls), as many connections as a campaign may have calls under way (a fan-out
would queue behind ten), no redirects and bounded answers (`aws_session`), and no timeout of its own worth the name: the
service bounds every call by the request's deadline, and cancels. Credentials are kept apart from the clients, which
take what is there (`aws_credentials`).
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError, InvalidRegionError, ProfileNotFound

from gateway.adapters.aws_chain import Chain
from gateway.adapters.aws_credentials import KeptCredentials
from gateway.adapters.aws_data import new_session
from gateway.adapters.aws_errors import STALE_KEYS, BadEndpoint, refusal_in
from gateway.adapters.aws_session import GuardedHttpSession, TransportStats

CONNECT_TIMEOUT_S: Final = 2.0
"""A connection that is not there by then will not be in time for any ranking."""

READ_TIMEOUT_S: Final = 60.0
"""Longer than any deadline (30 s): only the deadline ends a call."""

KEEP_ALIVE_S: Final = 12.0
"""The SDK's own choice, below the idle time after which AWS endpoints close."""


CLIENTS_MAX: Final = 200
"""More services and regions than there are: callers who name ARNs cannot make clients without end."""

REGION: Final = re.compile(r"[a-z]{2,5}(-[a-z]+)+-\d{1,2}", re.ASCII)
"""What regions look like. Making a client costs 40 ms: not for any word."""


class AwsClients:
    """Clients by service and region, and the credentials they sign with. Use as an async context manager."""

    def __init__(
        self, *, connections_max: int, default_region: str | None = None, credentials: KeptCredentials | None = None
    ) -> None:
        """Without `credentials` they are those of the SDK's own chain."""
        self.credentials = credentials or KeptCredentials(Chain(default_region))
        self._session = self._new_session()
        self.connections_max = connections_max
        self.stats = TransportStats()
        self._default_region = default_region
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = asyncio.Lock()
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<AwsClients {sorted(self._clients)} connections_max={self.connections_max}>"

    async def __aenter__(self) -> "AwsClients":
        await self._stack.enter_async_context(self.credentials)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def has_credentials(self) -> bool:
        """Whether there is something to sign with now."""
        return self.credentials.usable

    async def call(self, service: str, region: str, operation: str, members: Mapping[str, Any]) -> Any:
        """Make one call. If upstream refuses the credentials as stale and there are others by then, it is made anew.

        Raises whatever the SDK raises.
        """
        client = await self.of(service, region)
        used = self.credentials.current()
        try:
            return await getattr(client, operation)(**members)
        except ClientError as error:
            if refusal_in(error).code not in STALE_KEYS or not await self.credentials.renewed(used):
                raise
        return await getattr(client, operation)(**members)

    async def of(self, service: str, region: str) -> Any:
        """The client; the first one costs 150 ms to make. An empty region stands for the default one."""
        client = self._clients.get((service, region))
        return client or await self._made(service, region)

    async def _made(self, service: str, region: str) -> Any:
        if region and (len(self._clients) >= CLIENTS_MAX or not REGION.fullmatch(region)):
            raise InvalidRegionError(region_name=region)
        async with self._making:
            if (service, region) not in self._clients:
                try:
                    client = await self._stack.enter_async_context(self._new(service, region))
                except ProfileNotFound:
                    self._session = self._new_session()  # this one has read the files, and would not do so again
                    raise
                except ValueError as error:
                    if isinstance(error, BotoCoreError):
                        raise
                    raise BadEndpoint from error
                if not _is_http(client.meta.endpoint_url):
                    raise BadEndpoint
                self._clients[service, region] = client
        return self._clients[service, region]

    def _new(self, service: str, region: str) -> Any:
        return self._session.create_client(
            service,
            region_name=region or self._default_region,
            config=AioConfig(
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=self.connections_max,
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                parameter_validation=False,  # the doors have checked every member already
                connector_args={"keepalive_timeout": KEEP_ALIVE_S},
                http_session_cls=partial(GuardedHttpSession, stats=self.stats),
            ),
        )

    def _new_session(self) -> AioSession:
        session = new_session()
        session.register_component("credential_provider", self.credentials)
        return session


def _is_http(url: str) -> bool:
    """Whether calls can go to a URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no such port
        return False

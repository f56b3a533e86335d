"""aiobotocore's clients, one for each service and region, made once and closed together.

aiobotocore brings session, credential chain, endpoint rules, signing and error codes. What is set differently, and why:
one attempt (retries need a budget across calls), as many connections as a campaign may have calls under way (a fan-out
would queue behind ten), no redirects and bounded answers (`aws_session`), and no timeout of its own worth the name: the
service bounds every call by the request's deadline, and cancels.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoCredentialsError

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


class SessionCredentials:
    """The session's credentials, as those who sign by themselves ask for them."""

    def __init__(self, session: AioSession) -> None:
        self._session = session
        self._frozen: ReadOnlyCredentials | None = None

    def current(self) -> ReadOnlyCredentials:
        """Those that were found last. Raises `NoCredentialsError`."""
        if self._frozen is None:
            raise NoCredentialsError
        return self._frozen

    async def renewed(self, rejected: ReadOnlyCredentials | None) -> bool:
        """Whether the session has other ones than those that were refused."""
        return bool(await self.get_frozen_credentials() != rejected)

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The session's. Raises `NoCredentialsError`."""
        if (credentials := await self._session.get_credentials()) is None:
            raise NoCredentialsError
        self._frozen = await credentials.get_frozen_credentials()
        return self._frozen


class AwsClients:
    """Clients by service and region. Use as an async context manager."""

    def __init__(self, *, connections_max: int, default_region: str | None = None) -> None:
        self._session = AioSession()
        self.credentials = SessionCredentials(self._session)
        self.connections_max = connections_max
        self.stats = TransportStats()
        self._default_region = default_region
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = asyncio.Lock()
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<AwsClients {sorted(self._clients)} connections_max={self.connections_max}>"

    async def __aenter__(self) -> "AwsClients":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def has_credentials(self) -> bool:
        """Whether the credential chain gives something to sign with."""
        try:
            credentials = await self._session.get_credentials()
            return credentials is not None and bool((await credentials.get_frozen_credentials()).access_key)
        except BotoCoreError:
            return False

    async def of(self, service: str, region: str) -> Any:
        """The client; the first one costs 150 ms to make. An empty region stands for the default one."""
        client = self._clients.get((service, region))
        return client or await self._made(service, region)

    async def _made(self, service: str, region: str) -> Any:
        if region and (len(self._clients) >= CLIENTS_MAX or not REGION.fullmatch(region)):
            raise InvalidRegionError(region_name=region)
        async with self._making:
            if (service, region) not in self._clients:
                if await self._session.get_credentials() is None:
                    raise NoCredentialsError  # a client made now would never find those that come later
                self._clients[service, region] = await self._stack.enter_async_context(
                    self._session.create_client(
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
                )
        return self._clients[service, region]

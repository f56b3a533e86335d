"""`Ranker` over aiobotocore: one GetPersonalizedRanking call, once, checked before it is believed.

aiobotocore brings session, credential chain, endpoint rules, signing and error codes. What is set differently, and why:
one attempt (retries need a budget across calls), as many connections as a campaign may have calls under way (a fan-out
would queue behind ten), no redirects and bounded answers (`aws_session`), and no timeout of its own worth the name: the
service bounds every call by the request's deadline, and cancels. One client per region, made once.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError

from gateway.adapters.aws_errors import translate
from gateway.adapters.aws_session import GuardedHttpSession
from gateway.core.answer import Answer, check_answer
from gateway.core.errors import Malformed
from gateway.core.routing import region_of
from gateway.ports import Call

CONNECT_TIMEOUT_S: Final = 2.0
"""A connection that is not there by then will not be in time for any ranking."""

READ_TIMEOUT_S: Final = 60.0
"""Longer than any deadline (30 s): only the deadline ends a call."""

KEEP_ALIVE_S: Final = 12.0
"""The SDK's own choice, below the idle time after which AWS endpoints close."""


class PersonalizeRanker:
    """Calls campaigns. An async context manager; `open` makes the clients of known regions before traffic comes."""

    def __init__(self, *, connections_max: int, default_region: str | None = None) -> None:
        self._session = AioSession()
        self._connections_max = connections_max
        self._default_region = default_region
        self._clients: dict[str, Any] = {}
        self._making = asyncio.Lock()
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<PersonalizeRanker regions={sorted(self._clients)} connections_max={self._connections_max}>"

    async def __aenter__(self) -> "PersonalizeRanker":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self, arns: list[str]) -> None:
        """Make the clients for these ARNs: the first one costs 150 ms, which no caller should pay."""
        for arn in arns:
            await self._client(arn)

    async def has_credentials(self) -> bool:
        """Whether the credential chain gives something to sign with."""
        try:
            credentials = await self._session.get_credentials()
            return credentials is not None and bool((await credentials.get_frozen_credentials()).access_key)
        except BotoCoreError:
            return False

    async def rank(self, call: Call) -> Answer:
        """Make the call. Errors are those of `ports.Ranker`."""
        subject = call.subject
        members: dict[str, Any] = {"campaignArn": call.arn, "userId": subject.user_id, "inputList": call.items}
        if subject.context:
            members["context"] = dict(subject.context)
        if subject.filter_arn:
            members["filterArn"] = subject.filter_arn
            members["filterValues"] = dict(subject.filter_values)
        try:
            client = self._clients.get(region_of(call.arn)) or await self._client(call.arn)
            response = await client.get_personalized_ranking(**members)
        except Exception as error:
            ours = translate(error, subject.user_id)
            if ours is None:
                raise
            raise ours from error
        return _checked(call, response)

    async def _client(self, arn: str) -> Any:
        region = region_of(arn)
        async with self._making:
            if region not in self._clients:
                self._clients[region] = await self._stack.enter_async_context(
                    self._session.create_client(
                        "personalize-runtime",
                        region_name=region or self._default_region,
                        config=AioConfig(
                            retries={"mode": "standard", "total_max_attempts": 1},
                            max_pool_connections=self._connections_max,
                            connect_timeout=CONNECT_TIMEOUT_S,
                            read_timeout=READ_TIMEOUT_S,
                            parameter_validation=False,  # the doors have checked every member already
                            connector_args={"keepalive_timeout": KEEP_ALIVE_S},
                            http_session_cls=GuardedHttpSession,
                        ),
                    )
                )
        return self._clients[region]


def _checked(call: Call, response: Any) -> Answer:
    ranked = response.get("personalizedRanking")
    if not isinstance(ranked, list):
        raise Malformed("the answer has no personalizedRanking")
    try:
        items, scores = [one.get("itemId") for one in ranked], [one.get("score") for one in ranked]
    except AttributeError:
        raise Malformed("the answer's personalizedRanking holds something else than items") from None
    return check_answer(
        call.items, items, scores, response.get("recommendationId"), filtered=call.subject.filter_arn is not None
    )

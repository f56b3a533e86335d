"""The positive control: what one would write first. A check that finds nothing wrong with it checks nothing.

`Naive` is aiobotocore as it comes, but for one attempt; it believes what it is told, and waits as long as it takes.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from tests.support.model_upstream.logits import ideal

Outcome = Literal["right", "wrong", "raises", "late"]

PATIENCE_S: Final = 0.3
"""A naive client that has not answered by then is late: what it waits for never comes, or not within minutes."""

TRIES: Final = 3

SESSION: Final = get_session()
"""One for all: it keeps the service's model, whose reading costs more than a test."""


class Naive:
    """Ranks with a plain client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def rank(self, arn: str, user: str, items: list[str]) -> tuple[list[Any], list[Any]]:
        """Ids and scores, as they came."""
        answer = await self._client.get_personalized_ranking(campaignArn=arn, userId=user, inputList=items)
        entries = answer["personalizedRanking"]
        return [entry["itemId"] for entry in entries], [entry["score"] for entry in entries]

    async def stubborn(self, arn: str, user: str, items: list[str]) -> None:
        """The naive retry: whatever is wrong, try again."""
        for _ in range(TRIES):
            try:
                await self.rank(arn, user, items)
            except Exception:  # noqa: S112 - that is what it does
                continue
            return

    async def outcome(self, arn: str, user: str, items: list[str], patience_s: float = PATIENCE_S) -> Outcome:
        """How it went."""
        try:
            async with asyncio.timeout(patience_s) as patience:
                order, scores = await self.rank(arn, user, items)
        except Exception:  # whatever it trips over
            return "late" if patience.expired() else "raises"
        shares = all(isinstance(score, float) and math.isfinite(score) and 0.0 <= score <= 1.0 for score in scores)
        return "right" if order == ideal(user, items) and shares else "wrong"


@asynccontextmanager
async def naive(url: str, **options: Any) -> AsyncIterator[Naive]:
    """A plain client of an endpoint."""
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "aws_session_token": "token"}
    config = AioConfig(retries={"mode": "standard", "total_max_attempts": 1})
    async with SESSION.create_client(
        "personalize-runtime", region_name="us-east-1", endpoint_url=url, config=config, **keys, **options
    ) as client:
        yield Naive(client)

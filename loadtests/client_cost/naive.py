"""What one would write first: aiobotocore as it comes, chunks of 500, `gather`, all answers sorted by score.

Only the client side: a request is no more than a user's id, and the answer no more than a count. The endpoint and the
credentials are what the AWS SDK's variables say.
"""

import asyncio
import sys
from typing import Any, Final

import uvloop
from aiobotocore.session import get_session

from gateway.core.plan import CALL_LIMIT
from loadtests.client_cost.plain_http import Messages, listen
from loadtests.client_cost.task import ARN, items_of

REGION: Final = "us-east-1"


async def rank(client: Any, user: str, items: list[str]) -> list[tuple[float, str]]:
    """Scores and items, falling. The order is wrong: every chunk's scores are a softmax of that chunk alone."""
    answers = await asyncio.gather(  # noqa: TID251 - it is what one would write first
        *(
            client.get_personalized_ranking(campaignArn=ARN, userId=user, inputList=items[start : start + CALL_LIMIT])
            for start in range(0, len(items), CALL_LIMIT)
        )
    )
    ranked = [(item["score"], item["itemId"]) for answer in answers for item in answer["personalizedRanking"]]
    ranked.sort(reverse=True)
    return ranked


async def main(count: int) -> None:
    """Serve for ever, one request at a time."""
    items = items_of(count)
    asked: asyncio.Queue[tuple[Messages, bytes]] = asyncio.Queue()
    async with (
        await listen(lambda connection, body: asked.put_nowait((connection, body))),
        get_session().create_client("personalize-runtime", region_name=REGION) as client,
    ):
        while True:
            connection, body = await asked.get()
            connection.reply(b"%d" % len(await rank(client, body.decode(), items)))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))

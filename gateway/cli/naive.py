"""What one would write first, to compare with: chunks of 500 in the order of the list, all answers sorted by score.

It ranks wrongly: each chunk's scores are a softmax of that chunk alone.
"""

import asyncio

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core.model import Subject
from gateway.core.plan import CALL_LIMIT
from gateway.ports import Call


async def naive_merge(arn: str, user: str, candidates: list[str]) -> tuple[list[str], int]:
    """The order, and the number of calls. The upstream is what the AWS SDK's variables say."""
    subject = Subject(campaign=arn, user_id=user)
    chunks = [candidates[start : start + CALL_LIMIT] for start in range(0, len(candidates), CALL_LIMIT)]
    async with AwsClients(connections_max=len(chunks)) as clients, asyncio.TaskGroup() as group:
        ranker = PersonalizeRanker(clients)
        calls = [group.create_task(ranker.rank(Call(arn, subject, chunk))) for chunk in chunks]
        answers = [await call for call in calls]
    scored = [
        (score, chunk[position])
        for chunk, answer in zip(chunks, answers, strict=True)
        for score, position in zip(answer.scores.tolist(), answer.positions.tolist(), strict=True)
    ]
    scored.sort(key=lambda one: -one[0])
    return [item for _, item in scored], len(chunks)

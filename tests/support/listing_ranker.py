"""A `Ranker` in this process that answers questions with listings, counts them, and fails on demand."""

import asyncio
from collections.abc import Callable

import orjson

from gateway.core.question import Listing, Operation, Question
from tests.support.softmax_ranker import SoftmaxRanker

LISTS = {Operation.RECOMMENDATIONS: ("itemList", "itemId"), Operation.ACTIONS: ("actionList", "actionId")}


class ListingRanker(SoftmaxRanker):
    """Answers every question with as many entries as it wants (two by default).

    The number of the call is in the `recommendationId`. `delay_s` is how long a call takes; `fails`, if set, is asked
    before each one (with its number from 0) and may return an exception to raise, or "hang" to never answer.
    """

    def __init__(self, *, delay_s: float = 0.0, fails: Callable[[int], Exception | str | None] | None = None) -> None:
        super().__init__(lambda _: {}, delay_s=delay_s)
        self.refuses = fails
        self.asked: list[tuple[str, Question]] = []

    async def ask(self, arn: str, question: Question) -> Listing:
        number = len(self.asked)
        self.asked.append((arn, question))
        failure = self.refuses(number) if self.refuses is not None else None
        if isinstance(failure, Exception):
            raise failure
        try:
            await (asyncio.Event().wait() if failure == "hang" else asyncio.sleep(self.delay_s))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        listed, name = LISTS[question.operation]
        count = 2 if question.results is None else question.results
        entries = [{name: f"e-{place}"} for place in range(count)]
        return Listing(orjson.dumps({listed: entries, "recommendationId": f"RID-{number}"}), count)

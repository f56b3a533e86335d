"""A ranker that answers when it is let go, for tests of what happens meanwhile."""

import asyncio

from gateway.core.answer import Answer
from gateway.ports import Call
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.parts import LOGITS


class Held(SoftmaxRanker):
    """Answers nothing until it is let go, and tells when a call has begun or ended."""

    def __init__(self) -> None:
        super().__init__(lambda _: LOGITS)
        self.begun = asyncio.Semaphore(0)
        self.ended = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()

    async def rank(self, call: Call) -> Answer:
        self.begun.release()
        try:
            await self.let_go.wait()
            return await super().rank(call)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.ended.release()

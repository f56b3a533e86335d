"""The least that a warm ranking takes in this language: decode the request, sort known scores, encode the answer.

A bare protocol with msgspec, numpy for the sort (a list is slower beyond 1,000), and where an address of a Redis is
given, one MGET of a frame's bytes first (as the gateway may). One request at a time; no checks, no frame, no user.
"""

import asyncio
import sys
from typing import Final

import numpy as np
import redis.asyncio
import uvloop

from loadtests.client_cost.plain_http import Messages, listen
from loadtests.client_cost.raw_floor import ENCODER, REQUEST, Item, Ranked
from loadtests.client_cost.task import items_of, logits_of

FRAME_BYTES_AN_ITEM: Final = 22
"""Of a frame of items with names as long as these: 7 and the name and 1 (README, "How to size Redis")."""

KEY: Final = "rerank:warm-floor"


class Floor:
    """Answers with the items of the request by scores that it has had from the beginning."""

    def __init__(self, count: int) -> None:
        weights = np.exp(np.array(logits_of(count)))
        self._scores = weights / weights.sum()

    def answer(self, body: bytes) -> bytes:
        """The answer to a request for the items that the floor was made for."""
        items = REQUEST.decode(body).input_list
        order = np.argsort(-self._scores)
        scores = self._scores[order].tolist()
        return ENCODER.encode(
            Ranked([Item(items[place], score) for place, score in zip(order.tolist(), scores, strict=True)])
        )


async def main(count: int, url: str | None) -> None:
    """Serve for ever."""
    floor = Floor(count)
    if url is None:
        async with await listen(lambda connection, body: connection.reply(floor.answer(body))) as server:
            await server.serve_forever()
        return
    asked: asyncio.Queue[tuple[Messages, bytes]] = asyncio.Queue()
    async with (
        redis.asyncio.from_url(url) as client,
        await listen(lambda connection, body: asked.put_nowait((connection, body))),
    ):
        await client.set(KEY, bytes(FRAME_BYTES_AN_ITEM * len(items_of(count))))
        while True:
            connection, body = await asked.get()
            await client.mget(KEY)
            connection.reply(floor.answer(body))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))

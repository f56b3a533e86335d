"""The physical limit of this language: the bytes of the aiohttp floor, moved by bare protocols and typed structs.

No tasks, no library between the socket and the JSON; connections to the upstream are made before the first request.
One request at a time.
"""

import asyncio
import sys
from operator import attrgetter
from typing import Final
from urllib.parse import urlsplit

import msgspec
import uvloop

from loadtests.client_cost.plain_http import Messages, listen
from loadtests.client_cost.task import ARN, chunks_of, shape_of

POST: Final = (
    b"POST /personalize-ranking HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


class Request(msgspec.Struct, rename="camel"):
    """What comes in; other members are ignored."""

    user_id: str
    input_list: list[str]


class Call(msgspec.Struct, rename="camel"):
    """What goes out to the upstream."""

    campaign_arn: str
    user_id: str
    input_list: list[str]


class Item(msgspec.Struct, rename="camel", gc=False):
    """What the upstream says of an item, as far as it is needed; goes out as it came in."""

    item_id: str
    score: float


class Ranked(msgspec.Struct, rename="camel"):
    """The upstream's answer to a call, and the answer to a request."""

    personalized_ranking: list[Item]


REQUEST: Final = msgspec.json.Decoder(Request)
ANSWER: Final = msgspec.json.Decoder(Ranked)
ENCODER: Final = msgspec.json.Encoder()


class Floor:
    """Ranks one request after the other."""

    def __init__(self, host: str, anchors: int, calls: int) -> None:
        self._host = host.encode()
        self._shape = anchors, calls
        self._pool: list[Messages] = []
        self._answers: list[Ranked] = []
        self._caller: Messages

    async def connect(self, host: str, port: int) -> None:
        """Make a connection for every call."""
        for _ in range(self._shape[1]):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Messages(self._answered), host, port
            )
            self._pool.append(connection)

    def asked(self, caller: Messages, body: bytes) -> None:
        """Send all calls of a request."""
        request = REQUEST.decode(body)
        self._caller = caller
        self._answers = []
        chunks = chunks_of(request.input_list, *self._shape)
        for connection, chunk in zip(self._pool, chunks, strict=True):
            call = ENCODER.encode(Call(ARN, request.user_id, chunk))
            connection.transport.write(POST % (self._host, len(call)) + call)

    def _answered(self, _: Messages, body: bytes) -> None:
        """Take the answer of a call; behind the last one, answer the request."""
        self._answers.append(ANSWER.decode(body))
        if len(self._answers) == self._shape[1]:
            items = {item.item_id: item for answer in self._answers for item in answer.personalized_ranking}
            ranked = sorted(items.values(), key=attrgetter("score"), reverse=True)
            self._caller.reply(ENCODER.encode(Ranked(ranked)))


async def main(upstream: str, count: int) -> None:
    """Serve for ever."""
    url = urlsplit(upstream)
    floor = Floor(url.netloc, *shape_of(count))
    await floor.connect(url.hostname or "", url.port or 0)
    async with await listen(floor.asked) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))

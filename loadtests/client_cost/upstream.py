"""The campaign that all contestants call: canned, quick and truthful. Started by the benchmark as a process.

Every item has a fixed logit; a call is answered with the softmax of its items, best first, rounded to 7 decimals, with
the nulls that the service sends. So the answers fit each other and can be calibrated. An answer is made once for every
list that is asked for; after that it is one look-up, whoever the user is.
"""

import math
import sys
from typing import Final

import msgspec
import uvloop

from gateway.emulator.wire import PredictedItem, RankingAnswer
from loadtests.client_cost.plain_http import Messages, listen
from loadtests.client_cost.task import items_of, logits_of

DECIMALS: Final = 7
CALLS_MAX: Final = 1_000
"""Lists whose answers are kept: the gateway's, the floors' and the naive one's are 62 for 10,000 candidates."""


class Canned:
    """Answers by the bytes of the list that was asked for."""

    def __init__(self, count: int) -> None:
        self._logit = dict(zip(items_of(count), logits_of(count), strict=True))
        self._answers: dict[bytes, bytes] = {}

    def answer(self, connection: Messages, body: bytes) -> None:
        """Answer a call."""
        asked = body[body.index(b"[") : body.rindex(b"]") + 1]  # no id holds a bracket, and nothing else is a list
        answer = self._answers.get(asked)
        if answer is None:
            if len(self._answers) >= CALLS_MAX:
                self._answers.clear()
            answer = self._answers[asked] = self._made(msgspec.json.decode(asked, type=list[str]))
        connection.reply(answer)

    def _made(self, items: list[str]) -> bytes:
        weights = {item: math.exp(self._logit[item]) for item in items}
        total = sum(weights.values())
        best_first = sorted(items, key=weights.__getitem__, reverse=True)
        ranked = [PredictedItem(item, round(weights[item] / total, DECIMALS)) for item in best_first]
        number = len(self._answers)
        return msgspec.json.encode(RankingAnswer(ranked, f"RID-00-0000-0000-{number:012}-CID-000000"))


async def main(count: int) -> None:
    """Serve for ever."""
    async with await listen(Canned(count).answer) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))

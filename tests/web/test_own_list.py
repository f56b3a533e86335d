"""A user's own list again and again: its answer is kept, and told only where it is the answer."""

from typing import Any

import orjson
import pytest

from gateway.web import render
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, SHELVES, WIRE, Client, ask, ideal, items, native, order, send, wire

COUNT = 700
"""Two calls, so that a part of the list has scores that differ from those of the whole."""


async def ranking_of(client: Client, path: str, members: dict[str, Any]) -> bytes:
    """The list in an answer, as it stood on the wire."""
    response = await send(client, path, members)
    body = await response.read()
    assert response.status == 200, body
    end = body.rindex(b"]", 0, body.find(b',"rankingId"') if path == NATIVE else body.rindex(b',"recommendationId"'))
    return body[body.index(b"[") : end + 1]


async def test_it_is_kept_and_is_the_same_to_the_byte(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learnt, known, known again, and kept: the same bytes at both doors, and no entry is made any more."""
    made: list[int] = []

    def page(*given: Any, **named: Any) -> Any:
        made.append(1)
        return honest(*given, **named)

    honest = render.page
    monkeypatch.setattr(render, "page", page)
    learnt = await ranking_of(client, NATIVE, native(items(COUNT)))
    known = [await ranking_of(client, NATIVE, native(items(COUNT))) for _ in range(2)]
    before = len(made)
    again = [
        await ranking_of(client, NATIVE, native(items(COUNT))),
        await ranking_of(client, NATIVE, native(items(COUNT), limit=COUNT)),
        await ranking_of(client, WIRE, wire(items(COUNT))),
    ]
    assert before
    assert len(made) == before
    assert {learnt, *known, *again} == {learnt}
    assert [one["itemId"] for one in orjson.loads(learnt)] == ideal(items(COUNT))


@pytest.mark.parametrize("members", [
    native(items(COUNT), limit=10),
    native(items(COUNT), offset=10),
    native(items(COUNT), offset=COUNT),
    native(items(COUNT), limit=0),
    native(items(COUNT), explain=True),
    native(items(COUNT)[::-1]),
    native(items(COUNT - 1)),
    native([*items(COUNT), "p0"]),
    native(items(COUNT), userId="another"),
])  # fmt: skip
async def test_what_is_no_whole_own_list_is_told_by_itself(connect: Connect, members: dict[str, Any]) -> None:
    """A page, another list, and what is explained or another user's is answered as by a gateway that kept nothing."""
    opposite = {item: -logit for item, logit in LOGITS.items()}
    ranker = SoftmaxRanker(lambda user: LOGITS if user == USER else opposite)
    client, new = await connect(ranker=ranker), await connect(ranker=ranker)
    for _ in range(3):
        await ask(client, NATIVE, native(items(COUNT)))
    await ask(new, NATIVE, native(items(COUNT)))
    told, wanted = await ask(client, NATIVE, members), await ask(new, NATIVE, members)
    assert told["personalizedRanking"] == wanted["personalizedRanking"]
    assert await ranking_of(client, NATIVE, native(items(COUNT))) == await ranking_of(new, NATIVE, native(items(COUNT)))


async def test_another_context_and_an_event_have_answers_of_their_own(connect: Connect) -> None:
    """What was told under one context, or before an event, is not told under another one, or after it."""
    liked = dict(LOGITS)
    client = await connect(ranker=SoftmaxRanker(lambda _: dict(liked)))
    for _ in range(3):
        await ask(client, NATIVE, native(items(20)))
    liked.update({item: -logit for item, logit in LOGITS.items()})
    phone = await ask(client, NATIVE, native(items(20), context={"DEVICE": "phone"}))
    assert order(phone) == ideal(items(20))[::-1]
    assert order(await ask(client, NATIVE, native(items(20)))) == ideal(items(20))
    assert (await client.delete(f"/v1/users/{USER}/frames")).status == 200
    assert order(await ask(client, NATIVE, native(items(20)))) == ideal(items(20))[::-1]


async def test_a_shelf_is_not_told_as_the_whole(client: Client) -> None:
    """Shelves that together are the very list have each its own items alone."""
    for _ in range(3):
        await ask(client, NATIVE, native(items(20)))
    shelves = {"one": items(20)[:10], "other": items(20)[10:]}
    answer = await ask(client, SHELVES, {"campaign": "demo", "userId": native()["userId"], "shelves": shelves})
    assert {name: order(shelf) for name, shelf in answer["shelves"].items()} == {
        name: ideal(shelf) for name, shelf in shelves.items()
    }
    assert answer["usage"]["upstreamCalls"] == 0

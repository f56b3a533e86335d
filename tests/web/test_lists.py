"""Candidate lists of every length, and ids that are hard to carry."""

import orjson
import pytest

from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import NATIVE, WIRE, Client, ask, ideal, items, native, order, refused, wire

MANY = 100_000
STRIDE = 38_917  # coprime with MANY: a shuffle without a seed


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (500, 1), (501, 2), (992, 2)])
@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_every_length_comes_back_whole(client: Client, ranker: SoftmaxRanker, path, asked, count, calls) -> None:
    """A list of any length comes back whole and in order, at the fewest calls, none of them above 500 items."""
    answer = await ask(client, path, asked(items(count)))
    assert order(answer) == ideal(items(count))
    assert len(ranker.calls) == calls
    assert all(len(call.items) <= 500 for call in ranker.calls)


@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_100_000_candidates_are_ranked(connect: Connect, path, asked) -> None:
    """The largest list comes back whole: nothing lost, nothing twice, scores falling and adding up to one."""
    candidates = [f"p{n}" for n in range(MANY)]
    logits = {item: 3.0 * (n * STRIDE % MANY) / MANY for n, item in enumerate(candidates)}
    client = await connect(ranker=SoftmaxRanker(lambda _: logits))
    ranking = (await ask(client, path, asked(candidates)))["personalizedRanking"]
    scores = [one["score"] for one in ranking]
    assert sorted(one["itemId"] for one in ranking) == sorted(candidates)
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-6)


async def test_unknown_items_keep_the_callers_order(client: Client) -> None:
    """Items that the model was not trained on come last, in the caller's order, with score 0."""
    answer = await ask(client, NATIVE, native(["zz", "p1", "aa", "mm"], explain=True))
    assert order(answer) == ["p1", "zz", "aa", "mm"]
    assert [one["score"] for one in answer["personalizedRanking"]] == [1.0, 0.0, 0.0, 0.0]
    assert [one["source"] for one in answer["personalizedRanking"]] == ["fresh", "unknown", "unknown", "unknown"]
    assert answer["usage"]["unknown"] == 3


@pytest.mark.parametrize("count", [3, 700])
async def test_a_list_of_unknown_items_alone(client: Client, count: int) -> None:
    """If the model knows none of them, they come back as they came, with score 0 and no flag."""
    strangers = [f"stranger-{n}" for n in range(count)]
    answer = await ask(client, NATIVE, native(strangers))
    assert order(answer) == strangers
    assert {one["score"] for one in answer["personalizedRanking"]} == {0.0}
    assert answer["degraded"] is None


@pytest.mark.parametrize("count", [2, 700])
async def test_the_same_item_over_and_over_is_one_candidate(client: Client, ranker: SoftmaxRanker, count: int) -> None:
    """Repetitions are merged: one item, asked once, that takes the whole score."""
    answer = await ask(client, NATIVE, native(["p7"] * count))
    assert answer["personalizedRanking"] == [{"itemId": "p7", "score": 1.0}]
    assert (answer["total"], answer["usage"]["candidates"]) == (1, 1)
    assert [call.items for call in ranker.calls] == [["p7"]]


@pytest.mark.parametrize(
    "item",
    [
        *("🛒", "e\u0301", "\u00e9", 'say "hi"', "back\\slash", "a/b~c", " ", "\n", "\u2028", "-1", "null", "<b>"),
        *("x" * 256, "🛒" * 256),
    ],
    ids=lambda item: ascii(item)[:20],
)  # fmt: skip
async def test_ids_are_carried_as_they_are(connect: Connect, item: str) -> None:
    """An id reaches the campaign and comes back as the very same characters, however odd."""
    ranker = SoftmaxRanker(lambda _: {item: 1.0})
    client = await connect(ranker=ranker)
    assert order(await ask(client, NATIVE, native([item]))) == [item]
    assert order(await ask(client, WIRE, wire([item], userId="other"))) == [item]
    assert [call.items for call in ranker.calls] == [[item], [item]]


async def test_two_spellings_of_a_letter_stay_two_ids(client: Client) -> None:
    """Ids are compared by their characters: no form of Unicode is folded into another."""
    assert len(order(await ask(client, NATIVE, native(["caf\u00e9", "cafe\u0301"])))) == 2


@pytest.mark.parametrize("where", ["userId", "inputList"])
async def test_nul_is_refused(client: Client, where: str) -> None:
    """The character U+0000, at which C code ends a string, is refused in every id, and its place is told."""
    members = native(["a", "b\0c"]) if where == "inputList" else native(userId="b\0c")
    status, body = await refused(client, NATIVE, members)
    pointer = "#/inputList/1" if where == "inputList" else "#/userId"
    assert (status, [fault["pointer"] for fault in body["errors"]]) == (422, [pointer])


async def test_an_escaped_backslash_is_no_nul(client: Client) -> None:
    """An id that only spells the escape of U+0000 is an id like any other."""
    assert order(await ask(client, NATIVE, native(["\\u0000"]))) == ["\\u0000"]


@pytest.mark.parametrize("surrogate", [rb"\ud800", rb"\udc00", rb"\udc00\ud800", b"\xed\xa0\x80"])
@pytest.mark.parametrize("path", [NATIVE, WIRE])
async def test_lone_surrogates_are_no_text(client: Client, path: str, surrogate: bytes) -> None:
    """Half a character cannot be sent on, so a body with one is not JSON in UTF-8."""
    body = orjson.dumps(native(["@"]) | wire(["@"]) if path == WIRE else native(["@"])).replace(b"@", surrogate)
    status, _ = await refused(client, path, body)
    assert status == 400

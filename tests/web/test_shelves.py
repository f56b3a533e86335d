"""`POST /v1/rerank/shelves`: the members of request and answer, and their limits."""

from typing import Any

import pytest

from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import NATIVE, SHELVES, Client, ask, ideal, items, native, order, refused, send

MEMBERS = {
    "rankingId", "campaign", "variant", "shelves", "total", "offset", "limit", "resolvedThrough", "merge", "degraded",
    "recommendationIds", "usage", "timing",
}  # fmt: skip
OF_A_SHELF = {"personalizedRanking", "total", "resolvedThrough", "recommendationIds"}


def request(shelves: Any, **members: Any) -> dict[str, Any]:
    """The members of a request for shelves."""
    return {"campaign": "demo", "userId": USER, "shelves": shelves} | members


async def test_six_overlapping_shelves_are_one_call(client: Client, connect: Connect, ranker: SoftmaxRanker) -> None:
    """Six shelves of 80 with overlaps cost one call; each comes as `/v1/rerank` would give it, but for rounding."""
    shelves = {f"shelf-{n}": items(380)[60 * n : 60 * n + 80] for n in range(6)}
    answer = await ask(client, SHELVES, request(shelves))
    assert len(ranker.calls) == 1
    assert answer.keys() == MEMBERS
    assert answer["usage"] | {"upstreamCalls": 1, "candidates": 380} == answer["usage"]
    assert (answer["total"], answer["resolvedThrough"]) == (380, 380)
    assert answer["recommendationIds"] == answer["shelves"]["shelf-0"]["recommendationIds"]
    for name, shelf in shelves.items():
        told = answer["shelves"][name]
        alone = await ask(await connect(), NATIVE, native(shelf))
        assert told.keys() == OF_A_SHELF
        assert (order(told), told["total"]) == (ideal(shelf), 80)
        for one, other in zip(told["personalizedRanking"], alone["personalizedRanking"], strict=True):
            assert one["score"] == pytest.approx(other["score"], rel=1e-6, abs=1e-6)


async def test_the_headers_are_those_of_a_ranking(client: Client) -> None:
    """An answer tells its calls and its times in headers, as every ranking does."""
    response = await send(client, SHELVES, request({"a": items(3)}))
    assert response.headers["Gateway-Upstream-Calls"] == "1"
    assert response.headers["Server-Timing"].startswith("cache;dur=")


async def test_limit_and_offset_hold_for_every_shelf(client: Client) -> None:
    """Of every shelf comes the same page; its total tells how long it is."""
    answer = await ask(client, SHELVES, request({"a": items(10), "b": items(3)}, limit=4, offset=2))
    told = answer["shelves"]
    assert order(told["a"]) == ideal(items(10))[2:6]
    assert order(told["b"]) == ideal(items(3))[2:6]
    assert (told["a"]["total"], told["b"]["total"], answer["limit"], answer["offset"]) == (10, 3, 4, 2)


async def test_explain_tells_every_place(client: Client) -> None:
    """Positions are those of the shelf's own list, and the plan is that of the union."""
    answer = await ask(client, SHELVES, request({"a": ["p1", "p2"], "b": ["x", "p2"]}, explain=True))
    told = {one["itemId"]: one for one in answer["shelves"]["b"]["personalizedRanking"]}
    assert (told["p2"]["position"], told["p2"]["source"], told["x"]["source"]) == (1, "fresh", "unknown")
    assert told["p2"]["recommendationId"] == 0
    assert answer["plan"][0]["sizes"] == [3]


async def test_no_items_no_call(client: Client, ranker: SoftmaxRanker) -> None:
    """An empty shelf is there and empty."""
    answer = await ask(client, SHELVES, request({"a": []}))
    assert answer["shelves"]["a"] == {
        "personalizedRanking": [], "total": 0, "resolvedThrough": 0, "recommendationIds": [],
    }  # fmt: skip
    assert ranker.calls == []


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("a list as shelves", request(["a"]), "#/shelves"),
    ("text as a shelf", request({"a": "b"}), "#/shelves/a"),
    ("a number as an item", request({"a": ["b", 1]}), "#/shelves/a/1"),
    ("U+0000 in an item", request({"a": ["b\0"]}), "#/shelves/a/0"),
    ("an inputList as well", request({"a": []}, inputList=[]), "#/inputList"),
]


@pytest.mark.parametrize(("members", "pointer"), [pytest.param(members, at, id=name) for name, members, at in BAD])
async def test_what_is_no_shelf(client: Client, ranker: SoftmaxRanker, members: dict[str, Any], pointer: str) -> None:
    """What breaks a rule is refused with a pointer to it, and nothing is asked upstream."""
    status, body = await refused(client, SHELVES, members)
    assert (status, [fault["pointer"] for fault in body["errors"]]) == (422, [pointer])
    assert ranker.calls == []


async def test_just_within_the_limits(client: Client) -> None:
    """100 shelves, names of 64 characters, 100,000 candidates with repetitions: answered."""
    names = [f"{n:064}" for n in range(100)]
    answer = await ask(client, SHELVES, request({name: items(1_000) for name in names}, limit=1))
    assert [shelf["total"] for shelf in answer["shelves"].values()] == [1_000] * 100
    assert list(answer["shelves"]) == names

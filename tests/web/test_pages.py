"""Pages, deadlines and explanations of `/v1/rerank`."""

import asyncio
import math

import pytest

from gateway.web import render
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, Client, ask, ideal, items, native, order, refused

WHOLE = ideal(items(10))
FAR = 2**63 - 1


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({}, WHOLE),
        ({"limit": None}, WHOLE),
        ({"limit": 0}, []),
        ({"limit": 1}, WHOLE[:1]),
        ({"limit": 10}, WHOLE),
        ({"limit": 11}, WHOLE),
        ({"offset": 9}, WHOLE[9:]),
        ({"offset": 10}, []),
        ({"offset": 11}, []),
        ({"limit": 3, "offset": 4}, WHOLE[4:7]),
        ({"limit": 3, "offset": 9}, WHOLE[9:]),
        ({"limit": FAR, "offset": FAR}, []),
    ],
)
async def test_a_page_is_a_slice_of_the_ranking(client: Client, page: dict[str, int], expected: list[str]) -> None:
    """`offset` and `limit` cut the page out of the whole ranking; `total` stays that of the whole."""
    answer = await ask(client, NATIVE, native(items(10), **page))
    assert order(answer) == expected
    assert answer["total"] == 10
    assert (answer["limit"], answer["offset"]) == (page.get("limit"), page.get("offset", 0))


async def test_pages_share_one_scale(client: Client) -> None:
    """Scores of a page are those of the whole ranking, so pages put together add up to one."""
    pages = [await ask(client, NATIVE, native(items(10), limit=5, offset=offset)) for offset in (0, 5)]
    assert sum(one["score"] for page in pages for one in page["personalizedRanking"]) == pytest.approx(1.0)


async def test_a_page_across_the_end_of_the_ranked(client: Client) -> None:
    """A page that begins among the unknown items explains the items that are on it."""
    answer = await ask(client, NATIVE, native(["p1", "x", "y", "z"], offset=2, limit=1, explain=True))
    (only,) = answer["personalizedRanking"]
    assert (only["itemId"], only["score"], only["source"], only["position"]) == ("y", 0.0, "unknown", 2)


@pytest.mark.parametrize("limit", [None, 1, 6, 7, 8, 20])
async def test_a_page_is_the_same_however_it_is_made(
    client: Client, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    """Entries that are made slice by slice are those made in one piece, explanations included."""
    members = native([*items(18), "stranger"], offset=2, limit=limit, explain=True)
    await ask(client, NATIVE, members)  # from now on all comes out of the cache
    whole = await ask(client, NATIVE, members)
    monkeypatch.setattr(render, "SLICE", 7)
    assert (await ask(client, NATIVE, members))["personalizedRanking"] == whole["personalizedRanking"]


async def test_explanations(client: Client, ranker: SoftmaxRanker) -> None:
    """`explain` adds to every entry its source, its call, its place in the list as it came, and its log score."""
    answer = await ask(client, NATIVE, native(["p5", "p5", "stranger", "p1"], explain=True))
    by_item = {one["itemId"]: one for one in answer["personalizedRanking"]}
    assert {item: one["position"] for item, one in by_item.items()} == {"p5": 0, "stranger": 2, "p1": 3}
    assert by_item["p1"]["logScore"] - by_item["p5"]["logScore"] == pytest.approx(LOGITS["p1"] - LOGITS["p5"], abs=1e-5)
    assert by_item["stranger"]["logScore"] is None
    assert {one["recommendationId"] for one in by_item.values()} <= {0, None}
    (plan,) = answer["plan"]
    assert (plan["calls"], plan["sizes"], plan["failures"], plan["drifted"]) == (1, [3], [], False)
    assert len(ranker.calls) == 1


async def test_the_plan_of_two_calls(client: Client) -> None:
    """The plan of an explained answer accounts for every candidate and every anchor, with an error for every call."""
    answer = await ask(client, NATIVE, native(items(900), explain=True))
    (plan,) = answer["plan"]
    assert sum(plan["sizes"]) == 900 + plan["anchors"] * (plan["calls"] - 1)
    assert len(plan["offsets"]) == len(plan["errorBounds"]) == plan["calls"] == 2
    ids = answer["recommendationIds"]
    assert {ids[one["recommendationId"]] for one in answer["personalizedRanking"]} == set(ids) == {"RID-0", "RID-1"}


async def test_an_answer_from_the_frame_explains_itself(client: Client) -> None:
    """The second time every entry says `cached`, and there was no plan to tell."""
    await ask(client, NATIVE, native())
    answer = await ask(client, NATIVE, native(explain=True))
    assert [one["source"] for one in answer["personalizedRanking"]] == ["cached"] * 3
    assert answer["plan"] == []
    assert all(math.isfinite(one["logScore"]) for one in answer["personalizedRanking"])


async def test_the_empty_list(client: Client, ranker: SoftmaxRanker) -> None:
    """An empty list is answered empty and unflagged, explained or not, without a call."""
    answer = await ask(client, NATIVE, native([], explain=True))
    assert (answer["personalizedRanking"], answer["total"], answer["degraded"]) == ([], 0, None)
    assert (answer["plan"], answer["recommendationIds"], answer["resolvedThrough"]) == ([], [], 0)
    assert ranker.calls == []


@pytest.mark.parametrize("deadline_ms", [1, 20])
async def test_the_callers_deadline_ends_a_call_that_hangs(connect: Connect, deadline_ms: int) -> None:
    """A campaign that never answers costs the caller's own deadline, far below the default one: 504, call cancelled."""
    hanging = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: "hang")
    client = await connect(ranker=hanging)
    status, body = await refused(client, NATIVE, native(deadlineMs=deadline_ms))
    assert (status, body["type"]) == (504, "urn:rerank-gateway:problem:deadline")
    async with asyncio.timeout(10):
        while hanging.in_flight:  # the answer does not wait for the call to be gone
            await asyncio.sleep(0)
    assert hanging.cancelled == len(hanging.calls)

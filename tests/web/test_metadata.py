"""`metadataColumns` on all routes: what is asked for, what the answers look like, and the limits."""

from typing import Any

import pytest

from gateway.core.errors import InvalidInput, Unavailable
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, SHELVES, WIRE, Client, ask, ideal, items, native, order, refused, send, wire

COLUMNS = {"ITEMS": ["TITLE", "PRICE"]}


def of(item: str) -> dict[str, str]:
    """The metadata of an item, as the service gives it."""
    return {"title": f"TITLE of {item}", "price": f"PRICE of {item}"}


def all_described(entries: list[dict[str, Any]]) -> bool:
    """Whether every entry has its own item's metadata."""
    return all(one["metadata"] == of(one["itemId"]) for one in entries)


async def test_a_page_with_metadata(client: Client, ranker: SoftmaxRanker) -> None:
    """A page of 48 of 900: two calls rank, one describes the page; the same page again costs nothing."""
    for calls in (3, 0):
        answer = await ask(client, NATIVE, native(items(900), limit=48, offset=10, metadataColumns=COLUMNS))
        assert order(answer) == ideal(items(900))[10:58]
        assert all_described(answer["personalizedRanking"])
        assert all(one.keys() == {"itemId", "score", "metadata"} for one in answer["personalizedRanking"])
        assert (answer["usage"]["upstreamCalls"], answer["degraded"]) == (calls, None)
    late = [call for call in ranker.calls if call.metadata_columns]
    assert [(sorted(call.items), call.metadata_columns) for call in late] == [
        (sorted(ideal(items(900))[10:58]), ("PRICE", "TITLE"))
    ]


async def test_10_000_candidates_and_a_page_of_48(connect: Connect) -> None:
    """22 calls cold, one for the next page (its metadata), none for the same page again."""
    logits = {f"p{n}": 4.0 * (n * 3_889 % 10_000) / 10_000 for n in range(10_000)}
    client = await connect(ranker=SoftmaxRanker(lambda _: logits))
    for offset, calls in ((0, 22), (48, 1), (48, 0)):
        answer = await ask(client, NATIVE, native(list(logits), offset=offset, limit=48, metadataColumns=COLUMNS))
        assert answer["usage"]["upstreamCalls"] == calls
        assert len(answer["personalizedRanking"]) == 48
        assert all_described(answer["personalizedRanking"])


async def test_the_calls_are_in_header_and_access_line(client: Client, lines: list[Any]) -> None:
    """What metadata cost is in the bill, wherever it is told."""
    response = await send(client, NATIVE, native(items(900), limit=10, metadataColumns=COLUMNS))
    assert response.headers["Gateway-Upstream-Calls"] == "3"
    assert [line["upstream_calls"] for line in lines if line["event"] == "request"] == [3]


async def test_without_columns_nothing_changes(client: Client, ranker: SoftmaxRanker) -> None:
    """No columns, an empty list or null: entries without metadata, and no call for it."""
    for columns in (None, {}, {"ITEMS": []}):
        answer = await ask(client, NATIVE, native(items(10), metadataColumns=columns))
        assert all(one.keys() == {"itemId", "score"} for one in answer["personalizedRanking"])
    assert [call.metadata_columns for call in ranker.calls] == [()]


async def test_items_without_metadata_have_no_member(client: Client) -> None:
    """An item that the dataset does not hold comes without, unflagged; unknown items may well have some."""
    answer = await ask(client, NATIVE, native(["p1", "bare-1", "stranger"], metadataColumns=COLUMNS))
    told = {one["itemId"]: one.get("metadata") for one in answer["personalizedRanking"]}
    assert told == {"p1": of("p1"), "bare-1": None, "stranger": of("stranger")}
    assert answer["degraded"] is None


async def test_explained_entries_have_it_too(client: Client) -> None:
    """`explain` and metadata stand beside each other."""
    answer = await ask(client, NATIVE, native(items(5), metadataColumns=COLUMNS, explain=True))
    assert all_described(answer["personalizedRanking"])
    assert {one["source"] for one in answer["personalizedRanking"]} == {"fresh"}


async def test_what_could_not_be_fetched_is_flagged(connect: Connect) -> None:
    """Items come without, body and header say so, and the wire answers in its shape."""
    no = SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: Unavailable("x") if call.metadata_columns else None)
    client = await connect(ranker=no)
    response = await send(client, NATIVE, native(items(60), limit=5, metadataColumns=COLUMNS))
    answer = await response.json()
    assert (answer["degraded"], response.headers["Gateway-Degraded"]) == ("metadata", "metadata")
    assert order(answer) == ideal(items(60))[:5]
    assert all("metadata" not in one for one in answer["personalizedRanking"])
    response = await send(client, WIRE, wire(items(60), metadataColumns=COLUMNS))
    assert (response.status, response.headers["Gateway-Degraded"]) == (200, "metadata")
    assert {frozenset(one) for one in (await response.json())["personalizedRanking"]} == {
        frozenset({"itemId", "score"})
    }


async def test_the_wire_describes_all(client: Client) -> None:
    """Without a page, all ranked items have metadata: 120 in 3 + 1 calls cold, none the second time."""
    for calls in ("3", "0"):
        response = await send(client, WIRE, wire(items(120), metadataColumns=COLUMNS))
        answer = await response.json()
        assert order(answer) == ideal(items(120))
        assert all_described(answer["personalizedRanking"])
        assert response.headers["Gateway-Upstream-Calls"] == calls
    assert answer.keys() == {"personalizedRanking", "recommendationId"}


async def test_shelves_share_metadata(client: Client, ranker: SoftmaxRanker) -> None:
    """An item on two shelves is described once; what no shelf shows is not described."""
    shelves = {"a": items(30), "b": items(40)[10:]}
    answer = await ask(client, SHELVES, {"campaign": "demo", "userId": "u", "shelves": shelves, "limit": 8,
                                         "metadataColumns": COLUMNS})  # fmt: skip
    assert answer["usage"]["upstreamCalls"] == 2
    shown = [one for shelf in answer["shelves"].values() for one in shelf["personalizedRanking"]]
    assert len(shown) == 16
    assert all_described(shown)
    assert sorted(ranker.calls[1].items) == sorted({one["itemId"] for one in shown})


async def test_columns_that_do_not_exist(connect: Connect) -> None:
    """What the service says of a column is told, in the shape of each API."""
    no = InvalidInput("no such column")
    client = await connect(
        ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: no if call.metadata_columns else None)
    )
    status, body = await refused(client, NATIVE, native(items(5), metadataColumns=COLUMNS))
    assert (status, body["detail"]) == (422, "no such column")
    status, body = await refused(client, WIRE, wire(items(5), metadataColumns=COLUMNS))
    assert (status, body["message"]) == (400, "no such column")


BAD: list[tuple[str, Any, str]] = [
    ("a list", ["TITLE"], "#/metadataColumns"),
    ("another dataset", {"USERS": ["AGE"]}, "#/metadataColumns"),
    ("two datasets", {"ITEMS": [], "USERS": []}, "#/metadataColumns"),
    ("11 columns", {"ITEMS": [f"C{n}" for n in range(11)]}, "#/metadataColumns/ITEMS"),
    ("text as columns", {"ITEMS": "TITLE"}, "#/metadataColumns/ITEMS"),
    ("a number", {"ITEMS": ["A", 1]}, "#/metadataColumns/ITEMS/1"),
    ("an empty name", {"ITEMS": [""]}, "#/metadataColumns/ITEMS/0"),
    ("a name of 151", {"ITEMS": ["x" * 151]}, "#/metadataColumns/ITEMS/0"),
]


@pytest.mark.parametrize(("columns", "pointer"), [pytest.param(columns, at, id=name) for name, columns, at in BAD])
async def test_the_limits(client: Client, ranker: SoftmaxRanker, columns: Any, pointer: str) -> None:
    """Columns that cannot be are refused by their place on both APIs, and nothing is asked upstream."""
    status, body = await refused(client, NATIVE, native(metadataColumns=columns))
    assert (status, [fault["pointer"] for fault in body["errors"]]) == (422, [pointer])
    status, body = await refused(client, WIRE, wire(metadataColumns=columns))
    assert status == 400
    assert pointer.removeprefix("#") in body["message"]
    assert ranker.calls == []

"""Metadata, shelves and pages by whole processes: a gateway in front of a local Personalize, over both transports."""

import http.client
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.process.parts import Running, running, signed
from tests.support.canaries import OTHER_USER, USER

COLUMNS = {"ITEMS": ["TITLE", "PRICE"]}
CATALOGUE = [f"p{number:05}" for number in range(1, 10_001)]
ITEMS = CATALOGUE[:600]


@pytest.fixture(scope="module", params=["lean", "aiobotocore"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A gateway over each of the transports."""
    with running("emulate", "--port", "0", env=signed("")) as emulator:
        variables = signed(emulator.url, GATEWAY_TRANSPORT=request.param)
        with running("serve", "--port", "0", env=variables) as gateway:
            yield gateway


def ask(gateway: Running, method: str, path: str, members: Any = None) -> dict[str, Any]:
    """One request; the decoded answer, which must be a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    try:
        body = None if members is None else orjson.dumps(members)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = orjson.loads(response.read())
        assert response.status == 200, answer
        return answer
    finally:
        connection.close()


def rerank(gateway: Running, **members: Any) -> dict[str, Any]:
    """A ranking."""
    return ask(gateway, "POST", "/v1/rerank", {"campaign": "demo", "inputList": ITEMS} | members)


def described(entries: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """The metadata of entries by item; all of them must have both columns."""
    assert all(one["metadata"].keys() == {"title", "price"} for one in entries)
    return {one["itemId"]: one["metadata"] for one in entries}


def test_pages_with_metadata(gateway: Running) -> None:
    """A page, the next one out of the pinned ranking, and the same again: 3 calls, 1 call, none; and the wire, whose
    calls rank and describe at once, says the same of the same items."""
    first = rerank(gateway, userId=USER, limit=48, metadataColumns=COLUMNS, pin=True)
    assert (first["usage"]["upstreamCalls"], first["degraded"], first["pinned"]) == (3, None, True)
    told = described(first["personalizedRanking"])
    for calls in (1, 0):
        path = f"/v1/rankings/{first['rankingId']}?offset=48&limit=48"
        second = ask(gateway, "GET", path)
        assert second["usage"]["upstreamCalls"] == calls
        told |= described(second["personalizedRanking"])
    assert len(told) == 96
    wire = ask(gateway, "POST", "/personalize-ranking", {
        "campaignArn": "demo", "userId": OTHER_USER, "inputList": list(told), "metadataColumns": COLUMNS,
    })  # fmt: skip
    assert described(wire["personalizedRanking"]) == told


def test_10_000_candidates_and_pages_of_48(gateway: Running) -> None:
    """22 calls cold, of which one describes the page; one for the next page, none for the same page again."""
    columns = {"ITEMS": ["TITLE", "BRAND"]}  # which no other test asks for
    pages = []
    for offset, calls in ((0, 22), (48, 1), (48, 0), (0, 0)):
        answer = rerank(gateway, userId="user-5", inputList=CATALOGUE, limit=48, offset=offset, metadataColumns=columns)
        assert (answer["usage"]["upstreamCalls"], answer["degraded"]) == (calls, None)
        assert all(one["metadata"].keys() == {"title", "brand"} for one in answer["personalizedRanking"])
        pages.append([one["itemId"] for one in answer["personalizedRanking"]])
    assert pages[1:] == [pages[2], pages[1], pages[0]]
    assert len({*pages[0], *pages[1]}) == 96


def test_the_wire_describes_all_of_a_new_list(gateway: Running) -> None:
    """Nobody knows these columns yet: 97 items are ranked and described by two calls."""
    members = {"campaign": "demo", "userId": "canary-user-3", "inputList": ITEMS[:97]}
    answer = ask(gateway, "POST", "/v1/rerank", members | {"metadataColumns": {"ITEMS": ["BRAND"]}})
    assert answer["usage"]["upstreamCalls"] == 2
    assert all(one["metadata"].keys() == {"brand"} for one in answer["personalizedRanking"])
    plain = rerank(gateway, userId="canary-user-3", inputList=ITEMS[:97])
    assert [one["itemId"] for one in plain["personalizedRanking"]] == [
        one["itemId"] for one in answer["personalizedRanking"]
    ]


def test_shelves(gateway: Running) -> None:
    """Six shelves of 80 with overlaps are one call, and each comes in the order of a call of its own."""
    shelves = {f"shelf-{n}": ITEMS[60 * n : 60 * n + 80] for n in range(6)}
    answer = ask(
        gateway, "POST", "/v1/rerank/shelves", {"campaign": "demo", "userId": "canary-user-4", "shelves": shelves}
    )
    assert answer["usage"]["upstreamCalls"] == 1
    for number, (name, shelf) in enumerate(shelves.items()):
        context = {"alone": str(number)}  # another frame, which the emulator ranks alike
        alone = rerank(gateway, userId="canary-user-4", inputList=shelf, context=context)
        assert alone["usage"]["upstreamCalls"] == 1
        for one, other in zip(
            answer["shelves"][name]["personalizedRanking"], alone["personalizedRanking"], strict=True
        ):
            assert one["itemId"] == other["itemId"]
            assert one["score"] == pytest.approx(other["score"], rel=1e-6, abs=2e-6)

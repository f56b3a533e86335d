"""What both doors say of a campaign that is merged by orders alone: it is flagged, and no score is invented."""

import pytest

from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.parts import LOGITS, NATIVE, SHELVES, WIRE, ask, ideal, items, native, order, send, wire

ORDINAL = {"demo": Campaign("demo", ARN, merge="ordinal")}


async def test_the_native_answer(connect) -> None:
    """A merged answer says `ordinal` in body and header, how far it is settled, and has entries without scores."""
    client = await connect(campaigns=ORDINAL)
    asked = native(items(1_000), limit=48, explain=True)
    response = await send(client, NATIVE, asked)
    answer = await response.json()
    entries = answer["personalizedRanking"]
    assert (answer["merge"], response.headers["Gateway-Merge"], answer["degraded"]) == ("ordinal", "ordinal", None)
    assert order(answer) == ideal(items(1_000))[:48]
    assert answer["resolvedThrough"] >= 100
    assert answer["usage"]["upstreamCalls"] == 3
    assert not any("score" in one for one in entries)
    assert {one["logScore"] for one in entries} == {None}
    assert {one["recommendationId"] for one in entries} == {0}
    assert answer["recommendationIds"][0] == "RID-2"
    (plan,) = answer["plan"]
    assert (plan["calls"], plan["sizesByRound"], plan["failures"]) == (3, [[500, 500], [500]], [])
    assert plan["settled"] == answer["resolvedThrough"]


async def test_the_wire(connect) -> None:
    """The SDK's answer has the order, the id of the call that settled the first place, the header, and no scores."""
    client = await connect(campaigns=ORDINAL)
    response = await send(client, WIRE, wire(items(1_000)))
    answer = await response.json()
    assert response.headers["Gateway-Merge"] == "ordinal"
    assert order(answer)[:500] == ideal(items(1_000))[:500]
    assert sorted(order(answer)) == sorted(items(1_000))
    assert all(one.keys() == {"itemId"} for one in answer["personalizedRanking"])
    assert answer["recommendationId"].startswith("RID-")


@pytest.mark.parametrize("merge", ["ordinal", "calibrated"])
async def test_one_call_keeps_its_scores(connect, merge: str) -> None:
    """A list that fits one call comes as that call scored it; the header says only what is not the normal case."""
    client = await connect(campaigns={"demo": Campaign("demo", ARN, merge=merge)})
    response = await send(client, NATIVE, native())
    answer = await response.json()
    assert answer["merge"] == merge
    assert response.headers.get("Gateway-Merge") == ("ordinal" if merge == "ordinal" else None)
    assert sum(one["score"] for one in answer["personalizedRanking"]) == pytest.approx(1.0)


async def test_a_calibrated_answer_has_scores(connect) -> None:
    """The control: the same list on a campaign of the other kind."""
    client = await connect(campaigns={"demo": Campaign("demo", ARN)})
    answer = await ask(client, NATIVE, native(items(1_000)))
    assert all("score" in one for one in answer["personalizedRanking"])


async def test_shelves_are_ranked_one_by_one(connect, ranker) -> None:
    """Each shelf comes exactly as a request for it alone, scores included where it fits one call; the price is that of
    all, and the answer says how it was merged."""
    client = await connect(campaigns=ORDINAL)
    shelves = {"small": items(100), "large": items(1_000), "none": []}
    response = await send(client, SHELVES, {"campaign": "demo", "userId": USER, "shelves": shelves, "limit": 48})
    answer = await response.json()
    assert (answer["merge"], response.headers["Gateway-Merge"], answer["degraded"]) == ("ordinal", "ordinal", None)
    assert answer["usage"]["upstreamCalls"] == len(ranker.calls) == 4
    assert (answer["usage"]["candidates"], answer["total"], answer["resolvedThrough"]) == (1_100, 1_100, 0)
    assert len(answer["recommendationIds"]) == 4
    other = await connect(campaigns=ORDINAL)
    for name, shelf in shelves.items():
        alone = await ask(other, NATIVE, native(shelf, limit=48))
        told = answer["shelves"][name]
        assert told["personalizedRanking"] == alone["personalizedRanking"]
        assert (told["total"], told["resolvedThrough"]) == (alone["total"], alone["resolvedThrough"])


async def test_a_flagged_answer_tells_the_sources_of_all_shelves(connect) -> None:
    """Where one shelf could not be ranked the answer is flagged, and those of the others too tell their source."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: Unavailable("x") if len(call.items) < 100 else None)
    client = await connect(campaigns=ORDINAL, ranker=ranker)
    shelves = {"well": items(300), "lost": items(5)}
    answer = await ask(client, SHELVES, {"campaign": "demo", "userId": USER, "shelves": shelves, "limit": 3})
    assert answer["degraded"] == "upstream"
    sources = {name: [one["source"] for one in told["personalizedRanking"]] for name, told in answer["shelves"].items()}
    assert sources == {"well": ["fresh"] * 3, "lost": ["unranked"] * 3}


async def test_a_pinned_ranking_keeps_its_order(connect, ranker) -> None:
    """Later pages continue the very order, without scores and without calls, and are as settled as a whole list is."""
    client = await connect(campaigns=ORDINAL)
    whole = await ask(client, NATIVE, native(items(1_000)))
    first = await ask(client, NATIVE, native(items(1_000), limit=48, pin=True))
    calls = len(ranker.calls)
    response = await client.get(f"/v1/rankings/{first['rankingId']}?offset=48")
    page = await response.json()
    entries = [*first["personalizedRanking"], *page["personalizedRanking"]]
    assert entries == whole["personalizedRanking"]
    assert all(one.keys() == {"itemId"} for one in entries)
    assert (page["merge"], response.headers["Gateway-Merge"], page["degraded"]) == ("ordinal", "ordinal", None)
    assert page["resolvedThrough"] == first["resolvedThrough"] >= 500
    assert (page["usage"]["unranked"], page["usage"]["cached"]) == (0, 1_000)
    assert len(ranker.calls) == calls


async def test_metadata_does_not_cut_a_list_that_fits_one_call(connect, ranker) -> None:
    """A list of 100 is ranked by one call, whose scores are its own, and described by others."""
    client = await connect(campaigns=ORDINAL)
    asked = native(items(100), limit=60, metadataColumns={"ITEMS": ["TITLE"]})
    answer = await ask(client, NATIVE, asked)
    plain = await ask(await connect(campaigns=ORDINAL), NATIVE, native(items(100), limit=60))
    told = [{name: one[name] for name in ("itemId", "score")} for one in answer["personalizedRanking"]]
    assert told == plain["personalizedRanking"]
    assert [len(call.items) for call in ranker.calls[:3]] == [100, 50, 10]
    assert all(one["metadata"] == {"title": f"TITLE of {one['itemId']}"} for one in answer["personalizedRanking"])

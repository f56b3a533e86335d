"""`"pin": true` and `GET /v1/rankings/{rankingId}`: pages out of one ranking, whatever happens meanwhile."""

from typing import Any

import orjson
import pytest

from gateway.adapters.memory_values import MemoryValues
from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign
from gateway.web import rankings_api, rerank_api
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN, VALUES_BYTES_MAX
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import SetClock
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, Client, ask, ideal, items, native, order, send

COLUMNS = {"ITEMS": ["TITLE"]}


async def page(client: Client, ranking_id: str, query: str = "") -> tuple[int, dict[str, Any]]:
    """Status and body of a page."""
    response = await client.get(f"/v1/rankings/{ranking_id}{query}")
    return response.status, orjson.loads(await response.read())


async def test_pages_are_those_of_one_ranking(client: Client, ranker: SoftmaxRanker) -> None:
    """All pages together are the ranking that `/v1/rerank` gives in one, item by item and score by score, and cost no
    call; their shape is the same."""
    first = await ask(client, NATIVE, native(items(900), limit=48, pin=True))
    whole = await ask(client, NATIVE, native(items(900)))
    assert first["pinned"] is True
    assert "pinned" not in whole
    entries = first["personalizedRanking"]
    for offset in range(48, 960, 48):
        status, answer = await page(client, first["rankingId"], f"?offset={offset}&limit=48")
        assert status == 200
        assert answer.keys() == first.keys() - {"pinned"}
        for name in ("rankingId", "campaign", "variant", "total", "resolvedThrough", "degraded", "recommendationIds"):
            assert answer[name] == first[name]
        assert (answer["offset"], answer["limit"], answer["usage"]["upstreamCalls"]) == (offset, 48, 0)
        assert answer["usage"].keys() == first["usage"].keys()
        assert answer["timing"].keys() == first["timing"].keys()
        entries += answer["personalizedRanking"]
    assert entries == whole["personalizedRanking"]
    assert len(ranker.calls) == 2


async def test_without_a_query_it_is_the_whole_ranking(client: Client) -> None:
    """A page without limits is everything, as in `/v1/rerank`."""
    first = await ask(client, NATIVE, native(["zz", *items(20)], limit=1, pin=True))
    _, answer = await page(client, first["rankingId"])
    assert order(answer) == [*ideal(items(20)), "zz"]
    assert (answer["offset"], answer["limit"], answer["total"]) == (0, None, 21)


async def test_neither_events_nor_a_dead_campaign_move_a_page(connect: Connect) -> None:
    """An event kills the user's frames and upstream dies: a new ranking fails, the pinned one goes on."""
    dead = False
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("gone") if dead else None)
    client = await connect(ranker=ranker)
    first = await ask(client, NATIVE, native(items(100), limit=10, pin=True))
    dead = True
    assert (await client.delete(f"/v1/users/{USER}/frames")).status == 200
    assert (await send(client, NATIVE, native(items(100)))).status == 503
    status, answer = await page(client, first["rankingId"], "?offset=10&limit=10")
    assert (status, answer["degraded"]) == (200, None)
    assert order(answer) == ideal(items(100))[10:20]


async def test_410_after_its_time(connect: Connect) -> None:
    """A ranking is there until its time is up, and gone after that."""
    clock = SetClock()
    client = await connect(values=MemoryValues(clock, VALUES_BYTES_MAX), pin_s=30.0)
    ranking_id = (await ask(client, NATIVE, native(pin=True)))["rankingId"]
    clock.now_s = 29.0
    assert (await page(client, ranking_id))[0] == 200
    clock.now_s = 31.0
    status, body = await page(client, ranking_id)
    assert (status, body["type"]) == (410, "urn:rerank-gateway:problem:ranking-gone")
    assert ranking_id not in str(body)


async def test_404_for_what_never_was_pinned(client: Client) -> None:
    """Made-up ids and those of rankings that nobody pinned are unknown, not gone."""
    unpinned = (await ask(client, NATIVE, native()))["rankingId"]
    for ranking_id in (unpinned, "rk_" + "A" * 24, "x", "%00", "x" * 4_000):
        status, body = await page(client, ranking_id)
        assert (status, body["type"]) == (404, "urn:rerank-gateway:problem:no-such-ranking")


async def test_a_ranking_belongs_to_its_tenant(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tenant that knows the id is told that there is no such ranking; the owner still has it."""
    monkeypatch.setattr(rerank_api, "tenant_of", lambda _: "a")
    ranking_id = (await ask(client, NATIVE, native(pin=True)))["rankingId"]
    for tenant, expected in (("b", 404), ("", 404), ("a", 200)):
        monkeypatch.setattr(rankings_api, "tenant_of", lambda _, tenant=tenant: tenant)
        assert (await page(client, ranking_id))[0] == expected


async def test_a_store_that_is_away(connect: Connect) -> None:
    """Without a store the ranking is answered and says that it is not pinned; pages may be tried again later."""

    class Away:
        async def fetch(self, keys: Any) -> None:
            return None

        async def put(self, values: Any, keep_s: float) -> bool:
            return False

    known = (await ask(await connect(), NATIVE, native(pin=True)))["rankingId"]
    client = await connect(values=Away())
    answer = await ask(client, NATIVE, native(pin=True))
    assert (answer["pinned"], order(answer)) == (False, ideal(items(3)))
    assert (await page(client, answer["rankingId"]))[0] == 404
    response = await client.get(f"/v1/rankings/{known}")
    assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_metadata_of_later_pages(client: Client, ranker: SoftmaxRanker) -> None:
    """A later page has the columns of the first, for one call; it is asked for without user, context and filter, and
    what is cached of it is everybody's."""
    filter_arn = "arn:aws:personalize:us-east-1:000000000000:filter/f"
    asked = native(items(900), userId=USER, limit=10, metadataColumns=COLUMNS, context={"DEVICE": "tv"},
                   filterArn=filter_arn, filterValues={"A": '"x"'}, pin=True)  # fmt: skip
    first = await ask(client, NATIVE, asked)
    del ranker.calls[:]
    for calls in (1, 0):
        _, answer = await page(client, first["rankingId"], "?offset=10&limit=10")
        assert (answer["usage"]["upstreamCalls"], answer["degraded"]) == (calls, None)
        assert [one["metadata"] for one in answer["personalizedRanking"]] == [
            {"title": f"TITLE of {item}"} for item in ideal(items(900))[10:20]
        ]
    (call,) = ranker.calls
    subject = call.subject
    assert (subject.user_id, dict(subject.context), subject.filter_arn) == ("rerank-gateway", {}, None)
    assert call.metadata_columns == ("TITLE",)
    assert (await ask(client, NATIVE, asked | {"offset": 10, "pin": False}))["usage"]["upstreamCalls"] == 0


async def test_a_page_without_its_metadata_is_flagged(connect: Connect) -> None:
    """When upstream fails, the page is there, flagged; the ranking itself is not marred by it."""
    dead = False
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("gone") if dead else None)
    client = await connect(ranker=ranker)
    first = await ask(client, NATIVE, native(items(60), limit=10, metadataColumns=COLUMNS, pin=True))
    dead = True
    _, answer = await page(client, first["rankingId"], "?offset=20&limit=10")
    assert (answer["degraded"], order(answer)) == ("metadata", ideal(items(60))[20:30])
    dead = False
    _, answer = await page(client, first["rankingId"], "?offset=20&limit=10")
    assert answer["degraded"] is None


async def test_a_flag_for_missing_metadata_is_not_pinned(connect: Connect) -> None:
    """If the first page could not be described, later ones are judged by themselves."""
    dead = True
    no = SoftmaxRanker(
        lambda _: LOGITS, fails=lambda _, call: Unavailable("x") if dead and call.metadata_columns else None
    )
    client = await connect(ranker=no)
    first = await ask(client, NATIVE, native(items(60), limit=10, metadataColumns=COLUMNS, pin=True))
    assert (first["degraded"], first["pinned"]) == ("metadata", True)
    dead = False
    assert (await page(client, first["rankingId"], "?offset=20&limit=10"))[1]["degraded"] is None


async def test_pages_of_a_degraded_ranking_are_degraded(connect: Connect) -> None:
    """Later pages of a ranking with holes are flagged as its first one was, and tell the source of every item."""
    lost = SoftmaxRanker(lambda _: LOGITS, fails=lambda number, _: Unavailable("gone") if number else None)
    client = await connect(ranker=lost)
    first = await ask(client, NATIVE, native(items(700), pin=True))
    response = await client.get(f"/v1/rankings/{first['rankingId']}?offset=300")
    answer = await response.json()
    assert (answer["degraded"], response.headers["Gateway-Degraded"]) == ("upstream", "upstream")
    assert answer["personalizedRanking"] == first["personalizedRanking"][300:]
    assert answer["usage"]["unranked"] == first["usage"]["unranked"] > 0


async def test_pages_know_their_variant(connect: Connect) -> None:
    """A ranking of a variant is told as that variant's, and its metadata is asked of that variant."""
    arms = tuple(Campaign("demo", f"{ARN}-{name}", variant=name) for name in ("one", "two"))
    ranker = SoftmaxRanker(lambda _: LOGITS)
    client = await connect(ranker=ranker, campaigns={"demo": Campaign("demo", "", variants=arms)})
    first = await ask(client, NATIVE, native(items(60), limit=5, metadataColumns=COLUMNS, pin=True))
    _, answer = await page(client, first["rankingId"], "?offset=5&limit=5")
    assert answer["variant"] == first["variant"]
    assert ranker.calls[-1].metadata_columns
    assert ranker.calls[-1].arn == f"{ARN}-{first['variant']}"


async def test_an_empty_ranking_can_be_pinned(client: Client) -> None:
    """No items are no fault, at any offset."""
    ranking_id = (await ask(client, NATIVE, native([], pin=True)))["rankingId"]
    status, answer = await page(client, ranking_id, f"?offset={2**63 - 1}&limit={2**63 - 1}")
    assert (status, answer["personalizedRanking"], answer["total"]) == (200, [], 0)


async def test_no_user_in_ids_or_lines(client: Client, lines: list[Any]) -> None:
    """Neither id nor access lines name the user, and a page's line names its route and not its id."""
    ranking_id = (await ask(client, NATIVE, native(userId=USER, pin=True)))["rankingId"]
    await page(client, ranking_id)
    assert USER not in ranking_id + str(lines)
    assert lines[-1]["route"] == "/v1/rankings/{rankingId}"
    assert ranking_id not in str(lines)

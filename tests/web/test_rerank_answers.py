"""`POST /v1/rerank`: the members of an answer, and what each of them counts."""

import pytest

from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, Client, ask, ideal, items, native, order, send

MEMBERS = {
    "rankingId", "campaign", "variant", "personalizedRanking", "total", "offset", "limit", "resolvedThrough",
    "merge", "degraded", "recommendationIds", "usage", "timing",
}  # fmt: skip
USAGE = {"candidates", "cached", "unknown", "excluded", "unranked", "upstreamCalls", "retries", "hedges", "bridges"}
TIMING = {"totalMs", "cacheMs", "queueMs", "upstreamMs", "cpuMs"}


async def test_the_answer_has_the_documented_members(client: Client) -> None:
    """An answer has every documented member, and an entry is an id and a score and nothing else."""
    answer = await ask(client, NATIVE, native())
    assert answer.keys() == MEMBERS
    assert answer["usage"].keys() >= USAGE
    assert answer["timing"].keys() == TIMING
    assert all(one.keys() == {"itemId", "score"} for one in answer["personalizedRanking"])
    assert answer["rankingId"].startswith("rk_")
    assert (answer["campaign"], answer["variant"], answer["degraded"]) == ("demo", None, None)
    assert (answer["total"], answer["offset"], answer["limit"]) == (3, 0, None)
    assert answer["recommendationIds"] == ["RID-0"]


async def test_headers_of_an_answer(client: Client) -> None:
    """An answer says what it cost in headers, and no cache on the way may keep it."""
    response = await send(client, NATIVE, native())
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Gateway-Upstream-Calls"] == "1"
    assert [stage.split(";")[0] for stage in response.headers["Server-Timing"].split(", ")] == [
        "cache", "upstream", "cpu", "total",
    ]  # fmt: skip
    assert "Gateway-Degraded" not in response.headers
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "x-amzn-RequestId" not in response.headers


async def test_ranking_ids_differ(client: Client) -> None:
    """Two rankings never share an id, even of the same request."""
    first, again = await ask(client, NATIVE, native()), await ask(client, NATIVE, native())
    assert first["rankingId"] != again["rankingId"]


async def test_order_and_scores_are_those_of_one_call(client: Client) -> None:
    """Two calls' worth of candidates come in the order of one softmax, their scores falling and adding up to one."""
    answer = await ask(client, NATIVE, native(items(900)))
    scores = [one["score"] for one in answer["personalizedRanking"]]
    assert order(answer) == ideal(items(900))
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-9)
    assert answer["usage"]["upstreamCalls"] == 2


async def test_the_second_time_costs_nothing(client: Client) -> None:
    """A list that was ranked a moment ago is answered from its frame: same order, no call, all counted as cached."""
    first = await ask(client, NATIVE, native(items(600)))
    again = await ask(client, NATIVE, native(items(600)))
    assert order(again) == order(first)
    assert again["usage"]["upstreamCalls"] == 0
    assert again["usage"]["cached"] == 600


async def test_another_user_is_not_answered_from_this_users_frame(client: Client, ranker: SoftmaxRanker) -> None:
    """What was learnt for one user, context or filter never answers for another."""
    for members in (
        native(),
        native(userId=OTHER_USER),
        native(context={"DEVICE": "tv"}),
        native(filterArn="arn:aws:personalize:us-east-1:0:filter/f"),
        native(filterArn="arn:aws:personalize:us-east-1:0:filter/f", filterValues={"B": '"x"'}),
    ):
        assert (await ask(client, NATIVE, members))["usage"]["cached"] == 0
    assert len(ranker.calls) == 5


async def test_the_call_carries_what_was_asked(client: Client, ranker: SoftmaxRanker) -> None:
    """User, context, filter and filter values reach the campaign as the caller wrote them."""
    arn = "arn:aws:personalize:us-east-1:0:filter/f"
    await ask(client, NATIVE, native(context={"DEVICE": "mobile"}, filterArn=arn, filterValues={"BRAND": '"x","y"'}))
    subject = ranker.calls[0].subject
    assert (subject.user_id, subject.filter_arn) == (USER, arn)
    assert dict(subject.context) == {"DEVICE": "mobile"}
    assert dict(subject.filter_values) == {"BRAND": '"x","y"'}


async def test_filtered_items_are_left_out_and_counted(connect: Connect) -> None:
    """What the filter dropped is not in the ranking, and usage says how many that were."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, excluded=frozenset({"p1", "p2"})))
    answer = await ask(client, NATIVE, native(items(5), filterArn="arn:aws:personalize:us-east-1:0:filter/f"))
    assert set(order(answer)) == {"p0", "p3", "p4"}
    assert (answer["total"], answer["usage"]["excluded"]) == (3, 2)


async def test_a_lost_call_is_flagged(connect: Connect) -> None:
    """If one of two calls fails for good, its items follow at the end without a score, and body and header say so."""
    lost = SoftmaxRanker(lambda _: LOGITS, fails=lambda number, _: Unavailable("gone") if number else None)
    client = await connect(ranker=lost)
    response = await send(client, NATIVE, native(items(700)))
    answer = await response.json()
    scored = [("score" in one, one["source"]) for one in answer["personalizedRanking"]]
    kept = scored.count((True, "fresh"))
    assert 0 < kept < 700
    assert scored == [(True, "fresh")] * kept + [(False, "unranked")] * (700 - kept)
    assert sorted(order(answer)) == sorted(items(700))
    assert answer["usage"]["unranked"] == 700 - kept
    assert answer["degraded"] == response.headers["Gateway-Degraded"] == "upstream"


async def test_fallback_is_the_callers_order(connect: Connect) -> None:
    """With `fallback = "input-order"` a dead campaign gives the caller's own order, flagged, without scores."""
    dead = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("gone"))
    client = await connect(ranker=dead, campaigns={"demo": Campaign("demo", ARN, fallback="input-order")})
    answer = await ask(client, NATIVE, native())
    assert [dict(one) for one in answer["personalizedRanking"]] == [
        {"itemId": item, "source": "unranked"} for item in items(3)
    ]
    assert (answer["degraded"], answer["recommendationIds"], answer["resolvedThrough"]) == ("fallback", [], 0)

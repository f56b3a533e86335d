"""`GET /v1/campaigns`: how every campaign stands; and what variants look like from outside."""

from typing import Any

import pytest

from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign, variant_for
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, ask, items, native, send, wire

ARMS = tuple(Campaign("split", f"{ARN}-{name}", variant=name, weight=weight) for name, weight in (("a", 1), ("b", 3)))
SPLIT = Campaign("split", "", variants=ARMS)
CAMPAIGNS = {"demo": Campaign("demo", ARN, (f"{ARN}-2",), tps=50.0), "split": SPLIT}

POLICIES = {"name", "arn", "replicas", "concurrencyMin", "concurrencyMax", "tps", "fallback", "merge", "variants"}
STANDING = {"inFlight", "queue", "ratePerS", "budgetLeft", "latencyMs", "counts", "arns"}
LANE = {
    "arn", "breaker", "breakerOpened", "concurrencyLimit", "inFlight", "answered", "failed", "throttled", "timedOut",
    "overtaken",
}  # fmt: skip
COUNTS = {"calls", "retries", "hedges", "hedgesWon", "hedgesLost", "busy", "resting", "unaffordable"}


async def told(client: Client) -> dict[str, Any]:
    """What the route says of the campaigns, by their names."""
    response = await client.get("/v1/campaigns")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    body = await response.json()
    assert body.keys() == {"campaigns", "requests", "cache"}
    return {one["name"]: one for one in body["campaigns"]}


async def test_a_campaign_at_rest(connect: Connect) -> None:
    """Before any call every number is there: policies, limits, a full room, no latencies yet, and each ARN."""
    demo = (await told(await connect(campaigns=CAMPAIGNS)))["demo"]
    assert demo.keys() == POLICIES | STANDING
    assert (demo["arn"], demo["replicas"], demo["tps"], demo["variants"]) == (ARN, [f"{ARN}-2"], 50.0, [])
    assert (demo["inFlight"], demo["queue"], demo["ratePerS"], demo["budgetLeft"]) == (0, 0, 0.0, 1)
    assert demo["latencyMs"] is None
    assert demo["counts"] == dict.fromkeys(COUNTS, 0)
    assert [lane.keys() for lane in demo["arns"]] == [LANE, LANE]
    assert [(lane["arn"], lane["breaker"], lane["concurrencyLimit"]) for lane in demo["arns"]] == [
        (ARN, "closed", 100),
        (f"{ARN}-2", "closed", 100),
    ]


async def test_a_campaign_with_variants(connect: Connect) -> None:
    """A campaign with variants has no ARN; each of its variants has a weight and stands for itself."""
    split = (await told(await connect(campaigns=CAMPAIGNS)))["split"]
    assert split.keys() == POLICIES
    assert split["arn"] is None
    assert [(one["name"], one["weight"], one["arn"]) for one in split["variants"]] == [
        ("a", 1, f"{ARN}-a"),
        ("b", 3, f"{ARN}-b"),
    ]
    assert all(one.keys() == {"name", "weight", "arn"} | STANDING for one in split["variants"])


async def test_calls_are_counted(connect: Connect) -> None:
    """Calls, their rate and their latencies are told, and stand with the ARN that they went to."""
    client = await connect(campaigns=CAMPAIGNS)
    for user in range(12):
        await ask(client, NATIVE, native(items(900), userId=f"u-{user}"))
    demo = (await told(client))["demo"]
    assert demo["counts"]["calls"] == 24
    assert demo["ratePerS"] >= 2.4
    assert demo["latencyMs"].keys() == {"p50", "p95", "p99"}
    assert [lane["answered"] for lane in demo["arns"]] == [12, 12]


async def test_an_outage_is_told(connect: Connect) -> None:
    """An open breaker, failures and calls that were not made are told; the route itself goes on answering."""
    failing = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("gone"))
    client = await connect(ranker=failing, campaigns={"demo": Campaign("demo", ARN)})
    for user in range(30):
        await send(client, NATIVE, native(userId=f"u-{user}"))
    demo = (await told(client))["demo"]
    (lane,) = demo["arns"]
    assert (lane["breaker"], lane["breakerOpened"]) == ("open", 1)
    assert lane["failed"] == len(failing.calls) >= 20
    assert demo["counts"]["resting"] > 0


async def test_without_configuration_there_is_nothing_to_tell(connect: Connect) -> None:
    """Where no campaign is configured, none is listed."""
    assert await told(await connect(campaigns={})) == {}


def users(variant: str, count: int = 3) -> list[str]:
    """Users of a variant."""
    return [user for user in map(str, range(200)) if variant_for(SPLIT, user).variant == variant][:count]


@pytest.mark.parametrize("variant", ["a", "b"])
async def test_the_variant_is_told(connect: Connect, ranker: SoftmaxRanker, variant: str) -> None:
    """Both APIs say in a header which variant answered, the native one in its body too; calls go to its ARN."""
    client = await connect(campaigns=CAMPAIGNS)
    for user in users(variant):
        response = await send(client, NATIVE, native(campaign="split", userId=user))
        assert (await response.json())["variant"] == response.headers["Gateway-Variant"] == variant
        response = await send(client, WIRE, wire(campaignArn="split", userId=user))
        assert response.headers["Gateway-Variant"] == variant
        assert (await response.json()).keys() == {"personalizedRanking", "recommendationId"}
    assert {call.arn for call in ranker.calls} == {f"{ARN}-{variant}"}
    assert len(ranker.calls) == 3


@pytest.mark.parametrize("path", [NATIVE, WIRE])
async def test_no_variant_no_header(client: Client, path: str) -> None:
    """A campaign without variants says nothing about any."""
    response = await send(client, path, native() if path == NATIVE else wire())
    assert "Gateway-Variant" not in response.headers


async def test_frames_of_variants_are_apart(connect: Connect, ranker: SoftmaxRanker) -> None:
    """A user who is shown another variant, by its ARN, is not answered from the frame of the first one."""
    client = await connect(campaigns=CAMPAIGNS)
    (user,) = users("a", 1)
    for campaign, variant, cached in (("split", "a", 0), (f"{ARN}-b", "b", 0), (f"{ARN}-a", "a", 3)):
        answer = await ask(client, NATIVE, native(campaign=campaign, userId=user))
        assert (answer["variant"], answer["usage"]["cached"]) == (variant, cached)
    assert [call.arn for call in ranker.calls] == [f"{ARN}-a", f"{ARN}-b"]


async def test_the_line_of_a_request_names_its_variant(connect: Connect, lines: list[Any]) -> None:
    """The access line says which variant answered, so experiments can be told apart in logs."""
    client = await connect(campaigns=CAMPAIGNS)
    await ask(client, NATIVE, native(campaign="split", userId=users("b", 1)[0]))
    assert (lines[-1]["campaign"], lines[-1]["variant"]) == ("split", "b")

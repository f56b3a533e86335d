"""Tenants apart: every tenant by every campaign, tracker and user gets what is its own, and nothing of another's.

The matrix stands as data; what a later route gives out under a name is one more column, as pinned rankings are.
"""

import asyncio
from itertools import product
from typing import Any

import pytest

from gateway.adapters.memory_values import MemoryValues
from gateway.core.routing import Campaign
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import VALUES_BYTES_MAX, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import NATIVE, WIRE, Client, items, native, send, wire

PREFIX = "arn:aws:personalize:us-east-1:000000000000:campaign/"
CAMPAIGNS = {name: Campaign(name, f"{PREFIX}{name}") for name in ("home", "deals", "secret")}

RIGHTS: dict[str, dict[str, Any]] = {
    "shop": {"campaigns": ["home", "deals"], "trackers": ["tracker-shop"]},
    "app": {"campaigns": ["deals"]},
}
"""Nobody may call `secret`; `app` may write to no tracker."""

USERS = (USER, OTHER_USER)
TENANTS = auth("keys", **{name: tenant(name, **rights) for name, rights in RIGHTS.items()})
EVENT = [{"eventType": "click", "sentAt": 1_800_000_000, "itemId": "p1"}]


def events(tracker: str, user: str) -> dict[str, Any]:
    """The members of PutEvents."""
    return {"trackingId": tracker, "userId": user, "sessionId": "s-1", "eventList": EVENT}


@pytest.fixture
async def shared(connect: Connect) -> Client:
    """A gateway of two tenants with three campaigns."""
    return await connect(auth=TENANTS, campaigns=CAMPAIGNS)


@pytest.mark.parametrize(("name", "campaign"), [*product(RIGHTS, [*CAMPAIGNS, "nowhere"])])
@pytest.mark.parametrize("by_arn", [False, True])
async def test_campaigns(shared: Client, ranker: SoftmaxRanker, name: str, campaign: str, by_arn: bool) -> None:
    """A tenant may call its own campaigns, by name or ARN; all others are 403 alike, whether they exist or not."""
    reference = f"{PREFIX}{campaign}" if by_arn else campaign
    allowed = campaign in RIGHTS[name]["campaigns"]
    response = await send(shared, NATIVE, native(campaign=reference), **bearer(name))
    assert response.status == (200 if allowed else 403)
    told = await response.json(content_type=None)
    if not allowed:
        assert told.pop("instance")
        assert told == {
            "type": "urn:rerank-gateway:problem:not-allowed",
            "title": "The caller may not do this",
            "status": 403,
            "detail": "this campaign may not be called in this name",
        }
    response = await send(shared, WIRE, wire(campaignArn=reference), **bearer(name))
    assert response.headers.get("x-amzn-ErrorType") == (None if allowed else "AccessDeniedException")
    assert {call.arn for call in ranker.calls} == ({f"{PREFIX}{campaign}"} if allowed else set())


@pytest.mark.parametrize("path", ["/recommendations", "/action-recommendations"])
@pytest.mark.parametrize(("name", "campaign"), [*product(RIGHTS, [*CAMPAIGNS, "nowhere"])])
async def test_questions(connect: Connect, path: str, name: str, campaign: str) -> None:
    """A tenant may ask its own campaigns alone, by name or ARN; for all others nothing is asked upstream."""
    ranker = ListingRanker()
    client = await connect(auth=TENANTS, campaigns=CAMPAIGNS, ranker=ranker)
    for owner, rights in RIGHTS.items():
        for one in rights["campaigns"]:
            await send(client, path, {"campaignArn": one, "userId": USER}, **bearer(owner))
    others = [one for one in ranker.asked if one[1].subject.tenant != name]
    for reference in (campaign, f"{PREFIX}{campaign}"):
        response = await send(client, path, {"campaignArn": reference, "userId": OTHER_USER}, **bearer(name))
        allowed = campaign in RIGHTS[name]["campaigns"]
        assert response.status == (200 if allowed else 403)
        assert response.headers.get("x-amzn-ErrorType") == (None if allowed else "AccessDeniedException")
    assert [one for one in ranker.asked if one[1].subject.tenant != name] == others
    asked = [arn for arn, question in ranker.asked if question.subject.user_id == OTHER_USER]
    assert set(asked) == ({f"{PREFIX}{campaign}"} if campaign in RIGHTS[name]["campaigns"] else set())


@pytest.mark.parametrize("name", RIGHTS)
async def test_the_list_of_campaigns(shared: Client, name: str) -> None:
    """A tenant is told of its own campaigns, and nothing of what all of them do together."""
    response = await shared.get("/v1/campaigns", headers=bearer(name))
    body = await response.json()
    assert {one["name"] for one in body.pop("campaigns")} == set(RIGHTS[name]["campaigns"])
    assert body == {}


@pytest.mark.parametrize(("name", "tracker"), [*product(RIGHTS, ["tracker-shop", "tracker-app", "other"])])
async def test_trackers(connect: Connect, name: str, tracker: str) -> None:
    """A tenant may write events to its own trackers alone."""
    sink = ListSink()
    client = await connect(auth=TENANTS, campaigns=CAMPAIGNS, sink=sink)
    allowed = tracker in RIGHTS[name].get("trackers", ())
    response = await send(client, "/v1/events", events(tracker, USER), **bearer(name))
    assert response.status == (200 if allowed else 403)
    response = await send(client, "/events", events(tracker, USER), **bearer(name))
    assert response.headers.get("x-amzn-ErrorType") == (None if allowed else "AccessDeniedException")
    assert len(sink.events) == 2 * allowed


async def usage(client: Client, name: str, user: str, campaign: str = "deals") -> dict[str, int]:
    """What a ranking of a tenant's user cost."""
    response = await send(client, NATIVE, native(items(20), campaign=campaign, userId=user), **bearer(name))
    assert response.status == 200
    answer: dict[str, Any] = await response.json(content_type=None)
    used: dict[str, int] = answer["usage"]
    return used


async def test_frames_are_each_tenants_own(shared: Client) -> None:
    """What one tenant's ranking taught answers nobody else's, by the same campaign, user and list."""
    for name, user in product(RIGHTS, USERS):
        assert (await usage(shared, name, user))["cached"] == 0, (name, user)
    for name, user in product(RIGHTS, USERS):
        used = await usage(shared, name, user)
        assert (used["cached"], used["upstreamCalls"]) == (20, 0), (name, user)


@pytest.mark.parametrize(("name", "user"), [*product(RIGHTS, USERS)])
@pytest.mark.parametrize("how", ["DELETE", "event"])
async def test_epochs_are_each_tenants_own(shared: Client, name: str, user: str, how: str) -> None:
    """An event or a deletion kills the frames of that tenant's user, and of nobody else."""
    pairs = list(product(RIGHTS, USERS))
    for pair in pairs:
        await usage(shared, *pair)
    if how == "DELETE":
        assert (await shared.delete(f"/v1/users/{user}/frames", headers=bearer(name))).status == 200
    else:
        response = await send(shared, "/v1/events", events("tracker-shop", user), **bearer(name))
        assert response.status == (200 if name == "shop" else 403)
    killed = {(name, user)} if how == "DELETE" or name == "shop" else set()
    for pair in pairs:
        assert ((await usage(shared, *pair))["cached"] == 0) == (pair in killed), pair


async def test_nobody_rides_on_another_tenants_calls(connect: Connect) -> None:
    """Two tenants ask the same at once: each has calls of its own, though equal requests of one tenant share them."""
    held = Held()
    client = await connect(auth=TENANTS, campaigns=CAMPAIGNS, ranker=held)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for name in RIGHTS:
            group.create_task(usage(client, name, USER))
            await held.begun.acquire()
        held.let_go.set()
    assert len(held.calls) == 2


async def test_one_tenant_cannot_take_all_places(connect: Connect) -> None:
    """A tenant that fills the gateway leaves room for another; what it is refused is told as its own limit."""
    held = Held()
    client = await connect(auth=TENANTS, campaigns=CAMPAIGNS, ranker=held, server={"max_inflight": 8})
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        greedy = [group.create_task(usage(client, "shop", f"u-{n}")) for n in range(7)]
        for _ in greedy:
            await held.begun.acquire()
        response = await send(client, WIRE, wire(campaignArn="deals"), **bearer("shop"))
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (429, "ThrottlingException")
        assert response.headers["Retry-After"] == "1"
        modest = group.create_task(usage(client, "app", USER))
        await held.begun.acquire()
        assert (await send(client, NATIVE, native(campaign="deals"), **bearer("app"))).status == 503
        held.let_go.set()
    assert modest.result()["candidates"] == 20


async def test_rates_are_each_tenants_own(connect: Connect) -> None:
    """Beyond its rate a tenant gets 429 and when to come back, on both APIs; another tenant does not notice."""
    slow = auth("keys", shop=tenant("shop", rate_per_s=0.25), app=tenant("app"))
    client = await connect(auth=slow)
    assert (await send(client, NATIVE, native(), **bearer("shop"))).status == 200
    response = await send(client, NATIVE, native(), **bearer("shop"))
    assert (response.status, response.headers["Retry-After"]) == (429, "4")
    response = await send(client, WIRE, wire(), **bearer("shop"))
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (429, "ThrottlingException")
    assert (await send(client, NATIVE, native(), **bearer("app"))).status == 200


async def test_an_own_limit_of_places(connect: Connect) -> None:
    """`inflight_max` bounds a tenant where there is room left."""
    held = Held()
    client = await connect(auth=auth("keys", app=tenant("app", inflight_max=1)), ranker=held)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        first = group.create_task(send(client, NATIVE, native(), **bearer("app")))
        await held.begun.acquire()
        assert (await send(client, NATIVE, native(), **bearer("app"))).status == 429
        held.let_go.set()
    assert first.result().status == 200


SHELVES = "/v1/rerank/shelves"
OWNERS = [(name, campaign, user) for name in RIGHTS for campaign in RIGHTS[name]["campaigns"] for user in USERS]
"""Every tenant by the campaigns that it may call, by every user."""


def shelved(campaign: str, user: str) -> dict[str, Any]:
    """A request for two shelves."""
    return {"campaign": campaign, "userId": user, "shelves": {"a": items(20), "b": items(10)}}


async def pinned(client: Client, name: str, campaign: str, user: str) -> str:
    """The id of a ranking that a tenant pinned."""
    members = native(items(20), campaign=campaign, userId=user, limit=5, pin=True)
    response = await send(client, NATIVE, members, **bearer(name))
    answer = await response.json(content_type=None)
    assert (response.status, answer["pinned"]) == (200, True)
    ranking_id: str = answer["rankingId"]
    return ranking_id


async def test_pins_are_each_tenants_own(shared: Client, ranker: SoftmaxRanker) -> None:
    """Every ranking pinned by a tenant, campaign and user can be read by that tenant; whoever else knows its id hears
    what is heard of an id that never was, and nothing is asked upstream for it."""
    pins = {owner: await pinned(shared, *owner) for owner in OWNERS}
    assert len(set(pins.values())) == len(OWNERS)
    told = {}
    calls = len(ranker.calls)
    for (owner, campaign, user), name in product(OWNERS, RIGHTS):
        path = f"/v1/rankings/{pins[owner, campaign, user]}?offset=5&limit=5"
        response = await shared.get(path, headers=bearer(name))
        body = await response.json(content_type=None)
        assert response.status == (200 if name == owner else 404), (owner, campaign, user, name)
        assert body.get("campaign") == (campaign if name == owner else None)
        if name != owner:
            assert body.pop("instance")
            told[str(body)] = body
    never = await shared.get("/v1/rankings/rk_" + "A" * 24, headers=bearer("app"))
    body = await never.json(content_type=None)
    assert body.pop("instance")
    assert list(told.values()) == [body]
    assert (await shared.get(f"/v1/rankings/{pins[OWNERS[0]]}")).status == 401
    assert len(ranker.calls) == calls


async def test_a_pin_ends_with_the_right_to_its_campaign(connect: Connect) -> None:
    """A tenant that has lost a campaign reads no ranking of it any more, and still those of what it kept."""
    values = MemoryValues(lambda: 0.0, VALUES_BYTES_MAX)
    before = await connect(auth=TENANTS, campaigns=CAMPAIGNS, values=values)
    pins = {campaign: await pinned(before, "shop", campaign, USER) for campaign in ("home", "deals")}
    less = auth("keys", shop=tenant("shop", campaigns=["deals"]))
    after = await connect(auth=less, campaigns=CAMPAIGNS, values=values)
    for campaign, status in (("home", 403), ("deals", 200)):
        assert (await after.get(f"/v1/rankings/{pins[campaign]}", headers=bearer("shop"))).status == status


@pytest.mark.parametrize(("name", "campaign"), [*product(RIGHTS, [*CAMPAIGNS, "nowhere"])])
async def test_shelves(shared: Client, ranker: SoftmaxRanker, name: str, campaign: str) -> None:
    """Shelves are ranked by a tenant's own campaigns alone; all others are 403, whether they exist or not."""
    allowed = campaign in RIGHTS[name]["campaigns"]
    response = await send(shared, SHELVES, shelved(campaign, USER), **bearer(name))
    assert response.status == (200 if allowed else 403)
    assert {call.arn for call in ranker.calls} == ({f"{PREFIX}{campaign}"} if allowed else set())


async def test_shelves_are_each_tenants_own(shared: Client) -> None:
    """What shelves of one tenant's user taught answers neither another user's nor another tenant's."""
    for cached in (0, 20):
        for name, campaign, user in OWNERS:
            response = await send(shared, SHELVES, shelved(campaign, user), **bearer(name))
            told = await response.json(content_type=None)
            assert told["usage"]["cached"] == cached, (name, campaign, user)


async def test_metadata_is_each_tenants_own(shared: Client) -> None:
    """Metadata is cached for all users of a tenant's campaign, and for nobody else."""
    for name in RIGHTS:
        for user, calls in ((USER, 1), (OTHER_USER, 1), (USER, 0)):
            members = native(items(20), campaign="deals", userId=user, metadataColumns={"ITEMS": ["TITLE"]})
            answer = await (await send(shared, NATIVE, members, **bearer(name))).json(content_type=None)
            assert answer["usage"]["upstreamCalls"] == calls, (name, user)


async def test_the_description_is_open(shared: Client) -> None:
    """What describes the gateway asks nobody who they are; everything that it describes does."""
    for path in ("/openapi.json", "/docs"):
        assert (await shared.get(path)).status == 200
    assert (await shared.get("/docs/nothing")).status == 404
    for path in ("/v1/campaigns", "/v1/rankings/x"):
        assert (await shared.get(path)).status == 401

"""Tenants apart: what one of them was told is kept for nobody else, by whatever campaign, user and list."""

import asyncio
from itertools import product

import pytest

from tests.support.canaries import OTHER_USER, USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.keys import bearer
from tests.web.parts import NATIVE, SHELVES, Client, items, native, send
from tests.web.tenants import CAMPAIGNS, OWNERS, RIGHTS, TENANTS, USERS, events, pinned, shelved, usage


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

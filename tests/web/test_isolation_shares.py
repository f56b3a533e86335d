"""Tenants apart: what one of them takes of the gateway, in places and in requests a second, leaves room for others."""

import asyncio

from tests.support.canaries import USER
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import NATIVE, WIRE, native, send, wire
from tests.web.tenants import CAMPAIGNS, TENANTS, usage


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

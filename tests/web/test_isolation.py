"""Tenants apart: every tenant may use what its rights name, and nothing else, on every route.

The matrix stands as data (`tenants`); what a later route gives out under a name is one more column, as pinned rankings
are.
"""

from itertools import product

import pytest

from gateway.adapters.memory_values import MemoryValues
from gateway.core.routing import Campaign
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import VALUES_BYTES_MAX, ListSink
from tests.support.listing_ranker import ListingRanker
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import NATIVE, SHELVES, WIRE, Client, native, send, wire
from tests.web.tenants import CAMPAIGNS, PREFIX, RIGHTS, TENANTS, events, pinned, shelved


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


@pytest.mark.parametrize(("name", "campaign"), [*product(RIGHTS, [*CAMPAIGNS, "nowhere"])])
async def test_shelves(shared: Client, ranker: SoftmaxRanker, name: str, campaign: str) -> None:
    """Shelves are ranked by a tenant's own campaigns alone; all others are 403, whether they exist or not."""
    allowed = campaign in RIGHTS[name]["campaigns"]
    response = await send(shared, SHELVES, shelved(campaign, USER), **bearer(name))
    assert response.status == (200 if allowed else 403)
    assert {call.arn for call in ranker.calls} == ({f"{PREFIX}{campaign}"} if allowed else set())


async def test_one_arn_under_two_names(connect: Connect) -> None:
    """Where two campaigns share an ARN, a tenant that may call the second by name may call it by the ARN as well."""
    shared = {name: Campaign(name, f"{PREFIX}home") for name in ("home", "deals")}
    client = await connect(auth=TENANTS, campaigns=shared)
    for path, members in ((NATIVE, native(campaign=f"{PREFIX}home")), (WIRE, wire(campaignArn=f"{PREFIX}home"))):
        assert (await send(client, path, members, **bearer("app"))).status == 200


async def test_a_pin_ends_with_the_right_to_its_campaign(connect: Connect) -> None:
    """A tenant that has lost a campaign reads no ranking of it any more, and still those of what it kept."""
    values = MemoryValues(lambda: 0.0, VALUES_BYTES_MAX)
    before = await connect(auth=TENANTS, campaigns=CAMPAIGNS, values=values)
    pins = {campaign: await pinned(before, "shop", campaign, USER) for campaign in ("home", "deals")}
    less = auth("keys", shop=tenant("shop", campaigns=["deals"]))
    after = await connect(auth=less, campaigns=CAMPAIGNS, values=values)
    for campaign, status in (("home", 403), ("deals", 200)):
        assert (await after.get(f"/v1/rankings/{pins[campaign]}", headers=bearer("shop"))).status == status


async def test_the_description_is_open(shared: Client) -> None:
    """What describes the gateway asks nobody who they are; everything that it describes does."""
    for path in ("/openapi.json", "/docs"):
        assert (await shared.get(path)).status == 200
    assert (await shared.get("/docs/nothing")).status == 404
    for path in ("/v1/campaigns", "/v1/rankings/x"):
        assert (await shared.get(path)).status == 401

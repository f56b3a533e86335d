"""Two tenants and what they may do, as data; and what they do, for tests that hold the one against the other."""

from typing import Any

from gateway.core.routing import Campaign
from tests.support.canaries import OTHER_USER, USER
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import NATIVE, Client, items, native, send

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

OWNERS = [(name, campaign, user) for name in RIGHTS for campaign in RIGHTS[name]["campaigns"] for user in USERS]
"""Every tenant by the campaigns that it may call, by every user."""


def events(tracker: str, user: str) -> dict[str, Any]:
    """The members of PutEvents."""
    return {"trackingId": tracker, "userId": user, "sessionId": "s-1", "eventList": EVENT}


async def usage(client: Client, name: str, user: str, campaign: str = "deals") -> dict[str, int]:
    """What a ranking of a tenant's user cost."""
    response = await send(client, NATIVE, native(items(20), campaign=campaign, userId=user), **bearer(name))
    assert response.status == 200
    answer: dict[str, Any] = await response.json(content_type=None)
    used: dict[str, int] = answer["usage"]
    return used


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

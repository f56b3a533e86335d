"""What both APIs do with a decoded request: name the campaign, set the deadline, rank.

The deadline is absolute and counts from the arrival of the request's head, so reading and decoding the body are in it.
"""

from typing import Any

from aiohttp import web

from gateway.core.budget import Budget
from gateway.core.errors import UnknownResource
from gateway.core.model import Subject
from gateway.core.routing import Campaign, resolve, variant_for
from gateway.core.tenants import Tenant
from gateway.service.result import Columns, Request, Result
from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.crowd import Crowd
from gateway.web.members import SubjectMembers
from gateway.web.problems import NotAllowed

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
CROWD: web.AppKey[Crowd] = web.AppKey("crowd", Crowd)
SERVER: web.AppKey[ServerSettings] = web.AppKey("server", ServerSettings)

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
ARRIVED_S: web.RequestKey[float] = web.RequestKey("arrived_s", float)
"""Where a request carries its time of arrival, seconds of the loop's clock."""

BEGAN_S: web.RequestKey[float] = web.RequestKey("began_s", float)
"""The same moment by the stopwatch, which is finer: the loop's clock moves in milliseconds."""

RANKED_S: web.RequestKey[float] = web.RequestKey("ranked_s", float)
"""When its ranking stood, by the stopwatch; only for requests that were ranked."""

CALLER: web.RequestKey[Tenant] = web.RequestKey("caller", Tenant)
"""Where a request carries in whose name it is made."""

FACTS: web.RequestKey[dict[str, Any]] = web.RequestKey("facts", dict)
"""Where a request carries what its access line will say beside status and time."""


def callable_campaign(http: web.Request, reference: str) -> Campaign:
    """The campaign that the caller means, if it may call it.

    Errors are those of `routing.resolve`, and `NotAllowed`: the answer to a tenant whose campaigns are limited for all
    others, whether they exist or not.
    """
    tenant = http[CALLER]
    try:
        campaign = resolve(reference, http.app[SERVICE].campaigns)
    except UnknownResource:
        if tenant.campaigns is None:
            raise
    else:
        if tenant.may_call(campaign.name):
            return campaign
    raise NotAllowed("this campaign may not be called in this name")


def name_campaign(http: web.Request, campaign: Campaign) -> None:
    """Let the access line say which campaign it was: by its name, for an ARN is whatever a caller makes of it."""
    named = http.app[SERVICE].traffic.named(campaign.name)
    http[FACTS].update(campaign=named, variant=campaign.variant or None)


def request_for(
    http: web.Request,
    reference: str,
    members: SubjectMembers,
    items: list[str],
    deadline_ms: int | None,
    *,
    page_end: int | None = None,
) -> Request:
    """The ranking that the members ask for; the caller will see the first `page_end`, None: all.

    Errors are those of `callable_campaign`.
    """
    campaign = variant_for(callable_campaign(http, reference), members.user_id)
    name_campaign(http, campaign)
    duration_s = (deadline_ms or http.app[SERVER].deadline_ms) / 1e3
    return Request(
        campaign=campaign,
        subject=Subject(
            tenant=tenant_of(http),
            campaign=campaign.name,
            user_id=members.user_id,
            context=members.context or {},
            filter_arn=members.filter_arn,
            filter_values=members.filter_values or {},
            variant=campaign.variant,
        ),
        items=items,
        budget=Budget.of(http[ARRIVED_S], duration_s, len(items)),
        columns=Columns(members.columns),
        page_end=page_end,
    )


def tenant_of(http: web.Request) -> str:
    """In whose name a request is made; everybody's is the same where nobody is asked."""
    return http[CALLER].name


def count(http: web.Request, campaign: str, result: Result) -> None:
    """Count a ranking that was made, and note it; from here on its answer is encoded."""
    service = http.app[SERVICE]
    service.traffic.ranked(campaign, result.usage, result.timing, result.degraded or "")
    http[RANKED_S] = service.clock.stopwatch_s()
    note(http, result)


def note(http: web.Request, result: Result) -> None:
    """What the access line says of a ranking."""
    timing = result.timing
    http[FACTS].update(
        candidates=result.usage.candidates,
        cached=result.usage.cached,
        upstream_calls=result.usage.upstream_calls,
        retries=result.usage.retries,
        hedges=result.usage.hedges,
        bridges=result.usage.bridges,
        unranked=result.usage.unranked or None,
        degraded=result.degraded,
        cache_ms=round(1e3 * timing.cache_s, 2),
        queue_ms=round(1e3 * timing.queue_s, 2),
        upstream_ms=round(1e3 * timing.upstream_s, 2),
    )

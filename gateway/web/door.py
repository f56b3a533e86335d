"""What both APIs do with a decoded request: name the campaign, set the deadline, rank.

The deadline is absolute and counts from the arrival of the request's head, so reading and decoding the body are in it.
"""

from aiohttp import web

from gateway.core.budget import Budget
from gateway.core.errors import InvalidInput, UnknownResource
from gateway.core.model import Subject
from gateway.core.routing import Campaign, resolve, variant_for
from gateway.service.result import Columns, Request, Result
from gateway.service.service import Service
from gateway.web.crowd import Crowd
from gateway.web.faults import BadMembers, Fault
from gateway.web.members import SubjectMembers
from gateway.web.milliseconds import milliseconds
from gateway.web.problems import NotAllowed
from gateway.web.visit import Visit

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
CROWD: web.AppKey[Crowd] = web.AppKey("crowd", Crowd)


def callable_campaign(visit: Visit, member: str, reference: str) -> Campaign:
    """The campaign that the caller means by a member of its request, if it may call it.

    Raises `BadMembers` for what is neither name nor ARN, `UnknownResource`, or `NotAllowed`: the answer to a tenant
    whose campaigns are limited for all others, whether they exist or not.
    """
    tenant = visit.caller
    try:
        return resolve(reference, visit.service.campaigns, tenant.may_call)
    except InvalidInput as error:
        raise BadMembers([Fault(f"/{member}", str(error))]) from None
    except UnknownResource:
        if tenant.campaigns is None:
            raise
    raise NotAllowed("this campaign may not be called in this name")


def name_campaign(visit: Visit, campaign: Campaign) -> None:
    """Let the access line say which campaign it was: by its name, for an ARN is whatever a caller makes of it."""
    visit.facts["campaign"] = visit.service.traffic.named(campaign.name)
    if campaign.variant:
        visit.facts["variant"] = campaign.variant


def request_for(
    visit: Visit,
    member: str,
    reference: str,
    members: SubjectMembers,
    items: list[str],
    deadline_ms: int | None,
    *,
    page_end: int | None = None,
) -> Request:
    """The ranking that the members ask for; `member` is the one that names the campaign. The caller will see the first
    `page_end`, None: all.

    Errors are those of `callable_campaign`.
    """
    campaign = variant_for(callable_campaign(visit, member, reference), members.user_id)
    name_campaign(visit, campaign)
    duration_s = (deadline_ms or visit.server.deadline_ms) / 1e3
    return Request(
        campaign=campaign,
        subject=Subject(
            tenant=tenant_of(visit),
            campaign=campaign.name,
            user_id=members.user_id,
            context=members.context or {},
            filter_arn=members.filter_arn,
            filter_values=members.filter_values or {},
            variant=campaign.variant,
        ),
        items=items,
        budget=Budget.of(visit.arrived_s, duration_s, len(items)),
        columns=Columns(members.columns),
        page_end=page_end,
    )


def tenant_of(visit: Visit) -> str:
    """In whose name a request is made; everybody's is the same where nobody is asked."""
    return visit.caller.name


def count(visit: Visit, campaign: str, result: Result) -> None:
    """Count a ranking that was made, and note it; from here on its answer is encoded."""
    service = visit.service
    service.traffic.ranked(campaign, result.usage, result.timing, result.degraded or "")
    visit.ranked_s = service.clock.stopwatch_s()
    note(visit, result)


def note(visit: Visit, result: Result) -> None:
    """What the access line says of a ranking."""
    usage, timing = result.usage, result.timing
    visit.facts.update(
        candidates=usage.candidates,
        cached=usage.cached,
        upstream_calls=usage.upstream_calls,
        retries=usage.retries,
        hedges=usage.hedges,
        bridges=usage.bridges,
        cache_ms=milliseconds(timing.cache_s),
        queue_ms=milliseconds(timing.queue_s),
        upstream_ms=milliseconds(timing.upstream_s),
    )
    if usage.unranked:
        visit.facts["unranked"] = usage.unranked
    if result.degraded is not None:
        visit.facts["degraded"] = result.degraded

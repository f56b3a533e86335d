"""What both APIs do with a decoded request: name the campaign, set the deadline, rank.

The deadline is absolute and counts from the arrival of the request's head, so reading and decoding the body are in it.
"""

from typing import Any

from aiohttp import web

from gateway.core.budget import Budget
from gateway.core.model import Subject
from gateway.core.routing import resolve, variant_for
from gateway.service.result import Columns, Request, Result
from gateway.service.service import Service
from gateway.settings import ServerSettings
from gateway.web.crowd import Crowd
from gateway.web.members import SubjectMembers

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
CROWD: web.AppKey[Crowd] = web.AppKey("crowd", Crowd)
SERVER: web.AppKey[ServerSettings] = web.AppKey("server", ServerSettings)

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
ARRIVED_S: web.RequestKey[float] = web.RequestKey("arrived_s", float)
"""Where a request carries its time of arrival, seconds of the loop's clock."""

BEGAN_S: web.RequestKey[float] = web.RequestKey("began_s", float)
"""The same moment by the stopwatch, which is finer: the loop's clock moves in milliseconds."""

FACTS: web.RequestKey[dict[str, Any]] = web.RequestKey("facts", dict)
"""Where a request carries what its access line will say beside status and time."""


def request_for(
    http: web.Request, reference: str, members: SubjectMembers, items: list[str], deadline_ms: int | None
) -> Request:
    """The ranking that the members ask for. Errors are those of `routing.resolve`."""
    campaign = variant_for(resolve(reference, http.app[SERVICE].campaigns), members.user_id)
    http[FACTS].update(campaign=campaign.name, variant=campaign.variant or None)
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
    )


def tenant_of(_: web.Request) -> str:
    """In whose name a request is made; everybody's is the same as long as nobody is asked."""
    return ""


def note(http: web.Request, result: Result) -> None:
    """What the access line says of a ranking."""
    http[FACTS].update(
        candidates=result.usage.candidates,
        cached=result.usage.cached,
        upstream_calls=result.usage.upstream_calls,
        retries=result.usage.retries,
        hedges=result.usage.hedges,
        bridges=result.usage.bridges,
        degraded=result.degraded,
    )

"""`GET /v1/rankings/{rankingId}`: a page of a ranking that was pinned, in the shape of `POST /v1/rerank`."""

from dataclasses import replace

from aiohttp import web

from gateway.core.budget import Budget
from gateway.core.errors import UnknownResource
from gateway.core.routing import Campaign
from gateway.service.described import page_of
from gateway.service.metadata import Known
from gateway.service.pins import Pinned, describe_pinned
from gateway.service.result import Cost, Degraded, Result
from gateway.web.door import callable_campaign, note, tenant_of
from gateway.web.entries import told_entries
from gateway.web.faults import BadMembers
from gateway.web.members import PageRequest
from gateway.web.query import decode_query
from gateway.web.rerank_api import Page, answer
from gateway.web.visit import VISIT, Visit

RANKING = "/v1/rankings/{rankingId}"


async def ranking_page(http: web.Request) -> web.Response:
    """A page. Errors are those of `Pins.read`, and `NotAllowed` if the campaign may not be called any more."""
    visit = http[VISIT]
    service = visit.service
    query = decode_query(list(http.query.items()), PageRequest)
    name = http.match_info["rankingId"]
    cost = Cost.new(service.clock)
    with cost.timing.stage("cache_s"):
        pinned = await service.pins.read(tenant_of(visit), name)
    campaign = _campaign(visit, pinned)
    result = pinned.result(service.clock)
    known: Known = {}
    if pinned.columns:
        result, known = await _described(visit, campaign, pinned, result, query, cost)
    result.usage.add(cost.usage)
    result.timing.add(cost.timing)
    visit.facts["campaign"] = service.traffic.named(campaign.name if campaign is not None else "")
    if pinned.variant:
        visit.facts["variant"] = pinned.variant
    note(visit, result)
    entries = await told_entries(result, query.offset, query.limit, known, None)
    page = Page(name, pinned.campaign, query.offset, query.limit, pinned.recommendation_ids)
    return answer(visit, result, page, entries, {})


async def _described(
    visit: Visit, campaign: Campaign | None, pinned: Pinned, result: Result, query: PageRequest, cost: Cost
) -> tuple[Result, Known]:
    """The ranking and what is known of its page; flagged if some of it is missing."""
    items = page_of(result, query.offset, query.limit)
    known: Known = {}
    if campaign is not None:
        duration_s = (query.deadline_ms or visit.server.deadline_ms) / 1e3
        budget = Budget.of(visit.arrived_s, duration_s, len(items))
        metadata = visit.service.metadata
        known = await describe_pinned(metadata, campaign, tenant_of(visit), pinned.columns, items, budget, cost)
    if result.degraded is None and not all(item in known for item in items):
        result = replace(result, degraded=Degraded.METADATA)
    return result, known


def _campaign(visit: Visit, pinned: Pinned) -> Campaign | None:
    """The campaign, or the variant of it, that made the ranking; None if it is not configured any more."""
    try:
        campaign = callable_campaign(visit, "campaign", pinned.campaign)
    except (UnknownResource, BadMembers):  # the latter: a name, where none is configured any more
        return None
    return next((arm for arm in campaign.arms if arm.variant == pinned.variant), None)

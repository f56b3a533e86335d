"""The AWS wire: `POST /recommendations` and `POST /action-recommendations` in the service's exact shapes, for any SDK.

The answer is the service's own, kept or new; what the gateway has to say of it stands in headers.
"""

from aiohttp import web

from gateway.core.budget import Budget
from gateway.core.model import Subject
from gateway.core.question import Operation, Promotion, Question
from gateway.core.routing import Campaign, variant_for
from gateway.service.flights import ListingRequest
from gateway.web import render
from gateway.web.body import read_body
from gateway.web.door import callable_campaign, name_campaign, tenant_of
from gateway.web.faults import decode
from gateway.web.pieces import PassingResponse
from gateway.web.problems import JSON
from gateway.web.recommend_members import ActionRecommendationsRequest, PromotionMembers, RecommendationsRequest
from gateway.web.visit import VISIT, Visit

RECOMMENDATIONS = "/recommendations"
ACTION_RECOMMENDATIONS = "/action-recommendations"

QUESTION_BYTES_MAX = 4 * 1024 * 1024
"""All that a question may hold, every character of it escaped, is 2.6 MB."""


async def recommendations(http: web.Request) -> web.Response:
    """GetRecommendations."""
    visit = http[VISIT]
    members = decode(await _body(http), RecommendationsRequest)
    name = "campaignArn" if members.recommender_arn is None else "recommenderArn"
    campaign = _campaign(visit, name, members.campaign_arn or members.recommender_arn or "", members)
    question = Question(
        Operation.RECOMMENDATIONS,
        _subject(visit, campaign, members, members.context or {}),
        members.num_results,
        members.item_id or "",
        tuple(map(_promotion, members.promotions or ())),
        {dataset: columns for dataset, columns in (members.metadata_columns or {}).items() if columns},
    )
    return await _answered(visit, campaign, question)


async def action_recommendations(http: web.Request) -> web.Response:
    """GetActionRecommendations."""
    visit = http[VISIT]
    members = decode(await _body(http), ActionRecommendationsRequest)
    campaign = _campaign(visit, "campaignArn", members.campaign_arn, members)
    question = Question(Operation.ACTIONS, _subject(visit, campaign, members, {}), members.num_results)
    return await _answered(visit, campaign, question)


async def _body(http: web.Request) -> bytes | bytearray:
    return await read_body(http, http[VISIT].server.body_timeout_s, json_only=False, limit=QUESTION_BYTES_MAX)


def _campaign(
    visit: Visit, name: str, reference: str, members: RecommendationsRequest | ActionRecommendationsRequest
) -> Campaign:
    """The campaign, or the variant of it that the caller belongs to: by its user, else by the item that it looks at."""
    item_id = members.item_id if isinstance(members, RecommendationsRequest) else None
    campaign = variant_for(callable_campaign(visit, name, reference), members.user_id or item_id or "")
    name_campaign(visit, campaign)
    return campaign


def _subject(
    visit: Visit,
    campaign: Campaign,
    members: RecommendationsRequest | ActionRecommendationsRequest,
    context: dict[str, str],
) -> Subject:
    return Subject(
        tenant=tenant_of(visit),
        campaign=campaign.name,
        user_id=members.user_id or "",
        context=context,
        filter_arn=members.filter_arn,
        filter_values=members.filter_values or {},
        variant=campaign.variant,
    )


def _promotion(members: PromotionMembers) -> Promotion:
    return Promotion(members.name, members.percent_promoted_items, members.filter_arn, members.filter_values or {})


async def _answered(visit: Visit, campaign: Campaign, question: Question) -> web.Response:
    service = visit.service
    budget = Budget.of(visit.arrived_s, visit.server.deadline_ms / 1e3, question.results_max)
    result = await service.recommender.recommend(ListingRequest(campaign, question, budget))
    usage = result.usage
    visit.facts.update(
        entries=result.listing.entries,
        from_cache=result.cached,
        upstream_calls=usage.upstream_calls,
        retries=usage.retries,
        hedges=usage.hedges,
    )
    if result.degraded is not None:
        visit.facts["degraded"] = result.degraded
    headers = render.headers(result, service.clock.stopwatch_s() - visit.began_s)
    return PassingResponse(body=result.listing.body, headers={"Content-Type": JSON, **headers})

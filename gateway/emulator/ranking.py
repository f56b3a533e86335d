"""GetPersonalizedRanking, decided in pure code: a checked call and what is served, to an answer or a refusal.

The context is checked and does not move the scores: the models have learnt from no contexts.
"""

from itertools import compress

from gateway.emulator.campaigns import Campaign, World
from gateway.emulator.filtering import Facts, Keep
from gateway.emulator.metadata import metadata
from gateway.emulator.model import rank
from gateway.emulator.validation import validate
from gateway.emulator.wire import PredictedItem, RankingAnswer, RankingCall, recommendation_id


def answer_ranking(world: World, call: RankingCall) -> RankingAnswer:
    """The answer to one call.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate(call)
    campaign = world.asked("GetPersonalizedRanking", call.arn, userId=call.user_id)
    columns = metadata(campaign.catalogue, call.metadata_columns, enabled=campaign.metadata_enabled)
    keep = filter_of(world, campaign, call)
    item_ids, scores = rank(
        campaign.model,
        call.user_id,
        call.input_list,
        decimals=campaign.decimals,
        list_dependent=campaign.list_dependent,
    )
    items = list(map(PredictedItem, item_ids, scores))  # of 500 items, so nothing is done that was not asked for
    if call.filter_arn is not None:
        items = list(compress(items, keep(item_ids)))
    if call.metadata_columns:
        for item in items:
            item.metadata = columns.of(item.item_id)
    return RankingAnswer(personalized_ranking=items, recommendation_id=recommendation_id(campaign.tag))


def filter_of(world: World, campaign: Campaign, call: RankingCall) -> Keep:
    """Which items the filter of a call keeps. Raises `ServiceError` for a filter, or values, that there cannot be."""
    facts = Facts("ItemID", campaign.catalogue.cells, lambda: world.history.of(call.user_id))
    return world.filters.keep(call.filter_arn, call.filter_values, facts, campaign.filters)

"""GetPersonalizedRanking, decided in pure code: a checked call and what is served, to an answer or a refusal.

The context is checked and does not move the scores: the models have learnt from no contexts.
"""

from gateway.emulator.campaigns import World
from gateway.emulator.filtering import Facts
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
    facts = Facts("ItemID", campaign.catalogue.cells, lambda: world.history.of(call.user_id))
    keep = world.filters.keep(call.filter_arn, call.filter_values, facts, campaign.filters)
    item_ids, scores = rank(
        campaign.model,
        call.user_id,
        call.input_list,
        decimals=campaign.decimals,
        list_dependent=campaign.list_dependent,
    )
    return RankingAnswer(
        personalized_ranking=[
            PredictedItem(item_id, score, metadata=columns.of(item_id))
            for item_id, score, stays in zip(item_ids, scores, keep(item_ids), strict=True)
            if stays
        ],
        recommendation_id=recommendation_id(campaign.tag),
    )

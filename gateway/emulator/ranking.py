"""GetPersonalizedRanking, decided in pure code: a checked call and what is served, to an answer or a refusal.

The context is checked and does not move the scores: the models have learnt from no contexts.
"""

from gateway.emulator.campaigns import Campaign, World
from gateway.emulator.errors import ServiceError
from gateway.emulator.model import rank
from gateway.emulator.validation import validate
from gateway.emulator.wire import PredictedItem, RankingAnswer, RankingCall, recommendation_id


def answer_ranking(world: World, call: RankingCall) -> RankingAnswer:
    """The answer to one call.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate(call)
    campaign = world.campaign(call.campaign_arn)
    _check_features(campaign, call)
    item_ids, scores = rank(campaign.model, call.user_id, call.input_list)
    return RankingAnswer(
        personalized_ranking=[PredictedItem(item_id, score) for item_id, score in zip(item_ids, scores, strict=True)],
        recommendation_id=recommendation_id(campaign.tag),
    )


def _check_features(campaign: Campaign, call: RankingCall) -> None:
    if call.metadata_columns and not campaign.metadata_enabled:
        raise ServiceError("InvalidInputException", "The campaign does not have metadata in recommendations enabled")
    if call.filter_arn is not None:
        raise ServiceError("ResourceNotFoundException", f"Filter with ARN {call.filter_arn} not found")

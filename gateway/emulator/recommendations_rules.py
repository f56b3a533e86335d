"""The documented rules of GetRecommendations, as two tables: one for the call, one for its promotion.

What a call must have beyond them depends on the recipe, and is checked when that is known.
"""

import re
from typing import Final

from gateway.emulator.recommendations_wire import Promotion, RecommendationsCall
from gateway.emulator.rules import ID_CHARACTERS_MAX, ID_LENGTH, Rule, broken_rules, refuse_broken
from gateway.emulator.validation import ARN_SHAPE, CONTEXT_RULES, FILTER_RULES, METADATA_RULES, is_arn

RESULTS_DEFAULT: Final = 25
RESULTS_MAX: Final = 500
RESULTS_WITH_METADATA_MAX: Final = 50
PROMOTIONS_MAX: Final = 1

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}")


def _results(call: RecommendationsCall) -> int:
    return RESULTS_DEFAULT if call.num_results is None else call.num_results


CALL_RULES: Final[tuple[Rule[RecommendationsCall], ...]] = (
    Rule(
        "campaignArn",
        lambda call: bool(call.campaign_arn) != bool(call.recommender_arn),
        "Exactly one of campaignArn and recommenderArn must be given",
    ),
    Rule("campaignArn", lambda call: not call.campaign_arn or is_arn(call.campaign_arn), ARN_SHAPE),
    Rule("recommenderArn", lambda call: not call.recommender_arn or is_arn(call.recommender_arn), ARN_SHAPE),
    Rule("userId", lambda call: len(call.user_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("itemId", lambda call: len(call.item_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("numResults", lambda call: _results(call) >= 0, "Member must be greater than or equal to 0"),
    Rule(
        "numResults",
        lambda call: _results(call) <= RESULTS_MAX,
        f"Member must be less than or equal to {RESULTS_MAX}",
    ),
    Rule(
        "numResults",
        lambda call: not call.metadata_columns or _results(call) <= RESULTS_WITH_METADATA_MAX,
        f"Member must be less than or equal to {RESULTS_WITH_METADATA_MAX} when metadataColumns is given",
    ),
    *CONTEXT_RULES,
    *FILTER_RULES,
    *METADATA_RULES,
    Rule(
        "promotions",
        lambda call: len(call.promotions) <= PROMOTIONS_MAX,
        f"Member must have length less than or equal to {PROMOTIONS_MAX}",
    ),
)

PROMOTION_RULES: Final[tuple[Rule[Promotion], ...]] = (
    Rule(
        "name",
        lambda promotion: promotion.name is None or _NAME.fullmatch(promotion.name) is not None,
        f"Member must match {_NAME.pattern}",
    ),
    Rule(
        "percentPromotedItems",
        lambda promotion: 1 <= (promotion.percent_promoted_items or 0) <= 100,
        "Member must be between 1 and 100",
    ),
    *FILTER_RULES,
)


def validate_recommendations(call: RecommendationsCall) -> None:
    """Check a call and its promotion against the rules.

    Raises:
        ServiceError: InvalidInputException that names every broken rule.
    """
    broken = broken_rules(call, CALL_RULES)
    for number, promotion in enumerate(call.promotions[:PROMOTIONS_MAX], start=1):
        broken += broken_rules(promotion, PROMOTION_RULES, under=f"promotions.{number}.member.")
    refuse_broken(broken)

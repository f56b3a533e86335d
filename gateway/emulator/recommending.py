"""GetRecommendations, decided in pure code: a checked call and what is served, to an answer or a refusal.

    order     by the basis of the recipe: the user's logits, likeness to an item, or popularity
    scores    of recipes that show any: a softmax over the items that were scored, which sums to 1 over all of them
              and so to less over the answer
    filters   drop items from that order, until enough are left; where a recipe scores a subset and a filter leaves too
              few of it, popular items that pass the filter come after them, without a score
    promotion see promoting.py

An item that the model does not know has no neighbours: it gets the popular items, as the service documents.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from gateway.emulator.campaigns import Campaign, World
from gateway.emulator.filtering import Facts, Keep
from gateway.emulator.metadata import metadata
from gateway.emulator.model import softmax
from gateway.emulator.promoting import mixed
from gateway.emulator.recommendations_rules import RESULTS_DEFAULT, validate_recommendations
from gateway.emulator.recommendations_wire import RecommendationsAnswer, RecommendationsCall
from gateway.emulator.tastes import Floats
from gateway.emulator.wire import PredictedItem, recommendation_id

SUBSET: Final = 1_000  # items that are scored where not all are; twice what a call may ask for
SLAB: Final = 500  # items that go to a filter at once

POPULAR: Final = "Popular item"
PROMOTED: Final = "Promoted item"


class Order(NamedTuple):
    """Ids of all items that may come, best first; scores of the first ones, in step; then popular ones to fill up."""

    item_ids: list[str]
    scores: list[float]
    fillers: list[str]


def answer_recommendations(world: World, call: RecommendationsCall) -> RecommendationsAnswer:
    """The answer to one call.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate_recommendations(call)
    campaign = world.asked(
        "GetRecommendations",
        call.arn,
        recommender=bool(call.recommender_arn),
        userId=call.user_id,
        itemId=call.item_id,
    )
    columns = metadata(campaign.catalogue, call.metadata_columns, enabled=campaign.metadata_enabled)
    facts = Facts(
        "ItemID",
        properties=campaign.catalogue.cells,
        interactions=lambda: world.history.of(call.user_id),
        current_item=campaign.catalogue.cells(call.item_id) if campaign.recipe.basis == "item" else None,
    )
    keep = world.filters.keep(call.filter_arn, call.filter_values, facts, campaign.filters)
    promoted_keep = [
        world.filters.keep(promotion.filter_arn, promotion.filter_values, facts, campaign.filters)
        for promotion in call.promotions
    ]
    items = _recommended(campaign, call, keep, promoted_keep)
    if call.metadata_columns:
        for item in items:
            item.metadata = columns.of(item.item_id)
    return RecommendationsAnswer(item_list=items, recommendation_id=recommendation_id(campaign.tag))


def _recommended(
    campaign: Campaign, call: RecommendationsCall, keep: Keep, promoted_keep: list[Keep]
) -> list[PredictedItem]:
    count = RESULTS_DEFAULT if call.num_results is None else call.num_results
    order = _order(campaign, call)
    scores = dict(zip(order.item_ids, order.scores, strict=False))
    promoted: list[PredictedItem] = []
    for promotion, promoted_keeps in zip(call.promotions, promoted_keep, strict=True):
        room = round(count * (promotion.percent_promoted_items or 0) / 100)
        reason = [PROMOTED] if campaign.recipe.subset else None
        promoted = [
            PredictedItem(item_id, scores.get(item_id), promotion_name=promotion.name, reason=reason)
            for item_id in _first(room, order.item_ids, promoted_keeps)
        ]
    taken = {item.item_id for item in promoted}
    scored = [item_id for item_id in order.item_ids[: len(order.scores) or None] if item_id not in taken]
    others = [PredictedItem(item_id, scores.get(item_id)) for item_id in _first(count - len(promoted), scored, keep)]
    taken.update(item.item_id for item in others)
    missing = count - len(promoted) - len(others)
    if missing > 0:
        fillers = [item_id for item_id in order.fillers if item_id not in taken]
        others += [PredictedItem(item_id, None, reason=[POPULAR]) for item_id in _first(missing, fillers, keep)]
    return mixed(others, promoted, seed_text=f"{call.user_id}\n{call.item_id}")


def _order(campaign: Campaign, call: RecommendationsCall) -> Order:
    model, recipe = campaign.model, campaign.recipe
    relevance = _relevance(campaign, call)
    rows = np.argsort(-relevance, kind="stable")
    item_ids = model.ids_of(rows)
    if not recipe.scored:
        return Order([item_id for item_id in item_ids if item_id != call.item_id], [], [])
    if not recipe.subset:
        return Order(item_ids, _rounded(softmax(relevance[rows]), campaign), [])
    scores = _rounded(softmax(relevance[rows[:SUBSET]]), campaign)
    return Order(item_ids, scores, model.most_popular)


def _relevance(campaign: Campaign, call: RecommendationsCall) -> Floats:
    model = campaign.model
    if campaign.recipe.basis == "user":
        return model.logits(call.user_id)
    if campaign.recipe.basis == "item" and call.item_id in model.row_of:
        return model.similarity(model.row_of[call.item_id])
    return model.popularity


def _rounded(scores: Floats, campaign: Campaign) -> list[float]:
    rounded: list[float] = scores.round(campaign.decimals).tolist()
    return rounded


def _first(count: int, item_ids: Sequence[str], keep: Keep) -> list[str]:
    """The first `count` items that a filter keeps."""
    found: list[str] = []
    for slab in _slabs(item_ids):
        if len(found) >= count:
            break
        found += [item_id for item_id, stays in zip(slab, keep(slab), strict=True) if stays]
    return found[: max(0, count)]


def _slabs(item_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, max(1, len(item_ids)), SLAB):  # an empty slab still tells that a value is missing
        yield item_ids[start : start + SLAB]

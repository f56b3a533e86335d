"""The recipes that a campaign or a recommender may have, as a table: which operation it answers, and how.

Names are those of the service. Recipes that start with `aws-ecomm-` or `aws-vod-` are domain use cases: they are behind
a recommender (`recommenderArn`), not a campaign, and give no scores.
"""

from typing import Final, Literal, NamedTuple

Operation = Literal["GetPersonalizedRanking", "GetRecommendations", "GetActionRecommendations"]
Basis = Literal["user", "item", "popularity"]


class Recipe(NamedTuple):
    """What a recipe makes of a call.

    `basis` is what the order comes from, `needs` the members that a call must have. Only `scored` recipes show
    scores; those with a `subset` score the best items for the user alone and fill up with popular ones where a filter
    left too few, and they give reasons.
    """

    operation: Operation
    basis: Basis
    needs: tuple[Literal["userId", "itemId"], ...]
    scored: bool = False
    subset: bool = False
    recommender: bool = False


_DOMAIN_USER: Final = Recipe("GetRecommendations", "user", ("userId",), recommender=True)
_DOMAIN_ITEM: Final = Recipe("GetRecommendations", "item", ("itemId",), recommender=True)
_DOMAIN_ITEM_OF_USER: Final = Recipe("GetRecommendations", "item", ("itemId", "userId"), recommender=True)
_DOMAIN_POPULAR: Final = Recipe("GetRecommendations", "popularity", ("userId",), recommender=True)

RECIPES: Final[dict[str, Recipe]] = {
    "aws-personalized-ranking-v2": Recipe("GetPersonalizedRanking", "user", ("userId",), scored=True),
    "aws-personalized-ranking": Recipe("GetPersonalizedRanking", "user", ("userId",), scored=True),
    "aws-user-personalization-v2": Recipe("GetRecommendations", "user", ("userId",), scored=True, subset=True),
    "aws-user-personalization": Recipe("GetRecommendations", "user", ("userId",), scored=True),
    "aws-similar-items": Recipe("GetRecommendations", "item", ("itemId",)),
    "aws-sims": Recipe("GetRecommendations", "item", ("itemId",)),
    "aws-popularity-count": Recipe("GetRecommendations", "popularity", ("userId",)),
    "aws-trending-now": Recipe("GetRecommendations", "popularity", ()),
    "aws-next-best-action": Recipe("GetActionRecommendations", "user", ("userId",), scored=True),
    "aws-ecomm-recommended-for-you": _DOMAIN_USER,
    "aws-ecomm-customers-who-viewed-x-also-viewed": _DOMAIN_ITEM_OF_USER,
    "aws-ecomm-frequently-bought-together": _DOMAIN_ITEM,
    "aws-ecomm-popular-items-by-purchases": _DOMAIN_POPULAR,
    "aws-ecomm-popular-items-by-views": _DOMAIN_POPULAR,
    "aws-vod-top-picks": _DOMAIN_USER,
    "aws-vod-because-you-watched-x": _DOMAIN_ITEM_OF_USER,
    "aws-vod-more-like-x": _DOMAIN_ITEM_OF_USER,
    "aws-vod-most-popular": _DOMAIN_POPULAR,
    "aws-vod-trending-now": Recipe("GetRecommendations", "popularity", (), recommender=True),
}

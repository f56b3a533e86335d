"""The built-in store: 10,000 products and any number of users with tastes, the same on every machine.

Everything comes from fixed seeds through numpy's PCG64 streams, and a user's taste from a hash of the id, so every
string is a user. Item vectors have the structure of a shop: what shares a category, a product type or a brand lies
close together. A user likes a few categories and a few brands.
"""

import hashlib
from typing import Final

import numpy as np

from gateway.emulator.catalogue import Catalogue
from gateway.emulator.model import Model, softmax
from gateway.emulator.tastes import Floats
from gateway.emulator.words import BRANDS, CATEGORIES

PRODUCTS: Final = 10_000
LISTED_USERS: Final = 1_000
SEED: Final = 2018_05_22

BRANDS_PER_CATEGORY: Final = 12
ADJECTIVES_PER_CATEGORY: Final = 8
TYPES_PER_CATEGORY: Final = 6

# The standard deviation of one user's logits over the catalogue. Recorded answers of the service span 13 in 16 items,
# published two-tower models 1 to 3: at 2 the best of 10,000 items are clear and the tail still shows in 7 decimals.
LOGIT_SD: Final = 2.0

# Half of it (a quarter of the variance) is what everybody likes: logits correlate with popularity at about 0.5.
POPULARITY_SD: Final = 1.0
TASTE_SD: Final = (LOGIT_SD**2 - POPULARITY_SD**2) ** 0.5

FACTORS: Final = 32
TYPE_SPREAD, BRAND_SPREAD, OWN_SPREAD = 0.6, 0.5, 0.6  # relative to the distance between categories, which is 1
LIKED_CATEGORIES, LIKED_BRANDS = 3, 4
WHIM: Final = 0.5  # the part of a taste that follows no category and no brand


class Store:
    """Draws the products once; `catalogue` has their columns, `model` their logits for any user."""

    def __init__(self) -> None:
        rng = np.random.Generator(np.random.PCG64(SEED))
        shape = (len(CATEGORIES), BRANDS_PER_CATEGORY, ADJECTIVES_PER_CATEGORY, TYPES_PER_CATEGORY)
        picked = rng.permutation(int(np.prod(shape)))[:PRODUCTS]  # no two products have the same title
        category, nth_brand, adjective, kind = np.unravel_index(picked, shape)
        brand = (category * 5 + nth_brand) % len(BRANDS)

        self._category_vectors = rng.standard_normal((len(CATEGORIES), FACTORS))
        self._brand_vectors = rng.standard_normal((len(BRANDS), FACTORS)) * BRAND_SPREAD
        type_vectors = rng.standard_normal((len(CATEGORIES), TYPES_PER_CATEGORY, FACTORS)) * TYPE_SPREAD
        own_vectors = rng.standard_normal((PRODUCTS, FACTORS)) * OWN_SPREAD
        vectors: Floats = (
            self._category_vectors[category] + type_vectors[category, kind] + self._brand_vectors[brand] + own_vectors
        )
        vectors -= vectors.mean(axis=0)
        self._covariance = vectors.T @ vectors / PRODUCTS

        log_popularity = rng.standard_normal(PRODUCTS) * POPULARITY_SD
        price_level = rng.random(PRODUCTS)
        self.catalogue = _catalogue(
            category.tolist(), brand.tolist(), adjective.tolist(), kind.tolist(), price_level.tolist()
        )
        self.model = Model(
            item_ids=self.catalogue.item_ids,
            popularity=softmax(log_popularity),
            log_popularity=log_popularity,
            item_vectors=vectors,
            user_ids=[f"user-{number}" for number in range(1, LISTED_USERS + 1)],
            taste_of=self.taste_of,
        )

    def taste_of(self, user_id: str) -> Floats:
        """The user's vector, scaled so that its logits have the standard deviation TASTE_SD over the catalogue."""
        seed = hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
        categories = rng.permutation(len(CATEGORIES))[:LIKED_CATEGORIES]
        brands = rng.permutation(len(BRANDS))[:LIKED_BRANDS]
        taste: Floats = (
            (0.5 + rng.random(LIKED_CATEGORIES)) @ self._category_vectors[categories]
            + rng.random(LIKED_BRANDS) @ self._brand_vectors[brands]
            + WHIM * rng.standard_normal(FACTORS)
        )
        taste *= TASTE_SD / np.sqrt(taste @ self._covariance @ taste)
        return taste


def _catalogue(
    category: list[int], brand: list[int], adjective: list[int], kind: list[int], price_level: list[float]
) -> Catalogue:
    adjectives = [row.adjectives.split(", ") for row in CATEGORIES]
    types = [row.types.split(", ") for row in CATEGORIES]
    return Catalogue(
        item_ids=[f"p{number:05d}" for number in range(1, PRODUCTS + 1)],
        columns={
            "TITLE": [
                f"{BRANDS[b]} {adjectives[c][a]} {types[c][k]}"
                for c, b, a, k in zip(category, brand, adjective, kind, strict=True)
            ],
            "BRAND": [BRANDS[b] for b in brand],
            "CATEGORY": [CATEGORIES[c].name for c in category],
            "PRICE": [_price(c, level) for c, level in zip(category, price_level, strict=True)],
        },
    )


def _price(category: int, level: float) -> str:
    """A price between the category's low (level 0) and high (level 1), evenly in its logarithm, ending in .90."""
    low, high = CATEGORIES[category].price_low, CATEGORIES[category].price_high
    return f"{int(low * (high / low) ** level)}.90"

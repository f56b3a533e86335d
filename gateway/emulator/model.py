"""The model behind a campaign: the logits of a user over the catalogue, and the softmax of one call.

    logit(user, item) = log popularity(item) + taste(user) . vector(item)
    score(item)       = exp(logit(item)) / sum of exp(logit) over the known items of the call
    similarity(a, b)  = cosine of vector(a) and vector(b)

The service documents the second line (a softmax over the items of that call; docs: "How item scores are
calculated"). A user's logits are computed over the whole catalogue at once and kept for the next call: an item has
the same logit, to the last bit, in whichever list it comes, until an event moves the user.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.emulator.lru import Lru
from gateway.emulator.tastes import Floats, Tastes

SCORE_DECIMALS: Final = 7

# How far another training moves a vector, as a share of the spread of the factor; and a popularity, of its own spread.
# On the built-in store the logits of one user then differ by a standard deviation of 0.5, a quarter of their spread.
RETRAINED: Final = 0.3

ROUNDING: Final = 1e-12  # a length below is a zero that was computed

# The calls of one ranking come together and for one user; the bound keeps 100,000 items below 100 MB.
USERS_KEPT: Final = 64


class Model:
    """Everything that is known of items and users; only the vectors of users move.

    `item_ids` names the rows of `popularity` (shares that sum to 1), `log_popularity` (the logit of a user without
    taste; smoothed, so not the logarithm of the shares) and `item_vectors` (items x factors). `taste_of` gives any
    user's vector before events move it (factors), zeros for a stranger; `user_ids` lists some users who have a taste.
    """

    def __init__(
        self,
        *,
        item_ids: Sequence[str],
        popularity: Floats,
        log_popularity: Floats,
        item_vectors: Floats,
        user_ids: Sequence[str],
        taste_of: Callable[[str], Floats],
    ) -> None:
        self.item_ids = item_ids
        self.popularity = popularity
        self.user_ids = user_ids
        self._ids = np.array(item_ids, dtype=object)
        self.row_of = {item_id: row for row, item_id in enumerate(item_ids)}
        self._log_popularity = log_popularity
        self._item_vectors = item_vectors
        self._mean_square_length = float(np.mean(np.sum(item_vectors**2, axis=1))) if len(item_vectors) else 0.0
        self._taste_of = taste_of
        self._tastes = Tastes(item_vectors, taste_of, user_ids)
        self._unit_vectors: Floats | None = None  # only calls for related items need them
        self._kept_logits: Lru[Floats] = Lru(USERS_KEPT)

    def __repr__(self) -> str:
        items, factors = self._item_vectors.shape
        return f"Model(items={items}, factors={factors}, users={len(self.user_ids)})"

    def logits(self, user_id: str) -> Floats:
        """The user's logits over the whole catalogue, by row; read-only."""
        kept = self._kept_logits.get(user_id)
        if kept is not None:
            return kept
        logits: Floats = self._log_popularity + self._item_vectors @ self._tastes.of(user_id)
        logits.setflags(write=False)
        self._kept_logits.put(user_id, logits)
        return logits

    def taste(self, user_id: str) -> Floats:
        """The user's vector as it is now; zeros for a stranger."""
        return self._tastes.of(user_id)

    @cached_property
    def most_popular(self) -> list[str]:
        """All items, most popular first."""
        return self.ids_of(np.argsort(-self.popularity, kind="stable"))

    def ids_of(self, rows: NDArray[np.intp]) -> list[str]:
        """The ids of rows, in their order."""
        ids: list[str] = self._ids[rows].tolist()
        return ids

    def similarity(self, row: int) -> Floats:
        """How alike the items of the catalogue are to that of one row: cosines, by row."""
        if self._unit_vectors is None:
            lengths = np.linalg.norm(self._item_vectors, axis=1, keepdims=True)
            self._unit_vectors = self._item_vectors / np.maximum(lengths, ROUNDING)
        alike: Floats = self._unit_vectors @ self._unit_vectors[row]
        return alike

    def crowding(self, rows: NDArray[np.intp]) -> Floats:
        """How much each item of a list is like the list: about 1 where all are the same, 0 where all differ."""
        vectors = self._item_vectors[rows]
        crowd: Floats = vectors @ vectors.mean(axis=0) / max(self._mean_square_length, ROUNDING)
        return crowd

    def retrained(self, seed: int) -> "Model":
        """The same items and users as another training would see them: much alike, and not the same. 0: as it is."""
        if seed == 0:
            return self
        rng = np.random.Generator(np.random.PCG64(seed))
        vectors, log_popularity = self._item_vectors, self._log_popularity
        return Model(
            item_ids=self.item_ids,
            popularity=self.popularity,
            log_popularity=log_popularity + _noise(rng, log_popularity),
            item_vectors=vectors + _noise(rng, vectors),
            user_ids=self.user_ids,
            taste_of=self._taste_of,
        )

    def move(self, user_id: str, item_ids: Sequence[str]) -> None:
        """Move the user's vector towards these items, one after the other; unknown ones move nothing."""
        rows = [self.row_of[item_id] for item_id in item_ids if item_id in self.row_of]
        if rows:
            for changed in self._tastes.move(user_id, rows):
                self._kept_logits.drop(changed)


def _noise(rng: np.random.Generator, values: Floats) -> Floats:
    noise: Floats = rng.standard_normal(values.shape) * (RETRAINED * values.std(axis=0))
    return noise


class Ranking(NamedTuple):
    """Item ids, best first, and their scores in step; unknown items come last, in input order, with score None."""

    item_ids: list[str]
    scores: list[float | None]


def softmax(logits: Floats) -> Floats:
    """The shares of exp(logit), summing to 1; float64, safe for logits of any size."""
    shares = np.exp(logits - logits.max(initial=-np.inf))
    total: Floats = shares / shares.sum()
    return total


def rank(
    model: Model,
    user_id: str,
    item_ids: Sequence[str],
    *,
    decimals: int | None = SCORE_DECIMALS,
    list_dependent: float = 0.0,
) -> Ranking:
    """Rank the items for a user as one call does: unrounded scores decide, ties keep their input order.

    An item that comes twice is ranked once, at its first place: what the service does is not documented.
    `decimals=None` leaves the scores unrounded. `list_dependent` breaks the softmax on purpose: an item loses so much
    of its logit to others of its kind in the same list, and score ratios are no longer the same in every list
    (measured on the built-in store: at 1 by 7 % between a random list and one of the user's best, at 3 by 22 %).
    """
    distinct = list(dict.fromkeys(item_ids))
    rows = np.array([model.row_of.get(item_id, -1) for item_id in distinct], dtype=np.intp)
    known = np.flatnonzero(rows >= 0)
    logits = model.logits(user_id)[rows[known]]
    if list_dependent and len(known):
        logits = logits - list_dependent * model.crowding(rows[known])
    scores = softmax(logits)
    order = np.argsort(-scores, kind="stable")
    ranked_scores: list[float | None] = []
    ranked_scores += (scores if decimals is None else scores.round(decimals))[order].tolist()
    ranked_scores += [None] * (len(distinct) - len(known))
    places = known[order].tolist() + np.flatnonzero(rows < 0).tolist()
    return Ranking([distinct[place] for place in places], ranked_scores)

"""The model behind a campaign: the logits of a user over the catalogue, and the softmax of one call.

    logit(user, item) = log popularity(item) + taste(user) . vector(item)
    score(item)       = exp(logit(item)) / sum of exp(logit) over the known items of the call

The service documents the second line (a softmax over the items of that call; docs: "How item scores are
calculated"). A user's logits are computed over the whole catalogue at once and kept for the next call: an item has
the same logit, to the last bit, in whichever list it comes, until an event moves the user.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from gateway.emulator.lru import Lru
from gateway.emulator.tastes import Floats, Tastes

SCORE_DECIMALS: Final = 7

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
        self.row_of = {item_id: row for row, item_id in enumerate(item_ids)}
        self._log_popularity = log_popularity
        self._item_vectors = item_vectors
        self._tastes = Tastes(item_vectors, taste_of, user_ids)
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

    def move(self, user_id: str, item_ids: Sequence[str]) -> None:
        """Move the user's vector towards these items, one after the other; unknown ones move nothing."""
        rows = [self.row_of[item_id] for item_id in item_ids if item_id in self.row_of]
        if rows:
            for changed in self._tastes.move(user_id, rows):
                self._kept_logits.drop(changed)


class Ranking(NamedTuple):
    """Item ids, best first, and their scores in step; unknown items come last, in input order, with score None."""

    item_ids: list[str]
    scores: list[float | None]


def softmax(logits: Floats) -> Floats:
    """The shares of exp(logit), summing to 1; float64, safe for logits of any size."""
    shares = np.exp(logits - logits.max(initial=-np.inf))
    total: Floats = shares / shares.sum()
    return total


def rank(model: Model, user_id: str, item_ids: Sequence[str], *, decimals: int | None = SCORE_DECIMALS) -> Ranking:
    """Rank the items for a user as one call does: unrounded scores decide, ties keep their input order.

    An item that comes twice is ranked once, at its first place: what the service does is not documented.
    `decimals=None` leaves the scores unrounded.
    """
    distinct = list(dict.fromkeys(item_ids))
    rows = np.array([model.row_of.get(item_id, -1) for item_id in distinct], dtype=np.intp)
    known = np.flatnonzero(rows >= 0)
    scores = softmax(model.logits(user_id)[rows[known]])
    order = np.argsort(-scores, kind="stable")
    ranked_scores: list[float | None] = []
    ranked_scores += (scores if decimals is None else scores.round(decimals))[order].tolist()
    ranked_scores += [None] * (len(distinct) - len(known))
    places = known[order].tolist() + np.flatnonzero(rows < 0).tolist()
    return Ranking([distinct[place] for place in places], ranked_scores)

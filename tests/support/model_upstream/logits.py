"""The model: a logit for any (user, item), out of hashes of their ids, so that any id works and every run is the same.

`ideal` is the order that one unlimited call would give; `worst_inversion` says how far an order is from it.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
import orjson

TASTES: Final = 8
"""Dimensions of users and items: enough that users differ in what they like."""

BASE_WEIGHT, TASTE_WEIGHT = 1.5, 0.6
"""Logits of a standard deviation of about 1: the weakest of 500 items still has 100 times the rounding as its score."""

DECIMALS: Final = 7

UNKNOWN_PREFIX: Final = "unknown-"
"""Items whose ids begin so are not in the model: they come last and without a score."""

ITEMS_MAX: Final = 1_000_000
"""Items kept: 40 MB. With one more the model begins anew (and knows the same)."""


def _numbers(text: str, count: int) -> np.ndarray:
    """`count` numbers in [-1, 1) that depend on the text alone."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4 * count).digest()
    return np.frombuffer(digest, dtype="<u4") / 2.0**31 - 1.0


def _item_vector(item: str) -> np.ndarray:
    vector = _numbers(f"item/{item}", TASTES + 1) * np.array([BASE_WEIGHT] + TASTES * [TASTE_WEIGHT])
    return vector * (np.nan if item.startswith(UNKNOWN_PREFIX) else 1.0)


def _user_vector(user: str) -> np.ndarray:
    return np.concatenate(([1.0], _numbers(f"user/{user}", TASTES)))


class Model:
    """Ranks; keeps what it has computed of items, since hashing one costs more than ranking it."""

    def __init__(self) -> None:
        self._clear()

    def __repr__(self) -> str:
        return f"<Model items={len(self._rows)}>"

    def _clear(self) -> None:
        self._rows: dict[str, int] = {}
        self._heads: list[bytes] = []
        self._vectors = np.empty((1024, TASTES + 1))

    def logits(self, user: str, items: Sequence[str]) -> np.ndarray:
        """The logits of the items for the user, NaN for unknown ones."""
        return self._vectors[self._rows_of(items)] @ _user_vector(user)

    def entries(self, user: str, items: Sequence[str]) -> list[bytes]:
        """The entries of an answer, best first, each up to and with its score: `{"itemId":"a","score":0.5`.

        Encoded ids are kept, and numbers are encoded all at once: that halves the cost of an answer.
        """
        rows = self._rows_of(items)
        order, scores = _ranked(self._vectors[rows] @ _user_vector(user))
        numbers = orjson.dumps(scores)[1:-1].split(b",") if scores else []
        numbers += [b"null"] * (len(rows) - len(scores))
        heads = self._heads
        return [heads[rows[place]] + number for place, number in zip(order, numbers, strict=True)]

    def _rows_of(self, items: Sequence[str]) -> list[int]:
        try:
            return [self._rows[item] for item in items]
        except KeyError:
            self._learn([item for item in dict.fromkeys(items) if item not in self._rows])
            return [self._rows[item] for item in items]

    def _learn(self, items: list[str]) -> None:
        if len(self._rows) + len(items) > ITEMS_MAX:
            self._clear()
        while len(self._rows) + len(items) > len(self._vectors):
            self._vectors = np.concatenate((self._vectors, np.empty_like(self._vectors)))
        for item in items:
            row = self._rows[item] = len(self._rows)
            self._vectors[row] = _item_vector(item)
            self._heads.append(b'{"itemId":%b,"score":' % orjson.dumps(item))


def _ranked(logits: np.ndarray) -> tuple[list[int], list[float]]:
    """What one call answers: places, best first and unknown ones last, and the scores of the known ones."""
    order = np.argsort(-logits, kind="stable")  # NaN comes last, in the order of the list
    known = logits[order[: len(order) - int(np.isnan(logits).sum())]]
    weights = np.exp(known - known[0]) if len(known) else known
    return order.tolist(), np.round(weights / weights.sum(), DECIMALS).tolist()


def logits(user: str, items: Sequence[str]) -> np.ndarray:
    """The model's logits, NaN for unknown items."""
    return Model().logits(user, items)


def ideal(user: str, items: Sequence[str]) -> list[str]:
    """The order of one call without a limit."""
    order, _ = _ranked(logits(user, items))
    return [items[place] for place in order]


def worst_inversion(user: str, order: Sequence[str]) -> float:
    """By how much an item is liked more than one that stands before it, at most; 0 for the model's own order.

    Rounded scores cannot tell close items of two calls apart, so an order by several calls is right within a little.
    """
    liked = logits(user, order)
    best_behind = np.maximum.accumulate(liked[::-1])[::-1]
    return float((best_behind - liked).max(initial=0.0))

"""How good a learnt model is: one item of every user is held out, and looked for among all that the user did not take.

Every user with two items or more loses one, chosen by a seed; the model is learnt from the rest, and ranks that item
among all items but the user's others. Ranking by popularity, learnt from the same rest, is what it has to beat. Items
of equal strength share their places.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.emulator.csv_files import Interactions
from gateway.emulator.learning import Learnt, learn
from gateway.emulator.tastes import Floats

HIT: Final = 50
"""A held-out item among the first so many is found: two pages of a storefront."""

AT_ONCE: Final = 256  # users: their logits over 100,000 items take 200 MB

SEED: Final = 0


class Found(NamedTuple):
    """`hits` is the share of held-out items among the first HIT, `above` the mean share of items that rank below."""

    hits: float
    above: float


class Evaluation(NamedTuple):
    """What became of the held-out items of so many users."""

    users: int
    model: Found
    popularity: Found

    def __str__(self) -> str:
        lines = [f"one item of each of {self.users:,} users was held out, and looked for by the others"]
        for name, found in (("model", self.model), ("popularity", self.popularity)):
            hits = f"among the first {HIT}: {found.hits:6.1%}"
            lines.append(f"  {name:10} {hits}   above {found.above:.1%} of the items")
        return "\n".join(lines)


def evaluate(events: Interactions, seed: int = SEED) -> Evaluation | None:
    """Learn without one item of every user, and look for it.

    None where no user has two items, or nothing is left to learn from.
    """
    count = len(events.item_ids)
    pair_of = np.array(events.users, dtype=np.int64) * count + np.array(events.items, dtype=np.int64)
    pairs = np.unique(pair_of)
    held = _one_of_each(pairs // count, np.random.Generator(np.random.PCG64(seed)))
    kept = np.flatnonzero(~np.isin(pair_of, pairs[held])).tolist()
    of_kept = [[column[row] for row in kept] for column in (events.users, events.items, events.values)]
    if not len(held) or not any(of_kept[2]):
        return None
    learnt = learn(Interactions(events.user_ids, events.item_ids, *of_kept))  # type: ignore[arg-type] # in this order
    rest = np.delete(pairs, held)
    users, wanted = pairs[held] // count, pairs[held] % count
    ranks = np.concatenate(
        [
            _ranks(learnt, users[start : start + AT_ONCE], wanted[start : start + AT_ONCE], rest)
            for start in range(0, len(users), AT_ONCE)
        ]
    )
    return Evaluation(len(users), *(_found(ranks[:, column], count) for column in range(2)))


def _one_of_each(owners: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """One place of every owner that has two or more; `owners` is sorted."""
    _, first, count = np.unique(owners, return_index=True, return_counts=True)
    several = count > 1
    return first[several] + rng.integers(0, count[several])


def _ranks(
    learnt: Learnt, users: NDArray[np.int64], wanted: NDArray[np.int64], rest: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The place of each user's wanted item, from 0, by the model and by popularity, without the user's other items."""
    count = len(learnt.item_ids)
    logits = learnt.log_popularity + learnt.user_vectors[users] @ learnt.item_vectors.T
    popular = np.broadcast_to(learnt.log_popularity, logits.shape).copy()
    row_of = {user: row for row, user in enumerate(users.tolist())}
    mine = rest[np.isin(rest // count, users)]
    rows = np.array([row_of[user] for user in (mine // count).tolist()], dtype=np.intp)
    return np.stack([_places(table, rows, mine % count, wanted) for table in (logits, popular)], axis=1)


def _places(
    table: Floats, rows: NDArray[np.intp], taken: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.float64]:
    own = table[np.arange(len(wanted)), wanted][:, None]
    table[rows, taken] = -np.inf
    places: NDArray[np.float64] = (table > own).sum(axis=1) + ((table == own).sum(axis=1) - 1) / 2
    return places


def _found(places: NDArray[np.float64], count: int) -> Found:
    return Found(float((places < HIT).mean()), float(1.0 - places.mean() / max(1, count - 1)))

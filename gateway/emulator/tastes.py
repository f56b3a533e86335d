"""The vectors of users, and how an event moves one towards an item.

    sd(v)      the standard deviation of v . vector(item) over the catalogue
    strength   sd(taste); of a stranger, who has no taste yet, the usual one
    moved      taste + STEP * strength * vector(item) / sd(vector(item)), scaled so that sd(moved) = strength

So one event turns a taste and leaves it as strong as it was: the logits keep their scale, however many events come,
and the newest events weigh most. Length is measured by sd and not by the norm, since vectors of equal norm give
logits of different spread. What kind of event it was, and its value, make no difference.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.emulator.lru import Lru

Floats = NDArray[np.float64]

# A new interest turns a taste by 27 degrees. Measured on the built-in store, one click on any item: the items of its
# category go from rank 5,400 to 1,700 of 10,000 (medians) and have 14 places of the top 100 instead of 3; 66 stay.
STEP: Final = 0.5

# Who were not moved, nor ranked anew, for longest are forgotten: they have their given taste again. About 5 MB.
MOVED_USERS_KEPT: Final = 10_000

USUAL_OF: Final = 1_000  # users whose median strength is the usual one
ROUNDING: Final = 1e-9  # an sd below is a zero that was computed


class Tastes:
    """Any user's vector: what `given` says, until an event moves it. `user_ids` are some who have a taste."""

    def __init__(self, item_vectors: Floats, given: Callable[[str], Floats], user_ids: Sequence[str]) -> None:
        self._item_vectors = item_vectors
        self._given = given
        self._user_ids = user_ids
        self._moved: Lru[Floats] = Lru(MOVED_USERS_KEPT)
        spread = item_vectors - item_vectors.mean(axis=0)
        self._covariance: Floats = spread.T @ spread / len(item_vectors)

    def __repr__(self) -> str:
        return f"Tastes(moved={self._moved!r})"

    def of(self, user_id: str) -> Floats:
        """The user's vector as it is now."""
        moved = self._moved.get(user_id)
        return self._given(user_id) if moved is None else moved

    def move(self, user_id: str, rows: Sequence[int]) -> list[str]:
        """Move the user towards the items of these rows, one after the other; all users whose vectors changed."""
        taste = self.of(user_id)
        for row in rows:
            taste = self.moved(taste, self._item_vectors[row])
        forgotten = self._moved.put(user_id, taste)
        return [user_id] if forgotten is None else [user_id, forgotten]

    def moved(self, taste: Floats, towards: Floats) -> Floats:
        """The taste after one event; an item that is like all others moves nothing."""
        felt, strength = self._sd(towards), self._sd(taste)
        if felt <= ROUNDING:
            return taste
        if strength <= ROUNDING:
            strength = self._usual_strength
        turned: Floats = taste + (STEP * strength / felt) * towards
        turned *= strength / max(self._sd(turned), ROUNDING)
        return turned

    @cached_property
    def _usual_strength(self) -> float:
        strengths = [self._sd(self._given(user_id)) for user_id in self._user_ids[:USUAL_OF]]
        return float(np.median([strength for strength in strengths if strength > ROUNDING] or [0.0]))

    def _sd(self, vector: Floats) -> float:
        return float(np.sqrt(max(0.0, float(vector @ self._covariance @ vector))))

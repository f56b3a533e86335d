"""Which known items another call could tell more of: what one list has pressed below the rounding, a weaker list
resolves.

A score of 1e-7 among favourites may be a half among its likes. An item that came out faint, or as 0, is therefore asked
again when its share of the list that is to be ranked would be resolved and matters; not otherwise, or it would be asked
for ever.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.core.model import RESOLVED_SCORE, Floats, Grade, Grades, some, worst_of

SHARE_MIN: Final = 2 * RESOLVED_SCORE
"""A share that a call over part of the list surely resolves, the rounding of the known score allowed for."""


MASS_MIN: Final = 1e-3
"""... and only if together they could hold this much of the list: no call is billed for the order of last crumbs."""


def resolvable(log: Floats, grade: Grades) -> NDArray[np.bool_]:
    """Which candidates of one list (arrays as in `Frame`, UNRANKED for those that it does not hold) to ask again.

    The log scores of items that came as 0 are upper bounds, so they may be asked once in vain: their bound falls then.
    """
    if worst_of(grade) < Grade.FAINT:  # the usual short list
        return np.zeros(len(grade), dtype=np.bool_)
    weak = (grade >= Grade.FAINT) & (grade <= Grade.TRAILING)
    if not some(weak):
        return weak
    known = grade <= Grade.TRAILING
    shares = np.zeros(len(log))
    shares[known] = np.exp(log[known] - log[known].max())
    shares /= shares.sum()
    found: NDArray[np.bool_] = weak & (shares >= SHARE_MIN)
    return found if shares[found].sum() >= MASS_MIN else np.zeros(len(log), dtype=np.bool_)


def drowned(grade: Grades) -> bool:
    """Whether a list holds known items of which none has a score: nothing of the frame can help to rank it."""
    return not some(grade <= Grade.FAINT) and some((grade >= Grade.ROUNDED) & (grade <= Grade.TRAILING))

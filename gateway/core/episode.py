"""Trouble as it is told: one line when it begins and one when it is over, however much of it there was in between.

    quiet ──bad: tell──> under way ──good, a quiet time after the last bad one: tell──> quiet

No clock: time is an argument. Nothing tells the end but a good sign, so where nothing happens any more it stays open.
"""

from typing import Final, NamedTuple

QUIET_S: Final = 5.0
"""What is usual: longer than a breaker rests and ramps, so that one that flaps is told of once."""


class Ended(NamedTuple):
    """What an episode was: so many bad `signs`, `lasted_s` from the first to the last of them."""

    signs: int
    lasted_s: float

    def told(self) -> dict[str, float]:
        """The members of its line in the log."""
        return {"count": self.signs, "lasted_s": round(self.lasted_s, 3)}


class Episode:
    """One kind of trouble with one thing; bad signs less than `quiet_s` apart are of one episode."""

    __slots__ = ("_began_s", "_count", "_last_s", "_quiet_s")

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._began_s: float | None = None
        self._last_s = 0.0
        self._count = 0

    def __repr__(self) -> str:
        return f"<Episode {'under way' if self.under_way else 'over'} count={self._count}>"

    @property
    def under_way(self) -> bool:
        """Whether it has begun and its end was not told yet."""
        return self._began_s is not None

    def bad(self, now_s: float, count: int = 1) -> bool:
        """Something went wrong (`count` times); True if an episode begins with it."""
        begins = self._began_s is None
        if begins:
            self._began_s, self._count = now_s, 0
        self._last_s = now_s
        self._count += count
        return begins

    def good(self, now_s: float) -> Ended | None:
        """Something went well; what the episode was, if it is over by that."""
        if self._began_s is None or now_s - self._last_s < self._quiet_s:
            return None
        ended = Ended(self._count, self._last_s - self._began_s)
        self._began_s = None
        return ended

"""How much is logged: what is set, and what somebody asked for since, perhaps for a while only. Pure; no clock."""

import math
from typing import Final, Literal, get_args

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

RANK: Final[dict[str, int]] = {name: number for number, name in enumerate((*LEVELS, "critical"))}
"""How grave a line is, by its level."""


class LogLevel:
    """The level in force; times are seconds of one monotonic clock."""

    def __init__(self, usual: Level = "info") -> None:
        self._usual: Level = usual
        self._now: Level = usual
        self._until_s = math.inf

    def __repr__(self) -> str:
        return f"<LogLevel {self._now} (set: {self._usual})>"

    @property
    def usual(self) -> Level:
        """What is set."""
        return self._usual

    def set_usual(self, level: Level) -> None:
        """Let this be what is set, and in force."""
        self._usual = self._now = level
        self._until_s = math.inf

    def change(self, level: Level, now_s: float, for_s: float | None = None) -> None:
        """Put another level in force: for so long, or until it is changed again."""
        self._now = level
        self._until_s = math.inf if for_s is None else now_s + for_s

    def at(self, now_s: float) -> Level:
        """The level in force."""
        if now_s >= self._until_s:
            self.set_usual(self._usual)
        return self._now

    def left_s(self, now_s: float) -> float | None:
        """Seconds until what is set is in force again; None if it is, or no time was named."""
        self.at(now_s)
        return None if math.isinf(self._until_s) else self._until_s - now_s

    def passes(self, level: str, now_s: float) -> bool:
        """Whether a line of this level is written."""
        return RANK[level] >= RANK[self.at(now_s)]

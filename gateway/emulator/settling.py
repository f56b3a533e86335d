"""When events take effect: a fixed time after their arrival, in the order of arrival. Time is an argument."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from gateway.emulator.events import Move
from gateway.emulator.history import History


class Movable(Protocol):
    """What events move: a model, or several."""

    def move(self, user_id: str, item_ids: Sequence[str]) -> None:
        """Move a user towards items."""


class Settling:
    """Makes moves `settle_s` seconds after they arrived, as soon as `settle` is called, and notes their events."""

    def __init__(self, model: Movable, settle_s: float, history: History | None = None) -> None:
        self._model = model
        self._history = history or History()
        self._settle_s = settle_s
        self._waiting: deque[tuple[float, Move]] = deque()  # due first, first

    def __repr__(self) -> str:
        return f"Settling(settle_s={self._settle_s:g}, waiting={len(self._waiting)})"

    def arrive(self, move: Move, now: float) -> None:
        """Take a move; those that are due are made, so that only the last `settle_s` seconds wait."""
        if move.item_ids or move.events:
            self._waiting.append((now + self._settle_s, move))
        self.settle(now)

    def settle(self, now: float) -> None:
        """Make the moves that are due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, move = self._waiting.popleft()
            self._model.move(move.user_id, move.item_ids)
            self._history.add(move.user_id, move.events)

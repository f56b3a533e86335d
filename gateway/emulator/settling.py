"""When events take effect: a fixed time after their arrival, in the order of arrival. Time is an argument."""

from collections import deque

from gateway.emulator.events import Move
from gateway.emulator.model import Model


class Settling:
    """Makes moves `settle_s` seconds after they arrived, as soon as `settle` is called."""

    def __init__(self, model: Model, settle_s: float) -> None:
        self._model = model
        self._settle_s = settle_s
        self._waiting: deque[tuple[float, Move]] = deque()  # due first, first

    def __repr__(self) -> str:
        return f"Settling(settle_s={self._settle_s:g}, waiting={len(self._waiting)})"

    def arrive(self, move: Move, now: float) -> None:
        """Take a move; those that are due are made, so that only the last `settle_s` seconds wait."""
        if move.item_ids:
            self._waiting.append((now + self._settle_s, move))
        self.settle(now)

    def settle(self, now: float) -> None:
        """Make the moves that are due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, move = self._waiting.popleft()
            self._model.move(move.user_id, move.item_ids)

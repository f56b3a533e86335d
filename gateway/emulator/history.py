"""What users did lately, for filters on interactions: the newest events of each user, bounded.

It holds what PutEvents brought and, if filters may look at it, what the Interactions file has. An event is a mapping
as filters read it: ITEM_ID, EVENT_TYPE, TIMESTAMP (Unix seconds, as text).
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.emulator.lru import Lru

Event = Mapping[str, str]

# Filters of the service look at the 100 newest events of each type; shops have about ten types.
EVENTS_OF_USER_MAX: Final = 1_000

# Who did nothing for longest is forgotten. At the usual 20 events a user this is about 100 MB.
USERS_KEPT: Final = 100_000


class History:
    """The newest events by user, oldest first."""

    def __init__(self) -> None:
        self._events_of: Lru[deque[Event]] = Lru(USERS_KEPT)

    def __repr__(self) -> str:
        return f"History(users={len(self._events_of)})"

    def add(self, user_id: str, events: Iterable[Event]) -> None:
        """Append events of one user."""
        kept = self._events_of.get(user_id)
        if kept is None:
            kept = deque(maxlen=EVENTS_OF_USER_MAX)
            self._events_of.put(user_id, kept)
        kept.extend(events)

    def of(self, user_id: str) -> Sequence[Event]:
        """The events of a user."""
        return tuple(self._events_of.get(user_id) or ())

"""PutEvents, decided in pure code: a checked call and what is served, to what the call moves or a refusal."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.emulator import history
from gateway.emulator.campaigns import World
from gateway.emulator.events_rules import validate_events
from gateway.emulator.events_wire import Event, EventsCall


class Move(NamedTuple):
    """A user, the known items that the vector moves towards, one after the other, and the events for filters."""

    user_id: str
    item_ids: list[str]
    events: Sequence[history.Event] = ()


def accept_events(world: World, call: EventsCall) -> Move:
    """What an accepted call moves, in the order of its list; without a user, the session is the user.

    Before the next training, the service keeps the two apart in the same way: what a session did moves the rankings
    of the session, not those of the user who logs in.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate_events(call)
    world.check_tracker(call.tracking_id)
    of_items = [event for event in call.events if event.item_id]
    return Move(
        user_id=call.user_id or call.session_id,
        item_ids=[event.item_id or "" for event in of_items if world.knows(event.item_id or "")],
        events=[_noted(event) for event in of_items],
    )


def _noted(event: Event) -> history.Event:
    return {
        "ITEM_ID": event.item_id or "",
        "EVENT_TYPE": event.event_type or "",
        "TIMESTAMP": str(event.sent_at or 0),
    }

"""PutEvents, decided in pure code: a checked call and what is served, to what the call moves or a refusal."""

from typing import NamedTuple

from gateway.emulator.campaigns import World
from gateway.emulator.events_rules import validate_events
from gateway.emulator.events_wire import EventsCall


class Move(NamedTuple):
    """A user and the known items that the vector moves towards, one after the other."""

    user_id: str
    item_ids: list[str]


def accept_events(world: World, call: EventsCall) -> Move:
    """What an accepted call moves, in the order of its list; without a user, the session is the user.

    Before the next training, the service keeps the two apart in the same way: what a session did moves the rankings
    of the session, not those of the user who logs in.

    Raises:
        ServiceError: InvalidInputException or ResourceNotFoundException.
    """
    validate_events(call)
    world.check_tracker(call.tracking_id)
    item_ids = [event.item_id or "" for event in call.events]
    return Move(call.user_id or call.session_id, [item_id for item_id in item_ids if item_id in world.model.row_of])

"""PutEvents on the wire: bytes to a typed call; the answer has no body. No rule is checked here."""

from typing import Final

import msgspec

from gateway.emulator.wire import members_of


class MetricAttribution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an event came from, for reports; the rankings do not use it."""

    event_attribution_source: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event as sent: a member is None if it was absent or null. `sent_at` is in Unix seconds."""

    event_type: str | None = None
    sent_at: float | None = None
    event_id: str | None = None
    event_value: float | None = None
    item_id: str | None = None
    properties: str | None = None
    recommendation_id: str | None = None
    impression: list[str] | None = None
    metric_attribution: MetricAttribution | None = None


class EventsCall(msgspec.Struct, frozen=True, kw_only=True):
    """A PutEvents request; a required member that was absent is empty, and refused by the rules.

    `event_bytes` has the size of each event as it was sent.
    """

    tracking_id: str
    session_id: str
    user_id: str | None
    events: list[Event]
    event_bytes: list[int]


class _EventsMembers(msgspec.Struct, rename="camel"):
    tracking_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    event_list: list[Event] | None = None


class _SentEvents(msgspec.Struct, rename="camel"):
    event_list: list[msgspec.Raw] | None = None


_MEMBERS: Final = msgspec.json.Decoder(_EventsMembers)
_SENT: Final = msgspec.json.Decoder(_SentEvents)


def decode_events(body: bytes) -> EventsCall:
    """Read a PutEvents body.

    Raises:
        ServiceError: as `members_of`.
    """
    members = members_of(body, _MEMBERS)
    sent = members_of(body, _SENT)
    return EventsCall(
        tracking_id=members.tracking_id or "",
        session_id=members.session_id or "",
        user_id=members.user_id,
        events=members.event_list or [],
        event_bytes=[memoryview(event).nbytes for event in sent.event_list or []],
    )

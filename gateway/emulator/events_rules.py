"""The documented rules of PutEvents, as two tables: one for the call, one for each of its events."""

import re
from typing import Final

import msgspec

from gateway.emulator.events_wire import Event, EventsCall
from gateway.emulator.rules import (
    ID_CHARACTERS_MAX,
    ID_LENGTH,
    ID_LENGTHS,
    REQUIRED,
    Rule,
    are_ids,
    broken_rules,
    refuse_broken,
)

EVENTS_MAX: Final = 10
EVENT_BYTES_MAX: Final = 10 * 1024
IMPRESSION_ITEMS_MAX: Final = 25
RECOMMENDATION_ID_CHARACTERS_MAX: Final = 40
PROPERTIES_CHARACTERS_MAX: Final = 1024
SOURCE_CHARACTERS_MAX: Final = 1024

# Members of the call or the event, which the properties may not give a second time; compared in lower case.
RESERVED_PROPERTIES: Final = frozenset(
    {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
)

_PRINTABLE: Final = re.compile(r"[\x20-\x7E]+")
_PROPERTIES: Final = msgspec.json.Decoder(dict[str, object])


def _fits(text: str | None, characters_max: int = ID_CHARACTERS_MAX) -> bool:
    return text is None or 1 <= len(text) <= characters_max


def _property_names(event: Event) -> set[str] | None:
    """In lower case; None if the properties are not a JSON object."""
    try:
        return {name.lower() for name in _PROPERTIES.decode(event.properties or "{}")}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _source(event: Event) -> str | None:
    return None if event.metric_attribution is None else event.metric_attribution.event_attribution_source


def _is_source(text: str) -> bool:
    return len(text) <= SOURCE_CHARACTERS_MAX and not text.isspace() and _PRINTABLE.fullmatch(text) is not None


_OPTIONAL_ID_LENGTH: Final = f"Member must have between 1 and {ID_CHARACTERS_MAX} characters"

CALL_RULES: Final[tuple[Rule[EventsCall], ...]] = (
    Rule("trackingId", lambda call: bool(call.tracking_id), REQUIRED),
    Rule("trackingId", lambda call: len(call.tracking_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("sessionId", lambda call: bool(call.session_id), REQUIRED),
    Rule("sessionId", lambda call: len(call.session_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("userId", lambda call: _fits(call.user_id), _OPTIONAL_ID_LENGTH),
    Rule("eventList", lambda call: bool(call.events), REQUIRED),
    Rule(
        "eventList",
        lambda call: len(call.events) <= EVENTS_MAX,
        f"Member must have length less than or equal to {EVENTS_MAX}",
    ),
    Rule(
        "eventList",
        lambda call: max(call.event_bytes, default=0) <= EVENT_BYTES_MAX,
        f"Members must have at most {EVENT_BYTES_MAX} bytes",
    ),
)

EVENT_RULES: Final[tuple[Rule[Event], ...]] = (
    Rule("eventType", lambda event: bool(event.event_type), REQUIRED),
    Rule("eventType", lambda event: len(event.event_type or "") <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("sentAt", lambda event: event.sent_at is not None, REQUIRED),
    Rule("eventId", lambda event: _fits(event.event_id), _OPTIONAL_ID_LENGTH),
    Rule("itemId", lambda event: _fits(event.item_id), _OPTIONAL_ID_LENGTH),
    Rule(
        "properties",
        lambda event: _fits(event.properties, PROPERTIES_CHARACTERS_MAX),
        f"Member must have between 1 and {PROPERTIES_CHARACTERS_MAX} characters",
    ),
    Rule("properties", lambda event: _property_names(event) is not None, "Member must be a JSON object"),
    Rule(
        "properties",
        lambda event: RESERVED_PROPERTIES.isdisjoint(_property_names(event) or ()),
        f"Map keys must not be any of {', '.join(sorted(RESERVED_PROPERTIES))}, in upper or lower case",
    ),
    Rule(
        "recommendationId",
        lambda event: _fits(event.recommendation_id, RECOMMENDATION_ID_CHARACTERS_MAX),
        f"Member must have between 1 and {RECOMMENDATION_ID_CHARACTERS_MAX} characters",
    ),
    Rule(
        "impression",
        lambda event: event.impression is None or 1 <= len(event.impression) <= IMPRESSION_ITEMS_MAX,
        f"Member must have between 1 and {IMPRESSION_ITEMS_MAX} members",
    ),
    Rule("impression", lambda event: are_ids(event.impression or []), ID_LENGTHS),
    Rule(
        "metricAttribution.eventAttributionSource",
        lambda event: event.metric_attribution is None or bool(_source(event)),
        REQUIRED,
    ),
    Rule(
        "metricAttribution.eventAttributionSource",
        lambda event: not _source(event) or _is_source(_source(event) or ""),
        f"Member must have at most {SOURCE_CHARACTERS_MAX} characters, printable ASCII and not only spaces",
    ),
)


def validate_events(call: EventsCall) -> None:
    """Check a call and its events against the rules; events are counted from 1, as AWS does.

    Raises:
        ServiceError: InvalidInputException that names every broken rule.
    """
    broken = broken_rules(call, CALL_RULES)
    for number, event in enumerate(call.events[:EVENTS_MAX], start=1):
        broken += broken_rules(event, EVENT_RULES, under=f"eventList.{number}.member.")
    refuse_broken(broken)

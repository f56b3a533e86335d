"""The rules of PutEvents: what each refuses, and what is just allowed."""

from typing import Any

import orjson
import pytest

from gateway.emulator.errors import ServiceError
from gateway.emulator.events_rules import CALL_RULES, EVENT_RULES, validate_events
from gateway.emulator.events_wire import decode_events

SOURCE = "metricAttribution"


def properties(**values: Any) -> str:
    """Properties as they are sent: a map as JSON in a string."""
    return orjson.dumps(values).decode()


def event_of(size: int) -> dict[str, Any]:
    """An event that takes so many bytes in compact JSON."""
    event = {"eventType": "click", "sentAt": 1, "somethingNew": ""}
    return event | {"somethingNew": "x" * (size - len(orjson.dumps(event)))}


EVENT = {"eventType": "click", "sentAt": 1}

# The rules of the tables in their order, each broken by one change of a good call or of its event.
BROKEN_CALLS: list[dict[str, Any]] = [
    {"trackingId": None},
    {"trackingId": "t" * 257},
    {"sessionId": None},
    {"sessionId": "s" * 257},
    {"userId": "u" * 257},
    {"eventList": None},
    {"eventList": [EVENT] * 11},
    {"eventList": [EVENT, event_of(10_241)]},
]
BROKEN_EVENTS: list[dict[str, Any]] = [
    {"eventType": None},
    {"eventType": "t" * 257},
    {"sentAt": None},
    {"eventId": "e" * 257},
    {"itemId": "i" * 257},
    {"properties": properties(numberOfRatings="1" * 1003)},
    {"properties": "numberOfRatings=12"},
    {"properties": properties(userId="u")},
    {"recommendationId": "r" * 41},
    {"impression": ["i"] * 26},
    {"impression": ["good", "i" * 257]},
    {SOURCE: {}},
    {SOURCE: {"eventAttributionSource": "s" * 1025}},
]

# More ways to break rules, as the number of the rule in its table.
ALSO_BROKEN_CALLS: list[tuple[int, dict[str, Any]]] = [
    (0, {"trackingId": ""}),
    (2, {"sessionId": ""}),
    (4, {"userId": ""}),
    (5, {"eventList": []}),
]
ALSO_BROKEN_EVENTS: list[tuple[int, dict[str, Any]]] = [
    (0, {"eventType": ""}),
    (3, {"eventId": ""}),
    (4, {"itemId": ""}),
    (5, {"properties": ""}),
    *((6, {"properties": text}) for text in ("[]", '"text"', "{", "[" * 1024, "null")),
    *((7, {"properties": properties(**{name: 1})}) for name in ("SESSIONID", "eventtype", "timestamp", "Impression")),
    (7, {"properties": properties(recommendationId="r")}),
    (8, {"recommendationId": ""}),
    (9, {"impression": []}),
    (10, {"impression": ["good", ""]}),
    (11, {SOURCE: {"eventAttributionSource": None}}),
    (11, {SOURCE: {"eventAttributionSource": ""}}),
    *((12, {SOURCE: {"eventAttributionSource": text}}) for text in ("   ", "Zoë", "tab\there")),
]

JUST_ALLOWED_CALLS: list[dict[str, Any]] = [
    {"userId": None},
    {"trackingId": "t" * 256, "sessionId": "s" * 256, "userId": "u" * 256},
    {"eventList": [EVENT] * 10},
    {"eventList": [event_of(10_240)] * 10},
    {"somethingNew": [1, 2, 3]},
]
JUST_ALLOWED_EVENTS: list[dict[str, Any]] = [
    {"eventType": "t" * 256, "eventId": "e" * 256, "itemId": "i" * 256, "recommendationId": "r" * 40},
    {"sentAt": 1_719_511_760.25, "eventValue": -1.5},
    {"sentAt": 0, "eventValue": 0},
    {"properties": properties(numberOfRatings="1" * 1002)},
    {"properties": properties(itemId="i", eventValue=4.5, nested={"userId": "u"})},
    {"properties": "{}"},
    {"impression": ["i" * 256] * 25},
    {SOURCE: {"eventAttributionSource": "s" * 1024}},
    {SOURCE: {"eventAttributionSource": " third party "}},
    dict.fromkeys(("eventId", "eventValue", "itemId", "properties", "recommendationId", "impression", SOURCE)),
    {"somethingNew": None},
]


def check(members: dict[str, Any], change: dict[str, Any]) -> None:
    """Send a changed call through decoding and validation."""
    validate_events(decode_events(orjson.dumps(members | change)))


def in_event(click: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The change of the call whose second event has this change."""
    return {"eventList": [click["eventList"][0], click["eventList"][0] | change]}


def refusal(members: dict[str, Any], change: dict[str, Any]) -> str:
    """What a changed call is told, which must be that its input is invalid."""
    with pytest.raises(ServiceError) as refused:
        check(members, change)
    assert refused.value.code == "InvalidInputException"
    return refused.value.message


@pytest.mark.parametrize(("rule", "change"), [*enumerate(BROKEN_CALLS), *ALSO_BROKEN_CALLS])
def test_a_broken_rule_of_the_call_is_named(click: dict[str, Any], rule: int, change: dict[str, Any]) -> None:
    """A call that breaks one rule is refused by exactly this rule, by member and constraint."""
    member, _, constraint = CALL_RULES[rule]
    told = f"1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"
    assert refusal(click, change) == told


@pytest.mark.parametrize(("rule", "change"), [*enumerate(BROKEN_EVENTS), *ALSO_BROKEN_EVENTS])
def test_a_broken_rule_of_an_event_is_named(click: dict[str, Any], rule: int, change: dict[str, Any]) -> None:
    """An event that breaks one rule is refused by exactly this rule, with its number in the list."""
    member, _, constraint = EVENT_RULES[rule]
    place = f"eventList.2.member.{member}"
    told = f"1 validation error detected: Value at '{place}' failed to satisfy constraint: {constraint}"
    assert refusal(click, in_event(click, change)) == told


def test_every_rule_is_tried() -> None:
    """The tables of broken calls and events have a row for every rule."""
    assert (len(BROKEN_CALLS), len(BROKEN_EVENTS)) == (len(CALL_RULES), len(EVENT_RULES))


@pytest.mark.parametrize("change", JUST_ALLOWED_CALLS)
def test_a_call_at_the_limits_is_allowed(click: dict[str, Any], change: dict[str, Any]) -> None:
    """A call at a limit is not refused; null members count as absent, unknown ones are ignored."""
    check(click, change)


@pytest.mark.parametrize("change", JUST_ALLOWED_EVENTS)
def test_an_event_at_the_limits_is_allowed(click: dict[str, Any], change: dict[str, Any]) -> None:
    """An event at a limit is not refused; null members count as absent, unknown ones are ignored."""
    check(click, in_event(click, change))


def test_all_broken_rules_are_reported_together(click: dict[str, Any]) -> None:
    """One answer names every broken rule of the call and its events, and repeats no value."""
    change = in_event(click, {"itemId": "private" * 40, "sentAt": None}) | {"userId": "secret" * 50}
    message = refusal(click, change)
    assert message.startswith("3 validation errors detected: Value at 'userId'")
    assert "secret" not in message
    assert "private" not in message


@pytest.mark.parametrize(
    "change",
    [
        *({"sentAt": value} for value in ("1719511760", "2024-06-27T18:09:20Z", True, [])),
        {"eventValue": "4.5"},
        {"properties": {"numberOfRatings": "12"}},
        {"impression": "p00001"},
        {"impression": ["p00001", None]},
        {SOURCE: "third party"},
    ],
)
def test_a_member_of_the_wrong_type(click: dict[str, Any], change: dict[str, Any]) -> None:
    """A member of the wrong JSON type is an invalid input, and the answer says where it is."""
    assert f"$.eventList[1].{next(iter(change))}" in refusal(click, in_event(click, change))


@pytest.mark.parametrize("event_list", [{}, "click", [None], [[]]])
def test_a_list_that_is_none_of_events(click: dict[str, Any], event_list: object) -> None:
    """What is not a list of events is an invalid input."""
    assert "$.eventList" in refusal(click, {"eventList": event_list})


@pytest.mark.parametrize("number", [b"1e400", b"1" + b"0" * 400])
def test_a_time_beyond_all_numbers(number: bytes) -> None:
    """A number that no float holds is an invalid input."""
    with pytest.raises(ServiceError, match="InvalidInputException"):
        decode_events(b'{"eventList": [{"sentAt": ' + number + b"}]}")

"""The rules of GetPersonalizedRanking: what each refuses, and what is just allowed."""

from typing import Any

import orjson
import pytest

from gateway.emulator.errors import ServiceError
from gateway.emulator.validation import LENGTH_RULES, MEMBER_RULES, validate
from gateway.emulator.wire import decode_ranking

RULES = MEMBER_RULES + LENGTH_RULES
ARN = "arn:aws:personalize:eu-west-1:123456789012:filter/"


def ids(count: int) -> list[str]:
    """Different ids, also fit for column names."""
    return [f"i{number}" for number in range(count)]


# The rules of the table in its order, each broken by one change of a good call.
BROKEN: list[dict[str, Any]] = [
    {"campaignArn": None},
    {"campaignArn": "arn:aws:s3:::bucket"},
    {"userId": ""},
    {"userId": "u" * 257},
    {"inputList": []},
    {"inputList": ["good", "i" * 257]},
    {"context": {f"K{number}": "v" for number in range(151)}},
    {"context": {"not a name": "v"}},
    {"context": {"DEVICE": "v" * 1001}},
    {"filterArn": "bought"},
    {"filterValues": {f"K{number}": "v" for number in range(26)}},
    {"filterValues": {"K" * 51: "v"}},
    {"filterValues": {"CATEGORY": "v" * 1001}},
    {"metadataColumns": {"USERS": ["AGE"]}},
    {"metadataColumns": {"ITEMS": ids(11)}},
    {"metadataColumns": {"ITEMS": ["C" * 151]}},
    {"inputList": ids(501)},
    {"inputList": ids(51), "metadataColumns": {"ITEMS": ["TITLE"]}},
]

# More ways to break rules, as the number of the rule in the table.
ALSO_BROKEN: list[tuple[int, dict[str, Any]]] = [
    (0, {"campaignArn": ""}),
    (1, {"campaignArn": ARN + "c" * 256}),
    (1, {"campaignArn": "arn:AWS:personalize:r:a:campaign/c"}),
    (2, {"userId": None}),
    (4, {"inputList": None}),
    (5, {"inputList": ["good", ""]}),
    (7, {"context": {"": "v"}}),
    (7, {"context": {"K" * 151: "v"}}),
    (7, {"context": {"GRÖSSE": "v"}}),
    (9, {"filterArn": ""}),
    (11, {"filterValues": {"a-b": "v"}}),
]

JUST_ALLOWED: list[dict[str, Any]] = [
    {"campaignArn": ARN + "c" * (256 - len(ARN))},
    {"userId": "u" * 256},
    {"inputList": ids(500)},
    {"inputList": ["i" * 256]},
    {"inputList": ids(50), "metadataColumns": {"ITEMS": ids(10)}},
    {"context": {f"K{number}": "v" * 1000 for number in range(150)}},
    {"context": {"K" * 150: ""}},
    {"filterValues": {f"K{number:049d}": "v" * 1000 for number in range(25)}},
    {"filterArn": ARN + "bought"},
    {"context": None, "filterArn": None, "filterValues": None, "metadataColumns": None},
    {"somethingNew": [1, 2, 3]},
]


def check(members: dict[str, Any], change: dict[str, Any]) -> None:
    """Send a changed call through decoding and validation."""
    validate(decode_ranking(orjson.dumps(members | change)))


@pytest.mark.parametrize(("rule", "change"), [*enumerate(BROKEN), *ALSO_BROKEN])
def test_a_broken_rule_is_named(members: dict[str, Any], rule: int, change: dict[str, Any]) -> None:
    """A call that breaks one rule is refused by exactly this rule, by member and constraint."""
    with pytest.raises(ServiceError) as refused:
        check(members, change)
    expected = f"Value at '{RULES[rule].member}' failed to satisfy constraint: {RULES[rule].constraint}"
    assert refused.value.code == "InvalidInputException"
    assert refused.value.message == f"1 validation error detected: {expected}"


def test_every_rule_is_tried() -> None:
    """The table of broken calls has a row for every rule."""
    assert len(BROKEN) == len(RULES)


@pytest.mark.parametrize("change", JUST_ALLOWED)
def test_the_limits_themselves_are_allowed(members: dict[str, Any], change: dict[str, Any]) -> None:
    """A call at a limit is not refused; null members count as absent, unknown ones are ignored."""
    check(members, change)


def test_all_broken_rules_are_reported_together(members: dict[str, Any]) -> None:
    """One answer names every broken rule, and repeats no value."""
    with pytest.raises(ServiceError) as refused:
        check(members, {"userId": "secret" * 50, "inputList": None, "context": {"DEVICE": "private" * 200}})
    assert refused.value.message.startswith("3 validation errors detected: ")
    assert "secret" not in refused.value.message
    assert "private" not in refused.value.message


@pytest.mark.parametrize(
    "change",
    [{"inputList": "p1"}, {"inputList": ["p1", 2]}, {"userId": 7}, {"context": {"A": 1}}, {"metadataColumns": []}],
)
def test_a_member_of_the_wrong_type(members: dict[str, Any], change: dict[str, Any]) -> None:
    """A member of the wrong JSON type is an invalid input."""
    with pytest.raises(ServiceError) as refused:
        check(members, change)
    assert refused.value.code == "InvalidInputException"

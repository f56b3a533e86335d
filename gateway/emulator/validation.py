"""The documented rules of GetPersonalizedRanking, and those that operations share, as tables of rules.py."""

import re
from collections.abc import Mapping
from typing import Final, Protocol

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
from gateway.emulator.wire import Call, ItemsCall, RankingCall

ITEMS_MAX: Final = 500
ITEMS_WITH_METADATA_MAX: Final = 50
ARN_CHARACTERS_MAX: Final = 256
CONTEXT_ENTRIES_MAX: Final = 150
FILTER_VALUES_MAX: Final = 25
METADATA_COLUMNS_MAX: Final = 10
COLUMN_CHARACTERS_MAX: Final = 150
VALUE_CHARACTERS_MAX: Final = 1000

_ARN: Final = re.compile(r"arn:([a-z\d-]+):personalize:.*:.*:.+", re.ASCII)
_CONTEXT_NAME: Final = re.compile(r"[A-Za-z\d_]{1,150}", re.ASCII)
_FILTER_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,50}")


def is_arn(text: str) -> bool:
    """Whether the text has the form and the length of a Personalize ARN."""
    return len(text) <= ARN_CHARACTERS_MAX and _ARN.fullmatch(text) is not None


def _names_match(pattern: re.Pattern[str], entries: Mapping[str, str]) -> bool:
    return all(map(pattern.fullmatch, entries))


def _values_fit(entries: Mapping[str, str]) -> bool:
    return all(len(value) <= VALUE_CHARACTERS_MAX for value in entries.values())


ARN_SHAPE: Final = (
    f"Member must have at most {ARN_CHARACTERS_MAX} characters and match arn:([a-z\\d-]+):personalize:.*:.*:.+"
)
_VALUE_SHAPE: Final = f"Map values must have at most {VALUE_CHARACTERS_MAX} characters"


class Filtered(Protocol):
    """What may name a filter: a call, or a promotion in it."""

    @property
    def filter_arn(self) -> str | None:
        """The filter, None for all items."""

    @property
    def filter_values(self) -> Mapping[str, str]:
        """Values of the filter's parameters."""


CAMPAIGN_RULES: Final[tuple[Rule[Call], ...]] = (
    Rule("campaignArn", lambda call: bool(call.campaign_arn), REQUIRED),
    Rule("campaignArn", lambda call: not call.campaign_arn or is_arn(call.campaign_arn), ARN_SHAPE),
)

CONTEXT_RULES: Final[tuple[Rule[ItemsCall], ...]] = (
    Rule(
        "context",
        lambda call: len(call.context) <= CONTEXT_ENTRIES_MAX,
        f"Map must have at most {CONTEXT_ENTRIES_MAX} entries",
    ),
    Rule(
        "context",
        lambda call: _names_match(_CONTEXT_NAME, call.context),
        f"Map keys must match {_CONTEXT_NAME.pattern}",
    ),
    Rule("context", lambda call: _values_fit(call.context), _VALUE_SHAPE),
)

FILTER_RULES: Final[tuple[Rule[Filtered], ...]] = (
    Rule("filterArn", lambda call: call.filter_arn is None or is_arn(call.filter_arn), ARN_SHAPE),
    Rule(
        "filterValues",
        lambda call: len(call.filter_values) <= FILTER_VALUES_MAX,
        f"Map must have at most {FILTER_VALUES_MAX} entries",
    ),
    Rule(
        "filterValues",
        lambda call: _names_match(_FILTER_NAME, call.filter_values),
        f"Map keys must match {_FILTER_NAME.pattern}",
    ),
    Rule("filterValues", lambda call: _values_fit(call.filter_values), _VALUE_SHAPE),
)

METADATA_RULES: Final[tuple[Rule[ItemsCall], ...]] = (
    Rule("metadataColumns", lambda call: set(call.metadata_columns) <= {"ITEMS"}, "Map may only have the key ITEMS"),
    Rule(
        "metadataColumns",
        lambda call: all(len(columns) <= METADATA_COLUMNS_MAX for columns in call.metadata_columns.values()),
        f"Member must name at most {METADATA_COLUMNS_MAX} columns",
    ),
    Rule(
        "metadataColumns",
        lambda call: all(
            len(name) <= COLUMN_CHARACTERS_MAX for columns in call.metadata_columns.values() for name in columns
        ),
        f"Column names must have at most {COLUMN_CHARACTERS_MAX} characters",
    ),
)

MEMBER_RULES: Final[tuple[Rule[RankingCall], ...]] = (
    *CAMPAIGN_RULES,
    Rule("userId", lambda call: bool(call.user_id), REQUIRED),
    Rule("userId", lambda call: len(call.user_id) <= ID_CHARACTERS_MAX, ID_LENGTH),
    Rule("inputList", lambda call: bool(call.input_list), REQUIRED),
    Rule("inputList", lambda call: are_ids(call.input_list), ID_LENGTHS),
    *CONTEXT_RULES,
    *FILTER_RULES,
    *METADATA_RULES,
)

LENGTH_RULES: Final[tuple[Rule[RankingCall], ...]] = (
    Rule(
        "inputList",
        lambda call: len(call.input_list) <= ITEMS_MAX,
        f"Member must have length less than or equal to {ITEMS_MAX}",
    ),
    Rule(
        "inputList",
        lambda call: not call.metadata_columns or len(call.input_list) <= ITEMS_WITH_METADATA_MAX,
        f"Member must have length less than or equal to {ITEMS_WITH_METADATA_MAX} when metadataColumns is given",
    ),
)


def validate(call: RankingCall, rules: tuple[Rule[RankingCall], ...] = MEMBER_RULES + LENGTH_RULES) -> None:
    """Check a call against the rules.

    Raises:
        ServiceError: InvalidInputException that names every broken rule.
    """
    refuse_broken(broken_rules(call, rules))

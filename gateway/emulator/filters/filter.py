"""A parsed filter, and what it keeps of a list.

Each expression of a chain selects items by itself; the result is what any INCLUDE selects (everything, if there is
none) less what any EXCLUDE selects. Where the documentation leaves it open:

- an expression whose IF is not met for the user does nothing, as if it were not in the chain;
- an EXCLUDE without a value for a parameter does not use the condition that has it, and does nothing when no condition
  remains; nothing either when the parameter is in its IF, since nobody can say then whether it is meant;
- NOT IN of event types is met by an item without such an interaction, even if it has none at all.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from gateway.emulator.filters.checks import EVENTS, check
from gateway.emulator.filters.conditions import cell_test
from gateway.emulator.filters.errors import FilterValueError
from gateway.emulator.filters.grammar import parse_chain
from gateway.emulator.filters.syntax import ANY_TYPE, Condition, Expression, Field, Kind, Parameter
from gateway.emulator.filters.values import given_values, number_of

# The most recent events of each type of one user that filters look at, and the column with the id.
RECENT_MAX: Final = {"Interactions": 100, "Action_Interactions": 300}
ID_COLUMN: Final = {"Interactions": "ITEM_ID", "Action_Interactions": "ACTION_ID"}

Interaction = Mapping[str, str | float]
Flags = list[bool]
"""In step with the items."""


@dataclass(frozen=True)
class Facts:
    """What conditions are checked against, in one call."""

    item_properties: Callable[[str], Mapping[str, str]]
    interactions: Callable[[], Sequence[Interaction]]
    user: Mapping[str, str]
    current_item: Mapping[str, str] | None
    values: Mapping[str, str]

    def wanted(self, condition: Condition) -> tuple[str, ...] | None:
        """The right side of a condition; None if its parameter has no value."""
        if condition.parameter is not None:
            return given_values(condition.parameter, self.values)
        wanted: list[str] = []
        for value in condition.values:
            if isinstance(value, Field):
                cell = (self.current_item or {}).get(value.name)
                wanted += cell.split("|") if cell else []
            elif not isinstance(value, Parameter):
                wanted.append(value.text)
        return tuple(wanted)


@dataclass(frozen=True)
class Filter:
    """A filter for items or actions; `str` of it is its expression in a canonical spelling."""

    chain: tuple[Expression, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.chain))

    @property
    def kind(self) -> Kind:
        """What it filters: `ItemID` or `ActionID`."""
        return "ActionID" if self.chain[0].subject == "ActionID" else "ItemID"

    @property
    def parameters(self) -> frozenset[str]:
        """The names of all parameters, without `$`; they are case-sensitive."""
        return frozenset(c.parameter for part in self.chain for c in part.conditions if c.parameter is not None)

    @property
    def needs_current_item(self) -> bool:
        """Whether it compares with the current item, which only calls for related items have."""
        conditions = (c for part in self.chain for c in part.conditions)
        return any(isinstance(value, Field) for c in conditions for value in c.values)

    def keep(
        self,
        items: Sequence[str],
        *,
        item_properties: Callable[[str], Mapping[str, str]],
        interactions: Callable[[], Sequence[Interaction]],
        user: Mapping[str, str],
        values: Mapping[str, str],
        current_item: Mapping[str, str] | None = None,
    ) -> list[bool]:
        """For each item (or action) in step: whether it stays.

        Args:
            items: ids; repeated ones get the same answer.
            item_properties: the cells of an id by column name in upper case; empty for an id without any.
            interactions: the user's events, oldest first where they have no TIMESTAMP, each with ITEM_ID (or
                ACTION_ID), EVENT_TYPE and perhaps TIMESTAMP; called at most once, and only if the filter asks.
            user: the cells of the user by column name in upper case.
            values: `filterValues`; names that the filter does not have are ignored.
            current_item: the cells of the item that the call is about, for calls for related items.

        Raises:
            FilterValueError: an INCLUDE has no value for a parameter, a value is badly quoted or does not fit its
                operator, or the filter needs a current item.
        """
        if self.needs_current_item and current_item is None:
            raise FilterValueError("A filter with CurrentItem can be applied to related items only")
        facts = Facts(item_properties, cache(interactions), user, current_item, values)
        selected = [(part.verb, _selected(part, facts, items)) for part in self.chain]
        includes = [flags for verb, flags in selected if verb == "INCLUDE" and flags is not None]
        excludes = [flags for verb, flags in selected if verb == "EXCLUDE" and flags is not None]
        included = _any_of(includes) if includes else [True] * len(items)
        excluded = _any_of(excludes) if excludes else [False] * len(items)
        return [wanted and not unwanted for wanted, unwanted in zip(included, excluded, strict=True)]


def parse(expression: str) -> Filter:
    """Read a filter expression.

    Raises:
        FilterError: it is not in the language or breaks a documented rule; says where.
    """
    chain = parse_chain(expression)
    check(chain)
    return Filter(chain)


def _selected(part: Expression, facts: Facts, items: Sequence[str]) -> Flags | None:
    """What an expression selects; None if it does nothing in this call."""
    wanted = {condition: _wanted(part, condition, facts) for condition in part.conditions}
    if any(wanted[condition] is None for condition in part.when):
        return None
    when = [cell_test(c, wanted[c] or ())(facts.user.get(c.field.name)) for c in part.when]
    usable = [[c for c in group if wanted[c] is not None] for group in part.groups]
    groups = [[_flags(c, wanted[c] or (), facts, items) for c in group] for group in usable if group]
    if not groups or not all(when):
        return None
    return _any_of([list(map(all, zip(*group, strict=True))) for group in groups])


def _any_of(rows: Sequence[Flags]) -> Flags:
    return list(map(any, zip(*rows, strict=True)))


def _wanted(part: Expression, condition: Condition, facts: Facts) -> tuple[str, ...] | None:
    wanted = facts.wanted(condition)
    if wanted is None and part.verb == "INCLUDE":
        raise FilterValueError(f"A value for filter parameter {condition.parameter} is required by an INCLUDE")
    return wanted


def _flags(condition: Condition, wanted: tuple[str, ...], facts: Facts, items: Sequence[str]) -> Flags:
    """Which items meet a condition; one look at each distinct cell, since most columns have few."""
    if condition.field.dataset in EVENTS:
        ids = _with_events(condition, wanted, facts.interactions())
        negated = condition.operator in ("NOT IN", "!=")
        return [(item in ids) is not negated for item in items]
    test = cell_test(condition, wanted)
    cells = [facts.item_properties(item).get(condition.field.name) for item in items]
    outcomes = {cell: test(cell) for cell in set(cells)}
    return [outcomes[cell] for cell in cells]


def _with_events(condition: Condition, wanted: Sequence[str], events: Sequence[Interaction]) -> frozenset[str]:
    """The ids in the most recent events of the wanted types, whose case is ignored."""
    dataset = condition.field.dataset
    types = {text.casefold() for text in wanted}
    oldest_first = sorted(events, key=lambda event: number_of(str(event.get("TIMESTAMP", ""))) or 0.0)
    seen: Counter[str] = Counter()
    ids: set[str] = set()
    for event in reversed(oldest_first):
        event_type = str(event["EVENT_TYPE"]).casefold()
        seen[event_type] += 1
        if seen[event_type] <= RECENT_MAX[dataset] and (ANY_TYPE in types or event_type in types):
            ids.add(str(event.get(ID_COLUMN[dataset], "")))
    return frozenset(ids)

"""The seam to the filter language: named expressions on one side, `keep these items` on the other.

Expressions are parsed by the package `filters`, which is loaded with the first filter (it makes its parser then).
Where the documentation is silent: filters work on what was scored, so the scores of a filtered ranking are those of the
whole list and sum to less than 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, Protocol

from gateway.emulator.config import ConfigError
from gateway.emulator.errors import ServiceError
from gateway.emulator.history import Event

FILTER_PREFIX: Final = "arn:aws:personalize:us-east-1:000000000000:filter/"

# For the built-in store, which has these columns; `Interactions` are what PutEvents brought.
BUILT_IN: Final[Mapping[str, str]] = {
    "exclude-purchased": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
    "exclude-seen": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
    "category": "INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)",
    "exclude-category": "EXCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)",
    "brand": "INCLUDE ItemID WHERE Items.BRAND IN ($BRAND)",
    "price-below": "INCLUDE ItemID WHERE Items.PRICE < $PRICE",
}


class Filter(Protocol):
    """A parsed expression; `kind` is ItemID or ActionID."""

    @property
    def kind(self) -> str:
        """What it filters."""

    def keep(
        self,
        items: Sequence[str],
        *,
        item_properties: Callable[[str], Mapping[str, str]],
        interactions: Callable[[], Sequence[Event]],
        user: Mapping[str, str],
        values: Mapping[str, str],
        **more: Any,
    ) -> list[bool]:
        """For each item in step: whether it stays."""


@dataclass(frozen=True)
class Facts:
    """What the filters of one call look at; `current_item` is the item that a call for related items is about."""

    kind: str
    properties: Callable[[str], Mapping[str, str]]
    interactions: Callable[[], Sequence[Event]]
    current_item: Mapping[str, str] | None = None


Keep = Callable[[Sequence[str]], list[bool]]


def _language() -> ModuleType:
    """The language of the service."""
    from gateway.emulator import filters

    return filters


@dataclass
class Filters:
    """All filters by name. `allowed` of a call are the names that its campaign may use, None for all.

    `language` has `parse`, `FilterError` and `FilterValueError`.
    """

    expressions: Mapping[str, str]
    language: Callable[[], ModuleType | Any] = _language
    _parsed: dict[str, Filter] = field(default_factory=dict)

    def check(self) -> None:
        """Parse all.

        Raises:
            ConfigError: an expression is wrong; says which and where.
        """
        for name in self.expressions:
            try:
                self._filter(name)
            except self.language().FilterError as error:
                raise ConfigError(f"filters.{name}: {error}") from error

    def keep(
        self, arn: str | None, values: Mapping[str, str], facts: Facts, allowed: frozenset[str] | None = None
    ) -> Keep:
        """What the filter of an ARN keeps of a list; None keeps all.

        Raises:
            ServiceError: ResourceNotFoundException if there is no such filter, InvalidInputException if it is not for
                what the call asks. The returned function raises InvalidInputException if values are missing or bad.
        """
        if arn is None:
            return lambda items: [True] * len(items)
        name = arn.removeprefix(FILTER_PREFIX)
        if name not in self.expressions or (allowed is not None and name not in allowed):
            raise ServiceError("ResourceNotFoundException", f"Filter with ARN {arn} not found")
        chosen = self._filter(name)
        if chosen.kind != facts.kind:
            raise ServiceError("InvalidInputException", f"Filter with ARN {arn} does not filter by {facts.kind}")

        def keep(items: Sequence[str]) -> list[bool]:
            more = {} if facts.current_item is None else {"current_item": facts.current_item}
            try:
                return chosen.keep(
                    items,
                    item_properties=facts.properties,
                    interactions=facts.interactions,
                    user={},  # there is no Users dataset
                    values=values,
                    **more,
                )
            except self.language().FilterValueError as error:
                raise ServiceError("InvalidInputException", str(error)) from error

        return keep

    def _filter(self, name: str) -> Filter:
        if name not in self._parsed:
            self._parsed[name] = self.language().parse(self.expressions[name])
        return self._parsed[name]

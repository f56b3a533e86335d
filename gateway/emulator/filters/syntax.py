"""The parts of a parsed filter. `str` of a part is the expression again, in one canonical spelling.

The language has no parentheses around conditions, so a WHERE is at most an OR of ANDs (AND binds closer; the
documentation shows no expression with both) and is kept as that: groups of conditions. Names of datasets and columns
are kept in the spelling of the service's schemas, so two expressions that mean the same columns are equal. Places are
for messages and do not take part in comparisons.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Verb = Literal["INCLUDE", "EXCLUDE"]
Kind = Literal["ItemID", "ActionID"]

ANY_TYPE: Final = "*"
EVENT_TYPE: Final = "EVENT_TYPE"


class Place(NamedTuple):
    """Where a part begins; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Field:
    """A column of a dataset, `Items.GENRE`; its name is in upper case."""

    dataset: str
    name: str
    place: Place = field(compare=False)

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True)
class Text:
    """A double-quoted string."""

    text: str
    place: Place = field(compare=False)

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True)
class Number:
    """A number, kept as it was written."""

    text: str
    place: Place = field(compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Parameter:
    """A placeholder, `$GENRES`; its name is case-sensitive."""

    name: str
    place: Place = field(compare=False)

    def __str__(self) -> str:
        return f"${self.name}"


Value = Text | Number | Parameter | Field


@dataclass(frozen=True)
class Condition:
    """A field, an operator in upper case, and what it is compared with (nothing for IS NULL and IS NOT NULL)."""

    field: Field
    operator: str
    values: tuple[Value, ...]

    @property
    def parameter(self) -> str | None:
        """The name of its parameter; the rules allow one, alone."""
        return next((value.name for value in self.values if isinstance(value, Parameter)), None)

    def __str__(self) -> str:
        words = [str(self.field), self.operator]
        if self.values:
            values = ", ".join(map(str, self.values))
            listed = self.operator in ("IN", "NOT IN") and not isinstance(self.values[0], Field)
            words.append(f"({values})" if listed else values)
        return " ".join(words)


@dataclass(frozen=True)
class Expression:
    """One part of a chain: what meets all conditions of one of the groups, if the user meets all of `when`."""

    verb: Verb
    subject: str
    groups: tuple[tuple[Condition, ...], ...]
    when: tuple[Condition, ...]
    place: Place = field(compare=False)

    @property
    def where(self) -> Iterator[Condition]:
        """The conditions on items, without those on the user."""
        return (condition for group in self.groups for condition in group)

    @property
    def conditions(self) -> Iterator[Condition]:
        """All conditions, in the order of the text."""
        yield from self.where
        yield from self.when

    def __str__(self) -> str:
        where = " OR ".join(" AND ".join(map(str, group)) for group in self.groups)
        when = f" IF {' AND '.join(map(str, self.when))}" if self.when else ""
        return f"{self.verb} {self.subject} WHERE {where}{when}"

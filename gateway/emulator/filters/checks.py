"""The documented rules that a grammar does not tell, as a table; each names the part that breaks it."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from gateway.emulator.filters.errors import FilterError
from gateway.emulator.filters.syntax import (
    EVENT_TYPE,
    Condition,
    Expression,
    Field,
    Number,
    Parameter,
    Place,
    Text,
    Value,
)

FIELDS_MAX: Final = 10  # distinct fields of a filter, over all expressions of its chain

DATASETS_OF: Final = {"ItemID": ("Items", "Interactions"), "ActionID": ("Actions", "Action_Interactions")}
EVENTS: Final = ("Interactions", "Action_Interactions")
ORDER: Final = ("<", "<=", ">", ">=")
EQUALITY: Final = ("IN", "NOT IN", "=", "!=")


class Fault(NamedTuple):
    """A broken rule and where it is broken."""

    reason: str
    place: Place


def _subject(part: Expression) -> Iterator[Fault]:
    if part.subject not in DATASETS_OF:
        yield Fault("UserID filters user segments, which are batch jobs; use ItemID or ActionID", part.place)


def _datasets(part: Expression) -> Iterator[Fault]:
    allowed = DATASETS_OF.get(part.subject, ())
    first = next(part.where).field.dataset
    for condition in part.where:
        dataset, place = condition.field.dataset, condition.field.place
        if dataset == "CurrentUser":
            yield Fault("CurrentUser is for the IF at the end only", place)
        elif dataset == "CurrentItem":
            yield Fault("CurrentItem is a value to compare with: it goes to the right of the operator", place)
        elif dataset not in allowed:
            yield Fault(f"{part.subject} is filtered by {' or '.join(allowed)}, not by {dataset}", place)
        elif dataset != first:
            yield Fault(
                f"AND and OR keep to the dataset of the first condition, {first}; chain expressions with | instead",
                place,
            )


def _users(part: Expression) -> Iterator[Fault]:
    for condition in part.when:
        if condition.field.dataset != "CurrentUser":
            yield Fault("IF checks CurrentUser only", condition.field.place)
        for value in condition.values:
            if isinstance(value, Field):
                yield Fault("IF compares with a string, a number or a parameter", value.place)


def _events(part: Expression) -> Iterator[Fault]:
    for condition in part.where:
        if condition.field.dataset not in EVENTS:
            continue
        if condition.field.name != EVENT_TYPE:
            yield Fault("interactions are filtered by EVENT_TYPE only", condition.field.place)
        elif condition.operator not in EQUALITY:
            yield Fault(f"{condition.operator} cannot be used with EVENT_TYPE", condition.field.place)


def _compared(part: Expression) -> Iterator[Fault]:
    for condition in part.conditions:
        for value in condition.values:
            reason = _misfit(part, condition, value)
            if reason:
                yield Fault(reason, value.place)


def _misfit(part: Expression, condition: Condition, value: Value) -> str | None:
    match value:
        case Parameter() if condition.operator == "NOT IN":
            return "NOT IN takes no parameter; use IN with the opposite of " + part.verb
        case Parameter() if len(condition.values) > 1:
            return "a parameter stands alone: its value may be a list"
        case Field(dataset="CurrentItem") if part.subject == "ItemID" and condition.field.dataset == "Items":
            return None
        case Field(dataset="CurrentItem"):
            return "CurrentItem can be compared with a field of Items only"
        case Field():
            return "the right side is a string, a number, a parameter or a field of CurrentItem"
        case Text() if condition.operator in ORDER:
            return f"{condition.operator} compares numbers"
        case Text(text="*") if condition.field.dataset not in EVENTS:
            return "* is for EVENT_TYPE only"
        case Number() if condition.field.dataset in EVENTS:
            return "an event type is a string"
        case _:
            return None


# The table. Each rule looks at one expression of the chain.
RULES: Final[tuple[Callable[[Expression], Iterator[Fault]], ...]] = (_subject, _datasets, _users, _events, _compared)


def check(chain: tuple[Expression, ...]) -> None:
    """Check a chain against the table, and the rules about the whole of it.

    Raises:
        FilterError: the first broken rule, in the order of the text.
    """
    faults = [fault for part in chain for rule in RULES for fault in rule(part)]
    faults += _of_chain(chain)
    if faults:
        first = min(faults, key=lambda fault: fault.place)
        raise FilterError(first.reason, *first.place)


def _of_chain(chain: tuple[Expression, ...]) -> Iterator[Fault]:
    for part in chain[1:]:
        if part.subject != chain[0].subject:
            yield Fault(f"every expression of a chain filters the same: {chain[0].subject}", part.place)
    seen: set[str] = set()
    for field in (field for part in chain for condition in part.conditions for field in _fields(condition)):
        seen.add(str(field).replace("CurrentItem.", "Items."))
        if len(seen) > FIELDS_MAX:
            yield Fault(f"a filter has at most {FIELDS_MAX} distinct fields", field.place)
            return


def _fields(condition: Condition) -> Iterator[Field]:
    yield condition.field
    yield from (value for value in condition.values if isinstance(value, Field))

"""Documented rules as tables: what a rule is, and one refusal that names every broken one.

The SDKs send nearly anything, so the service is the one that refuses: in the words of AWS, by member and constraint,
never by value, since values are ids of people or what they did.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.emulator.errors import ServiceError

ID_CHARACTERS_MAX: Final = 256

REQUIRED: Final = "Member must not be null or empty"
ID_LENGTH: Final = f"Member must have at most {ID_CHARACTERS_MAX} characters"
ID_LENGTHS: Final = f"Members must have between 1 and {ID_CHARACTERS_MAX} characters"

Checked_contra = TypeVar("Checked_contra", contravariant=True)


class Rule(NamedTuple, Generic[Checked_contra]):
    """`member` of what is checked satisfies `constraint` if `holds`."""

    member: str
    holds: Callable[[Checked_contra], bool]
    constraint: str


def broken_rules(checked: Checked_contra, rules: Iterable[Rule[Checked_contra]], *, under: str = "") -> list[str]:
    """What to say of each broken rule, in the order of the table; `under` goes before the names of members."""
    return [
        f"Value at '{under}{rule.member}' failed to satisfy constraint: {rule.constraint}"
        for rule in rules
        if not rule.holds(checked)
    ]


def refuse_broken(broken: list[str]) -> None:
    """Refuse the call if any rule is broken.

    Raises:
        ServiceError: InvalidInputException that names every broken rule.
    """
    if broken:
        counted = "1 validation error" if len(broken) == 1 else f"{len(broken)} validation errors"
        raise ServiceError("InvalidInputException", f"{counted} detected: {'; '.join(broken)}")


def are_ids(ids: list[str]) -> bool:
    """Whether all of them have a length that ids may have."""
    lengths = list(map(len, ids))
    return not ids or (min(lengths) >= 1 and max(lengths) <= ID_CHARACTERS_MAX)

"""A query -> a checked request, or every fault of it at once, each named as a member of a body is (`faults`).

All values are texts here, and the decoder would also read integers out of `1.0`, `1e1`, `-0` and `null`. The
description of the API does not offer that, so it is refused.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, get_args

import msgspec

from gateway.web.faults import FAULTS_MAX, BadMembers, Fault, Members, escaped, rule_in
from gateway.web.outline import fields_of

NOT_DIGITS: Final = "Expected `int` in decimal digits"

_DIGITS: Final = re.compile(r"0|-?[1-9][0-9]*")
"""What an integer is written in. A minus is left to the rule that it breaks."""


def decode_query(query: Sequence[tuple[str, str]], kind: type[Members]) -> Members:
    """The names and values of a query as `kind`. Raises `BadMembers` with all faults (`FAULTS_MAX` at most)."""
    fields = fields_of(kind)
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, text in query[: FAULTS_MAX + 1]:
        if name not in fields:
            faults.append(Fault(f"/{escaped(name)}", "is not a parameter of this request"))
        elif name in values:
            faults.append(Fault(f"/{name}", "is given twice"))
        else:
            values[name] = text
            if (wrong := _fault(text, fields[name].type)) is not None:
                faults.append(Fault(f"/{name}", wrong))
    if faults:
        raise BadMembers(faults[:FAULTS_MAX])
    return msgspec.convert(values, kind, strict=False)


def _fault(text: str, kind: Any) -> str | None:
    """What is wrong with a value of a query."""
    if _is_integer(kind) and not _DIGITS.fullmatch(text):
        return NOT_DIGITS
    try:
        msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        return rule_in(error, kind)
    return None


def _is_integer(kind: Any) -> bool:
    """Whether an annotated or optional type is that of integers."""
    return kind is int or any(map(_is_integer, get_args(kind)))

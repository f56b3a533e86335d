"""`filterValues`: what a call gives for the parameters of a filter.

The value of a parameter is one string with all its values, separated by commas: strings in double quotes, which the
SDKs' users have to write themselves (`"\\"comedy\\",\\"drama\\""`), or numbers, with or without quotes. There is no way
to write a double quote inside a value.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from gateway.emulator.filters.errors import FilterValueError

# One value and what ends it: a comma, or the end.
_VALUE: Final = re.compile(r'\s*(?:"(?P<text>[^"]*)"|(?P<number>-?[0-9]+(?:\.[0-9]+)?))\s*(?P<end>,|\Z)')


def given_values(name: str, values: Mapping[str, str]) -> tuple[str, ...] | None:
    """The values given for a parameter, None if it is not given at all.

    Raises:
        FilterValueError: what is given is badly quoted.
    """
    given = values.get(name)
    if given is None:
        return None
    found: list[str] = []
    at, ends = 0, False
    while not ends:
        match = _VALUE.match(given, at)
        if match is None:
            raise FilterValueError(
                f"The value of filter parameter {name} must be strings in double quotes or numbers, separated by commas"
            )
        found.append(match["number"] if match["text"] is None else match["text"])
        at, ends = match.end(), match["end"] != ","
    return tuple(found)


def number_of(text: str) -> float | None:
    """The number that a text is, None if it is none; what is not finite is no number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

"""What the sections of the settings share: their base, lists in variables, and a look at values not yet checked."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of settings: frozen, and without names that are not settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def listed(value: object) -> object:
    """In a variable a list is written with commas."""
    return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value


def at(values: Any, *path: str, default: Any) -> Any:
    """The value at a path, or the default."""
    for name in path:
        if not isinstance(values, Mapping) or name not in values:
            return default
        values = values[name]
    return values


def table(values: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The table at a path; an empty one where there is something else."""
    table = at(values, *path, default={})
    return table if isinstance(table, dict) else {}

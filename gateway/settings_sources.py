"""Where the settings come from: the options of a command, over the environment, over the TOML file.

In the environment `GATEWAY_` is the prefix and `__` stands between levels; any value may come from a file
(`GATEWAY_..._FILE`), and three short names that everybody sets are understood too. Every place can be traced to where
its value came from, for people who have to mend it.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic_settings import BaseSettings, EnvSettingsSource

from gateway.settings_files import FILES
from gateway.settings_parts import at

PREFIX: Final = "GATEWAY_"
SHORT_NAMES: Final[dict[str, str]] = {
    "GATEWAY_PORT": "GATEWAY_SERVER__PORT",
    "GATEWAY_HOST": "GATEWAY_SERVER__HOST",
    "GATEWAY_REDIS_URL": "GATEWAY_CACHE__URL",
}
"""Short names that everybody sets, and what they stand for. (`GATEWAY_CONFIG` names the TOML file.)"""

OF_KUBERNETES: Final = re.compile(r"GATEWAY_(SERVICE_(HOST|PORT)|PORT_\d+_)")
"""Variables that Kubernetes sets in every pod beside a Service named `gateway`."""

LINK_OF_KUBERNETES: Final = re.compile(r"(tcp|udp|sctp)://")
"""What it sets `GATEWAY_PORT` itself to: where that Service is, which is no port of ours."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What was given, by where: tables as far as they were, `environment` as it was and `in_environment` as tables."""

    options: Mapping[str, Any] = field(repr=False)
    in_environment: Mapping[str, Any] = field(repr=False)
    in_file: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    path: str | Path | None

    def merged(self) -> dict[str, Any]:
        """All of it, of every setting what counts."""
        return _merged(_merged(self.in_file, self.in_environment), self.options)

    def origin(self, place: tuple[int | str, ...]) -> str:
        """Where the value at a place came from."""
        named = tuple(step for step in place if isinstance(step, str))  # a list comes whole
        if _has(self.options, named):
            return f"--{named[-1]}"
        if _has(self.in_environment, tuple(map(str.lower, named))):
            return _variable(named, self.environment)
        return str(self.path) if self.path else "the environment"


class _Environment(EnvSettingsSource):
    """The variables of a given mapping, in the nesting of the settings."""

    def __init__(self, kind: type[BaseSettings], variables: Mapping[str, str]) -> None:
        super().__init__(kind)
        self.env_vars = {name.lower(): value for name, value in variables.items()}


def gathered(
    kind: type[BaseSettings],
    path: str | Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, Any],
    faults: list[str],
) -> Sources:
    """All that was given for settings of a kind; `path` is that of the TOML file, else `GATEWAY_CONFIG` names it.

    What cannot be read is left out, and told in `faults`.
    """
    variables = _expanded(environment, kind.model_fields, faults)
    path = path or variables.get("GATEWAY_CONFIG")
    in_file = _read(Path(path), faults) if path else {}
    return Sources(options, _Environment(kind, variables)(), in_file, environment, path)


def _expanded(environment: Mapping[str, str], tables: Collection[str], faults: list[str]) -> dict[str, str]:
    """The variables with the short names written out and the values of `GATEWAY_..._FILE` read from their files."""
    variables = dict(environment)
    if LINK_OF_KUBERNETES.match(variables.get("GATEWAY_PORT", "")):
        del variables["GATEWAY_PORT"]
    for name, path in environment.items():
        if name.startswith(PREFIX) and name.endswith("_FILE") and name.rpartition("__")[2].lower() not in FILES:
            try:
                variables.setdefault(name.removesuffix("_FILE"), Path(path).read_text(encoding="utf-8-sig").strip())
            except (OSError, UnicodeDecodeError) as error:
                faults.append(f"{name}: cannot be read ({type(error).__name__})")
            del variables[name]
    for short, full in SHORT_NAMES.items():
        if short in variables:
            variables.setdefault(full, variables.pop(short))
    faults += [
        f"{name}: there is no such setting"
        for name in variables
        if name.startswith(PREFIX)
        and name.removeprefix(PREFIX).lower().partition("__")[0] not in {*tables, "config"}
        and not OF_KUBERNETES.match(name)
    ]
    return variables


def _read(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        faults.append(f"{path}: cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        faults.append(f"{path}: not UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path}: not TOML: {error}")
    return {}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below`, with everything in `above` put over it, table by table."""
    merged = dict(below)
    spelt = {name.lower(): name for name in below}  # variables do not tell a campaign `Storefront` from `storefront`
    for given, value in above.items():
        name = given if given in below else spelt.get(given, given)
        under = merged.get(name)
        merged[name] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _has(values: Mapping[str, Any], place: tuple[str, ...]) -> bool:
    return at(values, *place, default=None) is not None


def _variable(place: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The variable that set a place, by the name that it was given: short or long, or that of a file."""
    full = PREFIX + "__".join(place).upper()
    names = [full, *(short for short, meant in SHORT_NAMES.items() if meant == full)]
    return next((one for name in names for one in (name, f"{name}_FILE") if one in environment), full)

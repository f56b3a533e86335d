"""What there is that a runbook may name: metrics, settings, values of the chart, routes, commands, log lines."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer.main
import yaml
from pydantic import BaseModel

from deploy.prometheus import rules
from gateway.cli import app
from gateway.settings import Settings
from gateway.web.app import ADMIN_GETS, GETS, METRICS, POSTS
from gateway.web.console import CONSOLE
from gateway.web.console_live import LIVE
from gateway.web.events_api import USER_FRAMES
from gateway.web.log_level import LOG_LEVEL
from gateway.web.metrics_families import FAMILIES

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/rerank-gateway"

SUFFIXES = ("", "_bucket", "_sum", "_count")
OF_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
OF_SCRAPE = {"namespace", "job", "instance", "le"}


@cache
def metrics() -> dict[str, set[str]]:
    """Every series that a gateway or the recording rules may have, and its labels."""
    known = {f"{one.name}{end}": set(one.labels) | OF_SCRAPE for one in FAMILIES for end in SUFFIXES}
    known |= {rule["record"]: OF_SCRAPE for group in rules.rules()["groups"] for rule in group["rules"]
              if "record" in rule}  # fmt: skip
    return known | dict.fromkeys(OF_PROCESS, OF_SCRAPE)


@cache
def settings() -> set[str]:
    """The path of every setting; names that people choose are NAME."""
    return set(_paths(Settings))


def _paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        for named, inner in _models(field.annotation):
            yield from _paths(inner, f"{above}{name}.{'NAME.' * named}")


def _models(annotation: Any, *, named: bool = False) -> Iterator[tuple[bool, type[BaseModel]]]:
    """The models within a type, and whether people name them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield named, annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _models(one, named=named or getattr(annotation, "__origin__", None) is dict)


@cache
def values() -> dict[str, Any]:
    """The chart's values."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return found


@cache
def routes() -> set[str]:
    """Every route."""
    return {*POSTS, *GETS, *ADMIN_GETS, METRICS, LOG_LEVEL, CONSOLE, LIVE, USER_FRAMES}


@cache
def sources() -> str:
    """All of the gateway's own code."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "gateway").rglob("*.py")))


@cache
def commands() -> dict[str, set[str]]:
    """The commands of `rerank-gateway` (of two words where they are), and their options."""
    return dict(_commands(typer.main.get_command(app)))


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, set[str]]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, {option for one in command.params for option in one.opts}
        return
    for word, one in below.items():
        yield from _commands(one, f"{name} {word}".strip())

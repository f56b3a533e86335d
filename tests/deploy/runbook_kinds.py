"""What a piece of code type in the runbook may be, and whether it exists as such.

`KINDS` are tried one after the other. What is of no kind must stand in `WORDS`, so that a name that was misspelt, or is
gone, has nowhere to hide.
"""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from gateway.adapters import redis_faults
from gateway.core.keys import SCHEMA
from gateway.core.redis_url import SCHEMES, parse
from gateway.service.gate_numbers import OUTCOMES
from gateway.service.result import Degraded
from gateway.settings_sources import SHORT_NAMES
from gateway.web.events_api import NOT_INVALIDATED
from gateway.web.problems import BUG, TABLE
from tests.deploy.promql import asked
from tests.deploy.runbook_facts import ROOT, commands, metrics, routes, settings, sources, values

REDIS_REASONS = {reason for _, reason in redis_faults.BY_CLASS} | set(redis_faults.BY_CODE.values())
REDIS_REASONS |= {"maxclients", "refused", "connection", "tls", "no_master", "refused_command", "unexpected"}

PROGRAMS = {"aws", "buildah", "curl", "docker", "helm", "kubectl", "podman", "printf", "grep", "update-campaign"}
"""Commands of others; of `kubectl` and `helm` no more is known here than their names."""

WORDS = {
    "degraded", *Degraded, NOT_INVALIDATED, *OUTCOMES, *(row.slug for row in (*TABLE.values(), BUG)), *REDIS_REASONS,
    "schema", "torn", "foreign", "key",                              # rejects
    "reads", "writes", "scripts", "cache.reads", "cache.writes",     # sides of the cache
    "queue", "upstream", "merge", "encode", "cache",                 # stages
    "page", "ticket", "closed", "busy", "trusted", "won", "lost", "told",
    "error", "tenant", "campaign", "reason", "side", "instance", "namespace", "job", "version",
    "request_id", "trace_id", "queue_ms", "upstream_ms", "cache_ms", "source", "breaker", "breakerOpened",
    "credentials", "credentials.usable", "failingForS", "lastError", "X-Request-Id", "deadlineMs", "limit", "shelves",
    '"explain": true', "Connection: close",
    # of others: AWS, Kubernetes, Redis, the container's world
    "assume-role-with-web-identity", "container-role", "iam-role", "shared-credentials-file", "env",
    "minProvisionedTPS", "syncWithLatestSolutionVersion", "personalize:PutEvents",
    "CrashLoopBackOff", "runAsNonRoot", "RuntimeDefault", "terminationGracePeriodSeconds", "stop_grace_period",
    "automountServiceAccountToken: false", "nice -n -20", "venv", "python:3.13-slim", "--secret id=pip,src=pip.conf",
    "--build-arg BASE_IMAGE=...", "--warm-share 0", "--price-per-1000-calls", "--mean-share",
    "maxmemory", "maxmemory-policy allkeys-lru", "allkeys-lru", "noeviction", "maxclients", "min-replicas-to-write",
    "FLUSHDB", "SCRIPT KILL", "MGET", "SET", "EVAL", "SELECT", "CLUSTER SLOTS", "ASKING", "SENTINEL MASTERS",
    "masteruser", "masterauth", "sentinel auth-user", "auth-pass", "sentinel sentinel-user", "sentinel-pass", "#hash",
    "RGFR", "RGLI", "RGV1", "SCHEMA", "demo", "emulate", ".ports", "*",
}  # fmt: skip
"""Code type of no other kind: words of labels, members of answers, and what belongs to other programs."""


def is_expression(code: str) -> bool:
    """PromQL, or the name of a metric: each metric is said, with the labels and the words that are asked for."""
    try:
        found = asked(code)
    except ValueError:
        return False
    if not found.metrics or not found.metrics.keys() <= metrics().keys():
        return False
    values_asked = (value for matchers in found.metrics.values() for _, sign, value in matchers if "Re" not in sign)
    if not set(values_asked) <= {"", *WORDS}:
        return False
    labels = {metric: {label for label, _, _ in matchers} for metric, matchers in found.metrics.items()}
    return all(asked_for <= metrics()[metric] for metric, asked_for in labels.items()) and found.grouped <= set().union(
        *(metrics()[metric] for metric in labels)
    )


def is_setting(code: str) -> bool:
    """A setting by its path or its last name, perhaps with a value that it may have."""
    name, _, value = code.partition(" = ")
    if name.startswith("GATEWAY_"):
        path = SHORT_NAMES.get(name, name).removeprefix("GATEWAY_").lower().replace("__", ".")
        return path in settings()
    if not any(path == name or path.endswith(f".{name}") for path in settings()):
        return False
    return not value or orjson.loads(value) is not None


def is_table(code: str) -> bool:
    """A table of the configuration."""
    return bool(re.fullmatch(r"\[\w+\]", code)) and any(path.startswith(f"{code[1:-1]}.") for path in settings())


def is_helm_value(code: str) -> bool:
    """A value of the chart, by its path; below `{}` whatever one likes."""
    at: Any = values()
    for step in code.split("."):
        if not isinstance(at, dict) or (at and step not in at):
            return False
        at = at.get(step, {})
    return True


def is_route(code: str) -> bool:
    """A route, perhaps with its method and a query; or a place on the local machine that leads to one."""
    path = re.sub(r"^(GET|POST|PUT|DELETE) ", "", code)
    path = re.sub(r"^https?://127\.0\.0\.1:(\d+|\$admin)", "", path).partition("?")[0]
    return path in routes()


def is_command(code: str) -> bool:
    """One of ours, with options that it has; a module; a target of make; or a program of others."""
    words = [word for word in code.split() if word != "\\"]
    if words[0].endswith("rerank-gateway"):
        plain = [word for word in words[1:] if re.fullmatch(r"[a-z]+", word)]
        name = " ".join(plain[:2]) if " ".join(plain[:2]) in commands() else " ".join(plain[:1])
        options = {word for word in words if word.startswith("--")}
        return name in commands() and options <= commands()[name]
    if words[0].endswith("python") and words[1:2] == ["-m"]:
        return importlib.util.find_spec(words[2]) is not None and _has_options(words[2], words[3:])
    if words[0] == "make":
        return re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE) is not None
    return words[0] in PROGRAMS or (words[0].startswith("deploy/") and (ROOT / words[0]).exists())


def _has_options(module: str, words: list[str]) -> bool:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    package = Path(str(spec.origin)).with_name("__main__.py")
    text = (package if package.exists() and spec.submodule_search_locations else Path(str(spec.origin))).read_text()
    return all(f'"{word}"' in text for word in words if word.startswith("--"))


def is_log_line(code: str) -> bool:
    """A line of the log, in quotes: its beginning stands so in the code."""
    return bool(re.fullmatch(r'"[^"]+"', code)) and f'"{code[1:-1]}' in sources()


def is_file(code: str) -> bool:
    """A file or a folder of this repository."""
    path = code.partition("#")[0]
    return not path.startswith("/") and any(
        (base / path).exists() for base in (ROOT, ROOT / "deploy", ROOT / "deploy/redis")
    )


def is_place(code: str) -> bool:
    """A place outside this repository: where things are mounted."""
    return code == "/tmp" or code.startswith(("/etc/rerank-gateway/", "/opt/gateway/"))  # noqa: S108 - a name


def is_key(code: str) -> bool:
    """A key of the cache, or a pattern of them: of the schema in force."""
    return code == "rerank:*" or code.startswith(f"rerank:{SCHEMA}:")


def is_redis_url(code: str) -> bool:
    """An address of a Redis that the gateway would take, or the beginning of one."""
    if code.removesuffix("://") in SCHEMES or code == "memory://":
        return True
    if "://" not in code or code.partition("://")[0] not in SCHEMES:
        return False
    return parse(code) is not None


def is_variable(code: str) -> bool:
    """A variable of the AWS SDK."""
    return re.fullmatch(r"(AWS|OTEL)_[A-Z_]+", code) is not None


KINDS: tuple[Callable[[str], bool], ...] = (
    lambda code: code in WORDS,
    is_key,
    is_expression,
    is_setting,
    is_table,
    is_helm_value,
    is_route,
    is_redis_url,
    is_log_line,
    is_variable,
    is_file,
    is_place,
    is_command,
)


def known(code: str) -> bool:
    """Whether the code type is of some kind."""
    return any(kind(code) for kind in KINDS)

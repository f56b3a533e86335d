"""Expressions of PromQL, taken apart by a parser: which metrics they ask for, and by which labels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser

RANGES = {"$__rate_interval": "5m", "$__range": "3h"}
"""What Grafana puts in place of its own variables."""


@dataclass
class Asked:
    """What one expression asks for."""

    metrics: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By metric: its matchers, as label, operation and value."""
    grouped: set[str] = field(default_factory=set)
    """The labels that results are grouped or joined by."""


def asked(expression: str) -> Asked:
    """What an expression asks for. Raises `ValueError` for what is no PromQL."""
    for variable, duration in RANGES.items():
        expression = expression.replace(variable, duration)
    found = Asked()
    for node in _nodes(promql_parser.parse(expression)):
        if isinstance(node, promql_parser.VectorSelector):
            matchers = [(one.name, _operation(one), one.value) for one in node.matchers.matchers]
            found.metrics.setdefault(node.name, []).extend(matchers)
        modifier = getattr(node, "modifier", None)
        labels = getattr(modifier, "labels", None) or getattr(getattr(modifier, "matching", None), "labels", None)
        found.grouped.update(labels or [])
    return found


def _operation(matcher: Any) -> str:
    return str(matcher.op).rpartition(".")[2]


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param"):
        below = getattr(node, name, None)
        for one in below if isinstance(below, list) else [below]:
            if one is not None and not isinstance(one, (str, float, int)):
                yield from _nodes(one)


def words(operation: str, value: str) -> list[str]:
    """The values that a matcher names one by one; none for a pattern."""
    if operation in ("Equal", "NotEqual"):
        return [value]
    return value.split("|") if re.fullmatch(r"[a-z_|-]*", value) else []

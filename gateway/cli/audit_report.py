"""The report of an audit: a table and a verdict in words for people, one object for programs.

No user id and no item id is in either.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from typing import Any, Final

from gateway.core.audit.heard import RISING, UNSCORED_FIRST, Refusal
from gateway.core.audit.lists import OTHERS
from gateway.core.audit.probes import Duplicates, Unknown
from gateway.core.audit.ratios import DECIMALS, GAP_MAX, Comparison, Verdict, drifted
from gateway.core.plan import CALL_LIMIT
from gateway.service.audit import Filtered, Findings

WIDTH: Final = 110
"""Columns of the table where there is no terminal to ask."""

OK, BAD, OPEN, TOLD = "ok", "NO", "?", ""

VERDICTS: Final[dict[Verdict, str]] = {
    Verdict.TRUSTED: "The calibrated merge may be trusted on this campaign: score ratios do not depend on the list.",
    Verdict.LIST_DEPENDENT: (
        "The calibrated merge may NOT be trusted on this campaign: the same items have other score ratios in other "
        'lists, while the same list keeps its answer. Set merge = "ordinal" for it.'
    ),
    Verdict.COARSE: (
        f"The calibrated merge may NOT be trusted on this campaign: its scores have fewer than the {DECIMALS} decimals "
        'that the merge counts on. Set merge = "ordinal" for it.'
    ),
    Verdict.UNSTEADY: (
        "The calibrated merge may NOT be trusted now: the campaign changed its answers while it was asked, even to the "
        "very same list. A training, an event of the user or two models behind one ARN do that. Audit again, perhaps "
        "with another user."
    ),
    Verdict.BROKEN: (
        "The calibrated merge may NOT be trusted on this campaign: single answers break the contract of the operation, "
        "and the gateway would take them for failed calls."
    ),
    Verdict.UNRESOLVED: (
        "It cannot be told whether the calibrated merge may be trusted: too few of the items have a score that is "
        "large enough. Audit with other --items (that the model knows) or another --user."
    ),
}

Row = tuple[str, str, str]


def print_report(found: Findings, campaign: str) -> None:
    """The table, and the verdict below it."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(title=Text(f"audit of {campaign}"), box=SIMPLE, title_justify="left")
    table.add_column("looked at")
    table.add_column("found", overflow="fold")
    table.add_column("")
    for name, text, mark in rows(found):
        table.add_row(name, Text(text), Text(mark, style="bold red" if mark == BAD else ""))
    console.print(table)
    console.print(Text(VERDICTS[found.verdict], style="bold"))


def rows(found: Findings) -> Iterator[Row]:
    """Every finding as (what was looked at, what was found, a mark)."""
    yield from _ratio_rows(found)
    yield _steady_row(found)
    disorder = sorted(found.faults & {RISING, UNSCORED_FIRST})
    yield "order", "; ".join(disorder) or "best first in every answer", BAD if disorder else OK
    for fault in sorted(found.faults - set(disorder)):
        yield "answers", fault, BAD
    yield from _score_rows(found)
    yield "made-up items", _said(found.unknown), TOLD
    yield "repeated items", _said(found.duplicates), TOLD
    yield "an empty list", _said(found.empty), TOLD
    yield f"{CALL_LIMIT} items", _said(found.at_limit), BAD if isinstance(found.at_limit, Refusal) else TOLD
    yield f"{CALL_LIMIT + 1} items", _said(found.over_limit), TOLD
    for latency in found.latencies:
        text = f"median {latency.median_ms:.1f} ms, longest {latency.max_ms:.1f} ms of {latency.calls} calls"
        yield f"latency of {latency.items} items", text, TOLD
    throttled = f", {found.throttled} of them refused for their rate" if found.throttled else ""
    yield "spent", f"{found.calls} calls{throttled}, on {found.items:,} distinct items", TOLD


def _ratio_rows(found: Findings) -> Iterator[Row]:
    for name, called in OTHERS.items():
        worst = max((one.others[name] for one in found.rounds), key=lambda one: one.gap)
        yield f"score ratios {called}", _comparison(worst), _mark(worst)
    if isinstance(found.filtered, Filtered):
        yield "score ratios with the filter", _comparison(found.filtered.ratios), _mark(found.filtered.ratios)


def _mark(one: Comparison) -> str:
    if not one.holds:
        return BAD
    return OK if one.counts else OPEN


def _comparison(one: Comparison) -> str:
    if not one.witnesses:
        return f"none of {one.shared} shared items is scored well enough to tell"
    change = "none changed beyond rounding" if one.gap == 0 else f"changed by up to {_percent(one.gap)} beyond rounding"
    return f"{one.shared} shared items, {change} (typical {_percent(one.typical)})"


def _percent(log_scores: float) -> str:
    """A difference of log scores as people read it."""
    return f"{math.expm1(log_scores):.2%}" if log_scores < 1 else f"a factor of {math.exp(log_scores):,.0f}"


def _steady_row(found: Findings) -> Row:
    moved, of = drifted(found.rounds), len(found.rounds)
    if moved:
        return "the same list again", f"another answer in {moved} of {of} rounds: the answers drift", BAD
    return "the same list again", f"the same answer in {of} round{'s' if of > 1 else ''}", OK


def _score_rows(found: Findings) -> Iterator[Row]:
    scores = found.scores
    if scores is not None:
        ends = {f"{scores.sum_min:.7f}", f"{scores.sum_max:.7f}"}
        yield "sum of scores", " to ".join(sorted(ends)), TOLD
    if isinstance(found.filtered, Filtered):
        came = f"{found.filtered.came} of {found.filtered.asked} items came, sum {found.filtered.total:.7f}"
        yield "sum with the filter", came, TOLD
    elif found.filtered is not None:
        yield "sum with the filter", _said(found.filtered), TOLD
    if scores is not None:
        yield "decimals", str(scores.decimals), TOLD
        yield "rounded to 0", f"{scores.rounded_to_zero:.1%} of the items", TOLD
        yield "without a score", f"{scores.unscored:.1%} of the items", TOLD


def _said(answer: object) -> str:
    match answer:
        case None:
            return "not asked: no calls left"
        case Refusal(status=0):
            return f"no answer: {answer.message}"
        case Refusal():
            return f"refused with {answer.status} {answer.code}: {answer.message}"
        case Unknown():
            return f"{answer.treated}, {'after all others' if answer.last else 'not after all others'}"
        case Duplicates():
            distinct = f"{answer.came} entries ({answer.came_distinct} distinct)"
            return f"{distinct} for {answer.asked} ({answer.asked_distinct} distinct), sum {answer.total:.7f}"
        case _:
            return f"answered with {answer} items"


def as_json(found: Findings, campaign: str) -> dict[str, Any]:
    """All findings, with names in camel case; gaps are differences of log scores beyond rounding."""
    body: dict[str, Any] = _camel(asdict(found))
    for name in ("unknown", "duplicates", "empty", "atLimit", "overLimit", "filtered"):
        answer = getattr(found, {"atLimit": "at_limit", "overLimit": "over_limit"}.get(name, name))
        if isinstance(answer, Refusal):
            body[name] = {"refused": body[name]}
        elif answer is not None and not is_dataclass(answer):
            body[name] = {"came": answer}
    return {
        "campaign": campaign,
        "trusted": found.verdict is Verdict.TRUSTED,
        "verdictText": VERDICTS[found.verdict],
        "gapMax": GAP_MAX,
        "drifted": drifted(found.rounds),
        **body,
        "faults": sorted(found.faults),
    }


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel_name(name): _camel(inner) for name, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

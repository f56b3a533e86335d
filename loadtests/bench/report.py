"""The report as one HTML file: goals first, then the plots, then what each part found. Nothing in it points outside."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import orjson

from loadtests.bench.goals import Goal

STYLE: Final = """
:root { color-scheme: light dark; --line: #8885; --good: #1a7f37; --bad: #b35900; }
@media (prefers-color-scheme: dark) { :root { --good: #56d364; --bad: #ffa657; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem;
border-bottom: 1px solid var(--line); } td.number { text-align: right; font-variant-numeric: tabular-nums; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
figure { margin: 2rem 0; } figure svg { width: 100%; height: auto; background: #fff; border-radius: 6px; }
pre { overflow: auto; font-size: 13px; } summary { cursor: pointer; padding: .3rem 0; }
"""


def html(found: Mapping[str, Any], goals: Mapping[str, Sequence[Goal]], plots: Mapping[str, str]) -> str:
    """The whole file. `found` is what stands in the JSON, `plots` are SVG by their captions."""
    machine = found["machine"]
    facts = (
        found["at"],
        f"commit {found['commit']}",
        f"{machine['processor']}, {machine['cores']} cores",
        machine["system"],
        f"Python {found['versions']['python']}",
        f"{found['tookS'] / 60:.1f} minutes",
    )
    every = [goal for part in goals.values() for goal in part]
    met = sum(goal.met for goal in every)
    rows = [
        f'<tr><td>{escape(goal.what)}</td><td class="number">{escape(goal.words[0])}</td>'
        f'<td class="number">{escape(goal.words[1])}</td>'
        f'<td class="{"met" if goal.met else "missed"}">{"met" if goal.met else "not met"}</td>'
        f"<td>{escape(part)}</td></tr>"
        for part, of_part in goals.items()
        for goal in of_part
    ]
    figures = [f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>" for caption, svg in plots.items()]
    details = [
        f"<details><summary>{escape(name)}: {escape(part['state'])}, {part['tookS']:.0f} s</summary>"
        f"<pre>{escape(orjson.dumps(part.get('found', part.get('said')), option=orjson.OPT_INDENT_2).decode())}</pre>"
        "</details>"
        for name, part in found["parts"].items()
    ]
    return "\n".join((
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>rerank-gateway: {met} of {len(every)} goals</title><style>{STYLE}</style></head><body>",
        f"<h1>rerank-gateway: {met} of {len(every)} goals met</h1>",
        f"<p>{escape(' · '.join(facts))}</p>",
        "<table><thead><tr><th>goal</th><th>measured</th><th>limit</th><th></th><th>part</th></tr></thead><tbody>",
        *rows,
        "</tbody></table>",
        *figures,
        "<h2>What each part found</h2>",
        *details,
        "</body></html>",
    ))  # fmt: skip


def markdown(goals: Mapping[str, Sequence[Goal]]) -> str:
    """The goals as a table for the README."""
    lines = ["| goal | measured | limit | |", "|---|---:|---:|---|"]
    for of_part in goals.values():
        for goal in of_part:
            figure, limit = goal.words
            lines.append(f"| {goal.what} | {figure} | {limit} | {'met' if goal.met else '**not met**'} |")
    return "\n".join(lines) + "\n"

"""Makes `deploy/METRICS.md` of the table that the collector reads by: `python -m deploy.metrics_table`.

A test holds the file against the table, and the table against what a gateway really says.
"""

from pathlib import Path
from typing import Final

from gateway.web.metrics_families import SECTIONS, Family

FILE: Final = Path(__file__).with_name("METRICS.md")

HEAD: Final = """\
# Metrics

What `GET /metrics` says (text format or OpenMetrics, by `Accept`); on the admin port where there is one. Made by
`python -m deploy.metrics_table` out of `gateway/web/metrics_families.py`.

- Labels hold configured names and words that the code lists: never a user, an item, or a key. A `campaign` that is not
  configured is `(other)`; the `tenant` is `(anybody)` where nobody is asked who calls.
- Counters count since the start of the process. Every number is read when it is asked for.
- `rerank_saved_calls_total` counts, for every answered ranking, the calls that a cold ranking of the candidates that it
  could place would have taken, less the attempts made for it, and never less than 0. The share of calls that frames
  save is `saved / (saved + billed)`.
- Stages: `cache`, `queue` (the longest wait of a call for its permit; part of `upstream`), `upstream`, `merge` (own
  work until the order stands), `encode` (from then to the answer).
- Beside these: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_virtual_memory_bytes`,
  `process_open_fds`, `process_max_fds`, `process_start_time_seconds`.
"""


def text() -> str:
    """The file."""
    parts = [HEAD]
    for section, families in SECTIONS.items():
        rows = "\n".join(map(_row, families))
        parts.append(
            f"\n## {section}\n\n| metric | kind | labels | meaning | stands on |\n|---|---|---|---|---|\n{rows}\n"
        )
    return "".join(parts)


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} | `{family.where}` |"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

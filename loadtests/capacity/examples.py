"""The worked example of the runbook: loads up to 100,000 rankings a second, and what each of them needs."""

import math
import re
from pathlib import Path
from typing import Final

from loadtests.capacity.figures import Figures
from loadtests.capacity.model import CONNECTIONS, Load, need

RUNBOOK: Final = Path(__file__).parents[2] / "deploy/RUNBOOK.md"

BEGIN: Final = "<!-- made by: python -m loadtests.capacity --write -->"
END: Final = "<!-- end -->"

LOADS: Final = (
    Load(100, 10_000, 0.9),
    Load(1_000, 1_000, 0.95),
    Load(1_000, 10_000, 0.95),
    Load(10_000, 1_000, 0.95),
    Load(10_000, 10_000, 0.95),
    Load(100_000, 500, 0.95),
    Load(100_000, 1_000, 0.99),
    Load(100_000, 10_000, 0.99),
    Load(100_000, 10_000, 0.0),
)

IN_CELLS: Final = Load(100_000, 10_000, 0.99)

COLUMNS: Final = (
    "rankings/s", "candidates", "warm", "calls/s, with extras", "campaigns", "accounts", "CPU ms", "cores", "pods",
    "Redis GiB", "Redis Gbit/s", "Redis nodes", "connections a node",
)  # fmt: skip


def table(figures: Figures) -> str:
    """The table and where its figures come from."""
    lines = [f"CPU figures: {figures.source}.", "", f"| {' | '.join(COLUMNS)} |", "|---:" * len(COLUMNS) + "|"]
    for load in LOADS:
        of = need(load, figures)
        cells = (
            f"{load.rankings_per_s:,.0f}",
            f"{load.candidates:,}",
            f"{load.warm_share:.0%}",
            f"{of.attempts_per_s:,.0f}",
            f"{of.campaigns:,}",
            f"{of.accounts:,}",
            f"{of.cpu_ms:.1f}",
            f"{of.cores:,.1f}",
            f"{of.pods:,}",
            f"{of.cache_bytes / 2**30:,.1f}",
            f"{8e-9 * of.cache_read_bytes_per_s:,.1f}",
            f"{of.cache_nodes:,}",
            f"{of.connections_per_node:,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join((*lines, "", in_cells(figures)))


def in_cells(figures: Figures) -> str:
    """The largest load that can be had, cut into cells of one account each."""
    load = IN_CELLS
    of = need(load, figures)
    pods = math.ceil(of.pods / of.accounts)
    gbit_per_s = 8e-9 * of.cache_read_bytes_per_s / of.accounts
    return (
        f"{load.rankings_per_s:,.0f}/s of {load.candidates:,} at {load.warm_share:.0%} warm, in cells of one account: "
        f"{of.accounts} cells, each with {pods} pods, {of.attempts_per_s / of.accounts:,.0f} attempts/s, "
        f"{of.cache_bytes / of.accounts / 2**30:.1f} GiB and {gbit_per_s:.1f} Gbit/s of Redis, "
        f"{CONNECTIONS * pods:,} connections a node."
    )


def put_in(text: str, figures: Figures) -> str:
    """The runbook with the table anew. Raises `ValueError` if it has no place for it."""
    block = f"{BEGIN}\n\n{table(figures)}\n\n{END}"
    pattern = f"{re.escape(BEGIN)}.*?{re.escape(END)}"
    if len(re.findall(pattern, text, re.DOTALL)) != 1:
        raise ValueError("the runbook has no place for the table")
    return re.sub(pattern, lambda _: block, text, flags=re.DOTALL)

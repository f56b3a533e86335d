"""`python -m loadtests.capacity`: see the package."""

import argparse
from dataclasses import asdict
from pathlib import Path

import orjson

import loadtests.capacity as package
from loadtests.capacity.examples import RUNBOOK, put_in
from loadtests.capacity.figures import Figures, keep, kept, of_report
from loadtests.capacity.model import Load, Need, Node, Prices, need


def told(load: Load, of: Need, figures: Figures) -> str:
    """What is needed, a line each."""
    shared = load.shared_cache
    read, written = (8e-9 * one for one in (of.cache_read_bytes_per_s, of.cache_written_bytes_per_s))
    lines = [
        f"{load.rankings_per_s:,.0f} rankings/s of {load.candidates:,} candidates",
        f"{load.warm_share:.1%} warm, {load.partial_share:.1%} lack {load.missing:,}, {load.cold_share:.1%} cold",
        "",
        f"calls a ranking      {of.calls_per_ranking:.3f}",
        f"calls                {of.calls_per_s:,.1f}/s; {of.attempts_per_s:,.1f}/s with all retries and hedges",
        f"campaigns, accounts  {of.campaigns} at 500/s, {of.accounts} at 2,500/s",
        f"calls under way      {of.calls_under_way:,.0f}, if one takes {load.call_ms:g} ms",
        f"CPU a ranking        {of.cpu_ms:.2f} ms, by figures of {figures.source}",
        f"cores, pods          {of.cores:,.2f} busy; {of.pods:,} pods at 60 % of a core each",
        f"frame                {of.frame_bytes:,} bytes, {of.frames:,.0f} of them at once",
        f"cache memory         {of.cache_bytes / 2**30:,.2f} GiB" + ("" if shared else ", over all pods"),
    ]
    if shared:
        lines += [
            f"Redis traffic        {read:,.2f} Gbit/s read, {written:,.2f} written",
            f"Redis nodes          {of.cache_nodes}, up to {of.connections_per_node:,} connections each (maxclients)",
        ]
    lines.append(f"callers' traffic     {8e-9 * of.doors_bytes_per_s:,.2f} Gbit/s")
    lines += [f"{name + ' a day':20} {money:,.2f}" for name, money in of.money_per_day.items()]
    return "\n".join(lines)


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rankings-per-s", type=float, default=1_000.0, help="at the peak")
    parser.add_argument("--candidates", type=int, default=10_000, help="of a ranking")
    parser.add_argument("--warm-share", type=float, default=0.95, help="of the rankings that need no call")
    parser.add_argument("--partial-share", type=float, default=0.0, help="of those that lack some candidates")
    parser.add_argument("--missing", type=int, default=0, help="candidates that those lack")
    parser.add_argument("--users", type=float, help="active within --kept-s (default: as many as cold rankings)")
    parser.add_argument("--frames-per-user", type=float, default=1.0, help="contexts, filters, campaigns")
    parser.add_argument("--id-chars", type=int, default=9, help="of an item's id")
    parser.add_argument("--kept-s", type=float, default=360.0, help="cache.fresh_s + cache.stale_s")
    parser.add_argument("--page", type=int, default=48, help="items of an answer")
    parser.add_argument("--call-ms", type=float, default=100.0, help="what a call takes")
    parser.add_argument("--memory", action="store_true", help="frames in the pods (memory://), no Redis")
    parser.add_argument("--node-gib", type=float, default=25.0, help="memory of a Redis node")
    parser.add_argument("--node-gbit", type=float, default=10.0, help="its network")
    parser.add_argument("--price-per-1000-calls", type=float)
    parser.add_argument("--price-per-core-hour", type=float)
    parser.add_argument("--price-per-gib-hour", type=float)
    parser.add_argument("--mean-share", type=float, default=1.0, help="mean load of a day against its peak")
    parser.add_argument("--figures", type=Path, help="report.json of a `make bench` instead of the kept figures")
    parser.add_argument("--keep", action="store_true", help="keep the figures of --figures, and write the runbook anew")
    parser.add_argument("--write", action="store_true", help="write the runbook's table anew")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Reckon and print, or write."""
    options = parsed()
    figures = of_report(orjson.loads(options.figures.read_bytes())) if options.figures else kept()
    if options.keep:
        keep(figures)
    if options.keep or options.write:
        RUNBOOK.write_text(put_in(RUNBOOK.read_text(encoding="utf-8"), figures), encoding="utf-8")
        print(f"written: {RUNBOOK.name}, with figures of {figures.source}")
        return
    load = Load(
        rankings_per_s=options.rankings_per_s,
        candidates=options.candidates,
        warm_share=options.warm_share,
        partial_share=options.partial_share,
        missing=options.missing,
        users=options.users,
        frames_per_user=options.frames_per_user,
        id_chars=options.id_chars,
        kept_s=options.kept_s,
        page=min(options.page, options.candidates),
        call_ms=options.call_ms,
        shared_cache=not options.memory,
    )
    prices = Prices(
        options.price_per_1000_calls, options.price_per_core_hour, options.price_per_gib_hour, options.mean_share
    )
    of = need(load, figures, prices, Node(options.node_gib, options.node_gbit))
    if options.json:
        print(orjson.dumps({"load": asdict(load), "need": asdict(of)}, option=orjson.OPT_INDENT_2).decode())
    else:
        print(told(load, of, figures))


if __name__ == "__main__":
    main()

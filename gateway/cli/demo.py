"""`rerank-gateway demo`: the main job, end to end on one machine, with nothing to set up.

Three real processes talk real HTTP: the emulator (which verifies the signature of every call), the gateway, and this
client. The candidates are the whole built-in store, bestsellers first, as a storefront's search would hand them over.
Beside the gateway's order stand the ideal one, and what a naive merge makes of the same calls: chunks of 500 in the
order of the list, sorted by score.
"""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli.agreement import Agreement, agreement
from gateway.cli.processes import running

ARN: Final = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"
LISTINGS: Final = ("recommendations", "related", "actions")
"""Campaigns of the emulator for the other operations, by their names at the gateway."""

USER: Final = "user-17"
CANDIDATES: Final = 10_000
LATENCY_MS: Final = 30
DEADLINE_MS: Final = 10_000
FOREIGN: Final = ("AWS_", "GATEWAY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Variables that lead away from this machine or from the demo's own settings, by how their names begin."""

WIDTH: Final = 110
"""Columns of the table where there is no terminal to ask."""


def demo(
    port: Annotated[int, typer.Option(help="Port of the gateway (0: any free one).", min=0, max=65535)] = 8080,
    once: Annotated[bool, typer.Option("--once", help="Show the ranking and exit, instead of serving on.")] = False,
) -> None:
    """See it work: no AWS, no Redis, nothing to configure.

    Starts a local Personalize Runtime and the gateway, ranks the 10,000 products of its store for one user, and shows
    the top, the calls, and how well the order agrees with the ideal one, beside a naive merge of the same calls.
    What is set on this machine for AWS, for a gateway, or as a proxy does not matter.
    """
    from gateway import settings

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the context managers end what they began
    key_id, secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "emulator.toml")
        config.write_text(
            f'latency_ms = {LATENCY_MS}\n[[key_pairs]]\naccess_key_id = "{key_id}"\nsecret_access_key = "{secret}"\n',
            encoding="utf-8",
        )
        with running("emulate", "--port", "0", "--config", str(config)) as emulator:
            settings.export(
                {
                    "NO_PROXY": "127.0.0.1",
                    "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                    "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": emulator,
                    "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": emulator,
                    "AWS_ACCESS_KEY_ID": key_id,
                    "AWS_SECRET_ACCESS_KEY": secret,
                    "GATEWAY_CAMPAIGNS__DEMO__ARN": ARN,
                    **{f"GATEWAY_CAMPAIGNS__{name.upper()}__ARN": f"{ARN}-{name}" for name in LISTINGS},
                    "GATEWAY_LOG__LEVEL": "warning",
                },
                instead_of=FOREIGN,
            )
            with running("serve", "--host", "127.0.0.1", "--port", str(port)) as gateway:
                asyncio.run(_show(emulator, gateway))
                if not once:
                    _serve_on(emulator, gateway)


def _serve_on(emulator: str, gateway: str) -> None:
    print(f"\nThe gateway serves on at {gateway}, the emulator at {emulator} (Ctrl-C ends both).")
    print(f"Look at {gateway}/console, or try:\n")
    print(
        f"  curl -s {gateway}/v1/rerank -H 'Content-Type: application/json' \\\n"
        """    -d '{"campaign": "demo", "userId": "user-1", "inputList": ["p00001", "p00002", "p00003"]}'"""
    )
    with suppress(KeyboardInterrupt):
        signal.pause()


async def _show(emulator: str, gateway: str) -> None:
    """Rank three times, compare, print."""
    import aiohttp

    from gateway.cli.client import fetch
    from gateway.cli.naive import naive_merge

    async with aiohttp.ClientSession() as session:
        catalogue = await fetch(session, f"{emulator}/_emulator/items?limit={CANDIDATES}")
        candidates = [item["itemId"] for item in catalogue["items"]]
        asked = {"userId": USER, "inputList": candidates}
        oracle = await fetch(session, f"{emulator}/_emulator/oracle", {"campaignArn": ARN, **asked})
        ask = {"campaign": "demo", "deadlineMs": DEADLINE_MS, **asked}
        first = await fetch(session, f"{gateway}/v1/rerank", ask)
        again = await fetch(session, f"{gateway}/v1/rerank", ask)
        stats = await fetch(session, f"{emulator}/_emulator/stats")
    naive_order, naive_calls = await naive_merge(ARN, USER, candidates)
    ideal = [one["itemId"] for one in oracle["personalizedRanking"]]
    ours = [one["itemId"] for one in first["personalizedRanking"]]
    _print_top(first, {item["itemId"]: item for item in catalogue["items"]}, candidates)
    _print_costs(first, again, stats)
    _print_agreement(agreement(ours, ideal), agreement(naive_order, ideal), naive_calls)


def _print_top(answer: dict[str, Any], products: dict[str, dict[str, Any]], candidates: list[str]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    place = {item: number for number, item in enumerate(candidates, start=1)}
    table = Table(
        title=f"{answer['total']:,} candidates ranked for {USER}: the top 10", box=SIMPLE, title_justify="left"
    )
    for column in ("rank", "in list", "score", "price"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("item", "title", "category"):
        table.add_column(column, no_wrap=True)
    for rank, one in enumerate(answer["personalizedRanking"][:10], start=1):
        product = products[one["itemId"]]
        table.add_row(
            str(rank),
            f"{place[one['itemId']]:,}",
            f"{one['score']:.7f}",
            f"{product['price']:.2f}",
            one["itemId"],
            product["title"],
            product["category"],
        )
    console.print(table)


def _print_costs(first: dict[str, Any], again: dict[str, Any], stats: dict[str, Any]) -> None:
    for name, answer in (("cold", first), ("again", again)):
        usage, timing = answer["usage"], answer["timing"]
        print(
            f"{name:<6} {usage['upstreamCalls']:>3} upstream calls, {usage['bridges']} bridges, "
            f"{usage['cached']:>6,} candidates from the cache, {timing['totalMs']:>7.1f} ms "
            f"(own work {timing['cpuMs']:.1f} ms), degraded: {answer['degraded'] or 'no'}"
        )
    print(f"       the emulator counted {stats['calls']} signed calls of {min(map(int, stats['sizes']))} to 500 items")


def _print_agreement(ours: Agreement, naive: Agreement, naive_calls: int) -> None:
    print("\nagreement with the ideal ranking (one softmax over all candidates, unrounded):")
    print(f"  gateway                     {ours}")
    print(f"  naive merge of {naive_calls:>3} chunks   {naive}")

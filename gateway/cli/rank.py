"""`rerank-gateway rank`: a client, for people (a table) and for programs (JSON)."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import fail
from gateway.cli.ids import read_ids


def rank(
    campaign: Annotated[str, typer.Option(help="A configured campaign's name, or an ARN.")],
    user: Annotated[str | None, typer.Option(help="The user to rank for.")] = None,
    users: Annotated[Path | None, typer.Option(help="Rank for many users: a file with one id a line.")] = None,
    items: Annotated[
        Path, typer.Option(help="Candidates: one id a line, or a CSV with a column ITEM_ID; '-' reads standard input.")
    ] = Path("-"),
    url: Annotated[str, typer.Option(help="Where the gateway listens.")] = "http://127.0.0.1:8080",
    key: Annotated[str | None, typer.Option(envvar="RERANK_KEY", help="Bearer key, where one is asked for.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the gateway's whole answer, one JSON object a user.")
    ] = False,
    top: Annotated[int, typer.Option(help="Rows of the table.", min=0)] = 20,
) -> None:
    """Rank candidates for one user, or for many, through a running gateway."""
    if (user is None) == (users is None):
        fail("give either --user or --users")
    if user == "":
        fail("--user is empty")
    wanted = [user] if user is not None else read_ids(users or Path("-"), "USER_ID")
    candidates = read_ids(items, "ITEM_ID")
    asyncio.run(_rank_all(url.rstrip("/"), campaign, [one for one in wanted if one], candidates, key, json, top))


async def _rank_all(
    url: str, campaign: str, users: list[str], candidates: list[str], key: str | None, json: bool, top: int
) -> None:
    import aiohttp
    import orjson
    from rich.console import Console
    from rich.progress import Progress

    from gateway.cli.client import fetch

    out = Console()
    with Progress(console=Console(stderr=True), disable=len(users) == 1, transient=True) as progress:
        async with aiohttp.ClientSession() as session:
            for user in progress.track(users, description="ranking"):
                asked = {"campaign": campaign, "userId": user, "inputList": candidates}
                answer = await fetch(session, f"{url}/v1/rerank", asked, key)
                if json:
                    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")  # UTF-8, whatever the locale says
                else:
                    _print_table(out, user, answer, top)


def _print_table(out: Any, user: str, answer: dict[str, Any], top: int) -> None:
    from rich.table import Table
    from rich.text import Text

    usage = answer["usage"]
    caption = (
        f"{answer['total']} ranked, {usage['upstreamCalls']} upstream calls, {usage['cached']} from cache, "
        f"{answer['timing']['totalMs']} ms" + (f", degraded: {answer['degraded']}" if answer["degraded"] else "")
    )
    table = Table(title=Text(f"for {user}"), caption=caption)
    table.add_column("rank", justify="right")
    table.add_column("item")
    table.add_column("score", justify="right")
    for number, entry in enumerate(answer["personalizedRanking"][:top], start=1):
        score = entry.get("score")
        table.add_row(str(number), Text(entry["itemId"]), "-" if score is None else f"{score:.7f}")
    out.print(table)

"""`rerank-gateway audit`: may the gateway's merge be trusted on this campaign?

Exit codes: 0 trusted, 1 not trusted (or not proven), 2 no audit (usage, or the campaign cannot be called).
"""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.console import fail
from gateway.cli.ids import read_ids

if TYPE_CHECKING:
    from gateway.core.model import Subject
    from gateway.service.audit import Findings

NOT_TRUSTED: Final = 1
NO_AUDIT: Final = 2
CALLS: Final = 40


def audit(
    campaign: Annotated[str, typer.Option(help="The ARN of the campaign.")],
    user: Annotated[str, typer.Option(help="A user whom the campaign knows; never shown.")],
    items: Annotated[
        Path,
        typer.Option(
            help="Items that the campaign knows, 600 or more: one id a line, or a CSV with a column ITEM_ID; "
            "'-' reads standard input."
        ),
    ],
    filter_arn: Annotated[str | None, typer.Option("--filter", help="Also look at lists with this filter.")] = None,
    filter_values: Annotated[
        list[str] | None, typer.Option("--filter-value", help="NAME=VALUE for the filter; may be repeated.")
    ] = None,
    calls: Annotated[int, typer.Option(help="Billed calls to spend at most, 7 or more.")] = CALLS,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Another endpoint than the region's, as the AWS CLI takes it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")] = False,
) -> None:
    """Prove the gateway's promise on your own campaign, straight upstream.

    Sends lists that share items but differ in everything else, and looks whether the ratios of the scores are the same
    in all of them: what the calibrated merge stands on. Also tells the rounding, the sums, what unknown and repeated
    items get, the limit, and the latencies. Credentials and region come from the AWS SDK's own variables and files.
    Exits 0 if the merge may be trusted, 1 if not, 2 if the campaign cannot be called.
    """
    from gateway.core.errors import GatewayError
    from gateway.core.model import Subject, distinct
    from gateway.service.audit import AuditFailed

    wanted = distinct([one for one in read_ids(items, "ITEM_ID", code=NO_AUDIT) if one])
    _check(campaign, user, filter_arn, filter_values or [], len(wanted), calls)
    values = dict(one.partition("=")[::2] for one in filter_values or ())
    subject = Subject(campaign=campaign, user_id=user, filter_arn=filter_arn, filter_values=values)
    try:
        found = asyncio.run(_audit(subject, wanted, calls, endpoint_url))
    except (AuditFailed, GatewayError) as error:
        fail(str(error), code=NO_AUDIT)
    if not _print(found, campaign, json=json):
        raise typer.Exit(NOT_TRUSTED)


def _check(campaign: str, user: str, filter_arn: str | None, filter_values: list[str], items: int, calls: int) -> None:
    from gateway.core.audit.lists import ITEMS_MIN
    from gateway.core.routing import is_arn
    from gateway.service.audit import CALLS_MIN

    faults = [
        (not is_arn(campaign), "--campaign is not the ARN of a campaign"),
        (not user, "--user is empty"),
        (filter_arn is not None and not is_arn(filter_arn), "--filter is not the ARN of a filter"),
        (bool(filter_values) and filter_arn is None, "--filter-value is for a --filter, and there is none"),
        (any(one.find("=") < 1 for one in filter_values), "--filter-value is not NAME=VALUE"),
        (items < ITEMS_MIN, f"--items has {items} items; an audit needs at least {ITEMS_MIN}, better 600 and more"),
        (calls < CALLS_MIN, f"--calls is below {CALLS_MIN}, the calls of one round"),
    ]
    if any(broken for broken, _ in faults):
        fail(*(text for broken, text in faults if broken), code=NO_AUDIT)


async def _audit(subject: "Subject", items: list[str], calls: int, endpoint_url: str | None) -> "Findings":
    from rich.console import Console

    from gateway import settings
    from gateway.service.audit import audit as run_audit
    from gateway.wiring import open_raw_ranker

    if endpoint_url is not None:
        settings.export({"AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": endpoint_url})
    with Console(stderr=True).status("asking the campaign"):
        async with open_raw_ranker(subject.campaign, subject) as ranker:
            return await run_audit(ranker, items, calls_max=calls, with_filter=subject.filter_arn is not None)


def _print(found: "Findings", campaign: str, *, json: bool) -> bool:
    """Print the report; whether the merge may be trusted."""
    from gateway.cli import audit_report
    from gateway.core.audit.ratios import Verdict

    if json:
        import orjson

        sys.stdout.write(orjson.dumps(audit_report.as_json(found, campaign)).decode() + "\n")
    else:
        audit_report.print_report(found, campaign)
    return found.verdict is Verdict.TRUSTED

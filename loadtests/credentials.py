"""A credential source that is down for longer than the refresh window: no failed call, one question at a time.

    python -m loadtests.credentials [--validity 30] [--json]

Calls at a steady pace through the gateway's own clients, while Pod Identity's agent (a stub on loopback) answers 503
from before its credentials are to be renewed until shortly before they expire. Beside it, on an agent of its own with
the same outage, the control: aiobotocore as it comes, with its windows of 15 and 10 minutes scaled to the validity of
this run. Ends by itself a little after that time, with status 1 if the gateway failed a call or asked twice at once.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import orjson
import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiobotocore.utils import AioContainerMetadataFetcher

from gateway import settings
from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core.model import Subject
from gateway.core.renewal import WINDOW_SHARE
from gateway.ports import Call
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import answer
from tests.adapters.issuer import Issuer

ARN = "arn:aws:personalize:eu-west-1:123456789012:campaign/storefront"
ITEMS = ["a", "b", "c"]
CALLERS = 10
PAUSE_S = 0.2
"""Between two calls of a caller: about 50 calls a second for each program."""

DOWN_FROM, DOWN_UNTIL = 1 / 3, 4 / 5
"""The outage, in shares of the validity; the window begins at half of it. What remains is one longest wait between
two questions (5 s), and some time to answer."""

MANDATORY_SHARE = 2 / 3
"""Of the SDK's windows, the mandatory one (10 minutes) to the advisory one (15)."""

AGENT_TAKES_S = 0.05
SDK_PAUSE_S = 0.0
"""Between the SDK's three tries of one question, for both programs: its own second is the 900th part of 15 minutes."""


@dataclass
class Seen:
    """What became of a program's calls."""

    calls: int = 0
    failed: int = 0
    failed_valid: int = 0
    p50_ms: float = 0.0
    slowest_ms: float = 0.0
    questions: int = 0
    answered: int = 0
    most_at_once: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def take(self, took_ms: list[float], issuer: Issuer) -> None:
        """How long its calls took, and how its agent was asked."""
        self.calls, self.p50_ms, self.slowest_ms = len(took_ms), round(median(took_ms), 1), round(max(took_ms))
        self.questions, self.answered, self.most_at_once = issuer.asked, issuer.given, issuer.most_under_way


async def call_on(
    call: Callable[[], Awaitable[object]], seen: Seen, took_ms: list[float], until_s: float, expires_s: float
) -> None:
    """Call at a steady pace; `expires_s` is when the first credentials do."""
    while (began_s := time.monotonic()) < until_s:
        try:
            await call()
        except Exception as error:  # whatever it is, the call failed
            seen.failed += 1
            seen.failed_valid += time.monotonic() < expires_s
            name = type(error).__name__
            seen.errors[name] = seen.errors.get(name, 0) + 1
        took_ms.append(1e3 * (time.monotonic() - began_s))
        await asyncio.sleep(PAUSE_S)


async def opened_control(stack: AsyncExitStack, validity_s: float) -> Callable[[], Awaitable[object]]:
    """One call through aiobotocore as it comes, but for its windows."""
    session = AioSession()
    credentials: Any = await session.get_credentials()
    window_s = WINDOW_SHARE * validity_s
    credentials._advisory_refresh_timeout = window_s  # noqa: SLF001 - constants of the SDK, on the scale of this run
    credentials._mandatory_refresh_timeout = MANDATORY_SHARE * window_s  # noqa: SLF001
    config = AioConfig(max_pool_connections=1_000)
    client = await stack.enter_async_context(
        session.create_client("personalize-runtime", region_name="eu-west-1", config=config)
    )
    return lambda: client.get_personalized_ranking(campaignArn=ARN, userId="u-1", inputList=ITEMS)


async def measure(validity_s: float) -> dict[str, Seen]:
    """Both programs through one outage."""
    AioContainerMetadataFetcher.SLEEP_TIME = SDK_PAUSE_S
    ours, theirs = Issuer(validity_s, AGENT_TAKES_S), Issuer(validity_s, AGENT_TAKES_S)
    async with AsyncExitStack() as stack:
        campaign = await stack.enter_async_context(fake_upstream.listening())
        agent = await stack.enter_async_context(fake_upstream.listening(ours.as_agent))
        other = await stack.enter_async_context(fake_upstream.listening(theirs.as_agent))
        settings.export({"AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": campaign.url})
        settings.export({"AWS_CONTAINER_CREDENTIALS_FULL_URI": other.url})
        control = await opened_control(stack, validity_s)
        settings.export({"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url})
        clients = await stack.enter_async_context(AwsClients(connections_max=1_000))
        ranker, one_call = PersonalizeRanker(clients), Call(ARN, Subject("storefront", "u-1"), ITEMS)
        await ranker.rank(one_call)  # the first calls are slow: clients are made, connections opened
        await control()
        seen = {"gateway": Seen(), "aiobotocore": Seen()}
        took_ms: dict[str, list[float]] = {name: [] for name in seen}
        programs = {"gateway": lambda: ranker.rank(one_call), "aiobotocore": control}
        began_s = time.monotonic()
        until_s, expires_s = began_s + 1.1 * validity_s, began_s + validity_s
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                for name, call in programs.items():
                    group.create_task(call_on(call, seen[name], took_ms[name], until_s, expires_s))
            await asyncio.sleep(DOWN_FROM * validity_s)
            ours.instead = theirs.instead = answer(b"away", "503 Service Unavailable")
            await asyncio.sleep((DOWN_UNTIL - DOWN_FROM) * validity_s)
            ours.instead = theirs.instead = None
    seen["gateway"].take(took_ms["gateway"], ours)
    seen["aiobotocore"].take(took_ms["aiobotocore"], theirs)
    return seen


def main() -> None:
    """Run once and print a Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validity", type=float, default=30.0, help="seconds that credentials are valid, 30 or more")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings.export(
        dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"), "")
        | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"}
    )
    seen = uvloop.run(measure(options.validity))
    if options.json:
        print(orjson.dumps({name: asdict(one) for name, one in seen.items()}).decode())
    else:
        print("| | calls | failed | while valid | p50, ms | slowest, ms | agent asked | answered | most at once |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        for name, one in seen.items():
            print(
                f"| {name} | {one.calls} | {one.failed} | {one.failed_valid} | {one.p50_ms} | {one.slowest_ms} "
                f"| {one.questions} | {one.answered} | {one.most_at_once} |"
            )
    sys.exit(1 if seen["gateway"].failed or seen["gateway"].most_at_once > 1 else 0)


if __name__ == "__main__":
    main()

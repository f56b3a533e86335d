"""The scenes: what is broken, what is sent meanwhile, and which figures are held against which goals.

A scene is a coroutine that gives rows of the report. Goals are those of the project's design; healthy and broken are
always measured in one run, side by side.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from loadtests.resilience.client import Client, Load, warm_up
from loadtests.resilience.stage import ARN, Stage, stage

LATENCY: Final = {"kind": "lognormal", "median_s": 0.033, "sigma": 0.35}
"""A call takes 17 to 66 ms, most of the time."""

WARM_UP: Final = 40

TAIL_S: Final = 16.0
"""A 99th percentile is the worst 16 of so many requests: of 8 s it would be the luck of eight."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, its goal in words, and whether it is met (None: told for its own sake)."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


Scene = Callable[[float], Awaitable[list[Row]]]


def at_most(what: str, figure: float, goal: float, unit: str = "x") -> Row:
    """A figure that must not be above its goal."""
    return Row(what, f"{figure:.2f}{unit}", f"<= {goal:g}{unit}", figure <= goal)


def at_least(what: str, figure: float, goal: float, unit: str = "x") -> Row:
    """A figure that must not be below its goal."""
    return Row(what, f"{figure:.2f}{unit}", f">= {goal:g}{unit}", figure >= goal)


@asynccontextmanager
async def playing(
    *clients: tuple[int, str], answers: str = "model", **variables: str
) -> AsyncIterator[tuple[Stage, list[Client]]]:
    """A stage, its upstream healthy, and warm clients that rank so many candidates of such a campaign."""
    async with AsyncExitStack() as stack:
        there = stack.enter_context(stage(answers, **variables))
        there.break_it(latency=LATENCY)
        opened = [await stack.enter_async_context(Client(there.gateway, count, name)) for count, name in clients]
        await warm_up(opened, WARM_UP)
        yield there, opened


def amplification(there: Stage) -> float:
    """Attempts for each call, in the worst 10 s that the upstream saw."""
    return max(one["amplificationIn10s"] for one in there.stats()["arns"].values())


async def tail(seconds: float) -> list[Row]:
    """One call of 100 candidates, 100 a second; then 2 % and 5 % of the attempts take a second more."""
    rows = []
    seconds = max(TAIL_S, seconds)
    async with playing((100, "demo"), GATEWAY_SERVER__DEADLINE_MS="5000") as (there, (client,)):
        healthy = await client.at_rate(100, seconds)
        rows.append(Row("healthy p50, p99", f"{healthy.ms(0.5):.1f}, {healthy.ms(0.99):.1f} ms"))
        for share, goal in ((0.02, 1.3), (0.05, 1.5)):
            there.forget()
            there.break_it(latency=LATENCY, slow_share=share, slow_s=1.0)
            slow = await client.at_rate(100, seconds)
            rows.append(at_most(f"{share:.0%} slow: p99 against healthy", slow.ms(0.99) / healthy.ms(0.99), goal))
            rows.append(at_most(f"{share:.0%} slow: attempts for each call, worst 10 s", amplification(there), 1.10))
            there.break_it(latency=LATENCY)
    return rows


async def fan_out_tail(seconds: float) -> list[Row]:
    """10,000 candidates in 21 calls, 4 rankings a second, 1 % of the attempts slow; with hedges and without."""
    p99 = {}
    rows = []
    for share in ("0.1", "0"):
        variables = {"GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE": share, "GATEWAY_SERVER__DEADLINE_MS": "5000"}
        async with playing((10_000, "demo"), answers="equal", **variables) as (there, (client,)):
            there.break_it(latency=LATENCY, slow_share=0.01, slow_s=1.0)
            load = await client.at_rate(4, 2 * seconds)
            p99[share] = load.ms(0.99)
            rows.append(Row(f"extra_share {share}: p50, p99", f"{load.ms(0.5):.0f}, {load.ms(0.99):.0f} ms"))
            rows.append(at_most("attempts for each call, worst 10 s", amplification(there), 1.10))
    return [*rows, at_least("p99 without hedges against with", p99["0"] / p99["0.1"], 5.0)]


async def outage(seconds: float) -> list[Row]:
    """100 rankings of one call a second, deadline 500 ms; every attempt fails for 30 s, then none."""
    broken_for_s = max(30.0, seconds)
    deadline_s = 0.5
    async with playing((100, "demo"), GATEWAY_SERVER__DEADLINE_MS=f"{1e3 * deadline_s:.0f}") as (there, (client,)):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(client.at_rate(100, 5 + broken_for_s + 10))
            await asyncio.sleep(5)
            before = there.stats()
            there.break_it(rules=[{"play": "error", "status": 503}])
            broken_s = time.monotonic()
            await asyncio.sleep(broken_for_s)
            stats = there.stats()
            there.break_it(latency=LATENCY)
            mended_s = time.monotonic()
        load = running.result()
        during, after = load.between(broken_s, mended_s), load.between(mended_s, mended_s + 10)
        opened_s = before["nowS"] + 1.0
        buckets = stats["arns"][ARN % "demo"]["buckets"]
        early, late = (
            sum(count for bucket, count in buckets if begin_s <= bucket * stats["bucketS"] < end_s)
            for begin_s, end_s in ((before["nowS"], opened_s), (opened_s, stats["nowS"]))
        )
        back_s = max((one.sent_s + one.took_s - mended_s for one in after.seen if not one.whole), default=0.0)
        return [
            Row("attempts in the first second, and after it", f"{early}, {late}"),
            at_most("probes a second, once the breaker is open", late / (broken_for_s - 1.0), 1.1, "/s"),
            at_most("attempts for each call, worst 10 s", amplification(there), 1.10),
            Row("answers meanwhile", str(during.kinds()), "503 only", set(during.kinds()) <= {"503", "200"}),
            at_most("latest answer behind its deadline", 1e3 * (during.ms(1.0) / 1e3 - deadline_s), 50.0, " ms"),
            at_most("back to normal after", back_s, 5.0, " s"),
        ]


async def blackout(seconds: float) -> list[Row]:
    """The same with an upstream that takes everything in and never answers; 10,000 candidates, fallback input-order."""
    deadline_s = 0.3
    variables = {
        "GATEWAY_SERVER__DEADLINE_MS": f"{1e3 * deadline_s:.0f}",
        "GATEWAY_CAMPAIGNS__DEMO__FALLBACK": "input-order",
    }
    async with playing((10_000, "demo"), answers="equal", **variables) as (there, (client,)):
        there.break_it(rules=[{"play": "hang"}])
        load = await client.at_rate(5, seconds)
        there.break_it(latency=LATENCY)
        mended_s = time.monotonic()
        after = await client.at_rate(5, 10)
        back_s = max((one.sent_s + one.took_s - mended_s for one in after.seen if not one.whole), default=0.0)
        kinds = set(load.kinds())
        return [
            Row("answers meanwhile", str(load.kinds()), "200 fallback", kinds <= {"200 fallback"}),
            at_most("latest answer behind its deadline", load.ms(1.0) - 1e3 * deadline_s, 50.0, " ms"),
            at_most("back to normal after", back_s, 5.0, " s"),
            at_most("attempts for each call, worst 10 s", amplification(there), 1.10),
        ]


async def throttles(seconds: float) -> list[Row]:
    """Two campaigns, 50 rankings a second each; one of them is throttled hard every other time."""
    loads: dict[bool, list[Load]] = {False: [], True: []}
    async with playing((100, "demo"), (100, "other")) as (there, (first, second)):
        for number in range(8):
            throttled = bool(number % 2)
            faults = {"rules": [{"play": "throttled", "share": 0.5}]} if throttled else {}
            there.break_it("demo", latency=LATENCY, **faults)
            async with asyncio.TaskGroup() as group:
                group.create_task(first.at_rate(50, seconds / 4))
                other = group.create_task(second.at_rate(50, seconds / 4))
            loads[throttled].append(other.result())
        told = there.campaigns()
    calm, beside = (Load([one for load in loads[kind] for one in load.seen]) for kind in (False, True))
    limits = {name: told[name]["arns"][0]["concurrencyLimit"] for name in told}
    return [
        Row("concurrency limits, throttled and not", f"{limits['demo']}, {limits['other']}"),
        Row("p99 of the other campaign, calm and beside", f"{calm.ms(0.99):.1f}, {beside.ms(0.99):.1f} ms"),
        at_most("p99 beside throttles against calm", beside.ms(0.99) / calm.ms(0.99), 1.05),
    ]


async def replicas(seconds: float) -> list[Row]:
    """Three ARNs for one campaign, 30 rankings of 2,000 candidates a second; one of them hangs."""
    others = ",".join(ARN % name for name in ("demo-2", "demo-3"))
    variables = {"GATEWAY_CAMPAIGNS__DEMO__REPLICAS": others}
    async with playing((2_000, "demo"), answers="equal", **variables) as (there, (client,)):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(client.at_rate(30, 3 + seconds))
            await asyncio.sleep(3)
            there.break_it("demo-2", rules=[{"play": "hang"}])
            broken_s = time.monotonic()
        load = running.result()
        after = load.between(broken_s + 1.0, broken_s + 1e9)
        first = load.between(broken_s, broken_s + 1.0)
        return [
            Row("in the first second", str(first.kinds())),
            Row("after it", str(after.kinds()), "all whole", after.whole == len(after.seen)),
            Row("p50, p99 after it", f"{after.ms(0.5):.0f}, {after.ms(0.99):.0f} ms"),
            at_most("attempts for each call, worst 10 s", amplification(there), 1.10),
        ]


async def overload_upstream(seconds: float) -> list[Row]:
    """A campaign that may be called 150 times a second, and three times as many rankings of one call each."""
    variables = {"GATEWAY_CAMPAIGNS__DEMO__TPS": "150"}
    async with playing((100, "demo"), **variables) as (there, (client,)):
        return await _overload(there, client, 150.0, seconds)


async def overload_core(seconds: float) -> list[Row]:
    """Cold rankings of 5,000 candidates, three times as many as the core can do."""
    async with playing((5_000, "demo"), answers="equal") as (there, (client,)):
        best = 0.0
        for workers in (2, 4, 6):
            load = await client.closed(workers, 5.0)
            best = max(best, load.whole / 5.0)
        return [Row("peak, closed loop", f"{best:.1f}/s"), *await _overload(there, client, best, seconds)]


async def _overload(there: Stage, client: Client, peak_per_s: float, seconds: float) -> list[Row]:
    load, resident_mib = Load(), []
    for _ in range(4):  # the first part fills what is kept for use again
        part = await client.at_rate(3 * peak_per_s, seconds)
        resident_mib.append(there.resident_mib())
        load.seen += part.seen
    await asyncio.sleep(2.0)
    calm = await client.at_rate(0.5 * peak_per_s, 5.0)
    refused = load.only(lambda one: one.status in (429, 503))
    told = all(one.retry_after for one in refused.seen)
    return [
        Row("answers", str(load.kinds())),
        at_least("whole answers against the peak", load.whole / (4 * seconds) / peak_per_s, 0.90),
        at_most("refusals, median", refused.ms(0.5), 10.0, " ms"),
        Row("refusals, p99", f"{refused.ms(0.99):.1f} ms"),
        Row("Retry-After on every refusal", str(told), "True", told),
        Row("whole answers: p50, p99", "{:.0f}, {:.0f} ms".format(*_times(load))),
        Row("resident memory after each quarter", ", ".join(f"{one:.0f}" for one in resident_mib) + " MiB"),
        at_most("resident memory, last quarter against first", resident_mib[-1] / resident_mib[0], 1.10),
        at_least("whole answers 2 s later, at half the peak", calm.whole / len(calm.seen), 1.0),
    ]


def _times(load: Load) -> tuple[float, float]:
    whole = load.only(lambda one: one.whole)
    return whole.ms(0.5), whole.ms(0.99)


SCENES: Final[dict[str, Scene]] = {
    "tail": tail,
    "fan-out-tail": fan_out_tail,
    "outage": outage,
    "blackout": blackout,
    "throttles": throttles,
    "replicas": replicas,
    "overload-upstream": overload_upstream,
    "overload-core": overload_core,
}

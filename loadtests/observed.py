"""What it costs to be seen: CPU of the gateway for a cold ranking of 10,000 candidates, with and without traces.

    python -m loadtests.observed [--rounds 20] [--candidates 10000] [--json]

    nothing     no traces, and no access lines
    logs        access lines: what the gateway does by default, and what the others are held against
    unsampled   an exporter is set up, and the sampler says no to every request
    tenth       it says yes to one in ten
    sampled     every request is recorded and exported over OTLP: a span for it, for each of its 21 calls, for its frame
                and for its merge

Each is a process of its own in front of one upstream; they are asked in turn, in every round in another order, and of a
round the CPU times are compared with each other: what the machine does meanwhile, it does to all of them. Metrics are
part of all, since they cannot be switched off. Spans are exported twice a second instead of every five, so that their
export is within what is measured.

On a busy machine such ratios tell no 2 % apart; instructions do (`loadtests.instructions --traces`). So the work itself
is measured as well, here, as often as it takes to meet a quiet moment: all that is done for the trace of one ranking,
unsampled, sampled, and encoded for its export.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count as numbers
from statistics import median, quantiles
from typing import Any, Final

import orjson
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NoOpTracer

from gateway.adapters.aws_session import told
from gateway.adapters.otel import OtelTracer
from gateway.adapters.otel_lean import LeanSpan, LeanTracer
from gateway.adapters.otel_sampler import sampler_of
from gateway.adapters.otlp import Encoder
from gateway.core.attempt import Attempt, Wanted
from gateway.ports import TRACE, Tracer
from loadtests.client_cost.contestants import SETTLE_S, Contestant, environment_for, started
from loadtests.client_cost.task import ARN, items_of, request_body, shape_of

USUAL: Final = "logs"
"""What the others are held against."""

RANKINGS_A_ROUND: Final = 10
EXPORT_EVERY_S: Final = 0.5
WARM_UPS: Final = 3
ROUNDS: Final = 20

GOALS: Final = {"unsampled": 1.02, "sampled": 1.05}
"""CPU, as a multiple of the usual at most."""

REQUEST_FACTS: Final = ("http.request.method", "url.scheme", "url.path", "http.route", "network.protocol.version")
TIMES: Final = 200
"""How often the work is done to meet a quiet moment."""

OFF: Final = {"OTEL_TRACES_EXPORTER": "none"}

users = (f"user-{number}" for number in numbers())
"""A new one for every request, so that nothing is cached."""


def variants(collector: str) -> dict[str, dict[str, str]]:
    """The variables of every variant."""
    exported = {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_BSP_SCHEDULE_DELAY": str(round(1e3 * EXPORT_EVERY_S)),
    }
    return {
        "nothing": {**OFF, "GATEWAY_LOG__LEVEL": "error"},
        USUAL: OFF,
        "unsampled": {**exported, "OTEL_TRACES_SAMPLER": "always_off"},
        "tenth": {**exported, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
        "sampled": {**exported, "OTEL_TRACES_SAMPLER": "always_on"},
    }


def run(rounds: int, count: int) -> dict[str, list[float]]:
    """Milliseconds of CPU a ranking, by variant and round."""
    items = items_of(count)
    with ExitStack() as stack:
        _, collector = stack.enter_context(started("loadtests.collector"))
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", str(count)))
        environment_for(upstream)
        all_variants: list[Contestant] = []
        for name, variables in variants(collector).items():
            process, url = stack.enter_context(started("gateway", "serve", "--port", "0", variables=variables))
            contestant = Contestant.at(name, process, url, lambda user: request_body(user, items))
            all_variants.append(replace(contestant, settle_s=EXPORT_EVERY_S + SETTLE_S))
        for variant in all_variants:
            for _ in range(WARM_UPS):
                variant.ask(next(users))
        spent: dict[str, list[float]] = {variant.name: [] for variant in all_variants}
        for turn in range(rounds):
            first = turn % len(all_variants)
            for variant in all_variants[first:] + all_variants[:first]:
                spent[variant.name].append(variant.measure([next(users) for _ in range(RANKINGS_A_ROUND)]).cpu_ms)
        return spent


def traced(tracer: Tracer, calls: int) -> None:
    """What the gateway does for the trace of a ranking with so many calls."""
    request = tracer.request("POST /v1/rerank", ())
    for name in REQUEST_FACTS:
        request.note(name, "POST")
    with request.step("frame load") as step:
        step.note("rerank.frame.items", 0)
    for number in range(calls):
        attempt = Attempt(Wanted("plan", number, 500), "first", 0.0)
        attempt.begin(ARN, 0.0)
        with request.attempt(attempt) as span:
            TRACE.set(span)
            told(200, "79b9da39-b7ae-508a-a6bc-864b2829c622")
            attempt.end("answered", 0.0)
    for name in ("merge", "frame save"):
        with request.step(name) as step:
            step.note("rerank.frame.items", 0)
    request.end()


class _Kept(SpanExporter):
    """Keeps the spans of the last batch; sending costs what it costs for 512 spans, whoever has made them."""

    def __init__(self) -> None:
        self.spans: list[LeanSpan] = []

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """Keep."""
        self.spans = list(spans)
        return SpanExportResult.SUCCESS


def direct(calls: int) -> dict[str, float]:
    """Milliseconds of CPU for the trace of a ranking: the least of many."""
    kept, encoder = _Kept(), Encoder(b"", b"")
    processor = BatchSpanProcessor(kept)
    lean = {
        name: LeanTracer(sampler_of({"OTEL_TRACES_SAMPLER": sampler}), processor)
        for name, sampler in (("unsampled", "always_off"), ("sampled", "always_on"))
    }
    work = {name: partial(traced, tracer, calls) for name, tracer in lean.items()}
    work["api alone"] = partial(traced, OtelTracer(NoOpTracer()), calls)
    found = {name: _least_ms(one, processor.force_flush) for name, one in work.items()}
    work["sampled"]()
    processor.force_flush()
    found["encoded"] = _least_ms(lambda: encoder(kept.spans))
    processor.shutdown()
    return found


def _least_ms(work: Callable[[], object], after: Callable[[], object] = int) -> float:
    least_s = math.inf
    for _ in range(TIMES):
        began_s = time.process_time()
        work()
        least_s = min(least_s, time.process_time() - began_s)
        after()
    return round(1e3 * least_s, 3)


def figures(spent: Mapping[str, Sequence[float]], count: int) -> dict[str, Any]:
    """Medians, and ratios of each round to the usual of the same round."""
    calls = shape_of(count)[1]
    found: dict[str, Any] = {
        "candidates": count,
        "calls": calls,
        "rounds": len(spent[USUAL]),
        "directMs": direct(calls),
    }
    for name, all_ms in spent.items():
        ratios = [ms / usual_ms for ms, usual_ms in zip(all_ms, spent[USUAL], strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        goal = GOALS.get(name)
        found[name] = {
            "cpuMs": round(median(all_ms), 2),
            "minMs": round(min(all_ms), 2),
            "ratio": round(middle, 3),
            "ratioQuartiles": [round(low, 3), round(high, 3)],
            **({} if goal is None else {"goal": goal, "met": middle <= goal}),
        }
    return found


def table(found: Mapping[str, Any]) -> list[str]:
    """The lines of the report."""
    lines = [
        f"{found['candidates']:,} cold candidates, {found['calls']} calls, {found['rounds']} rounds",
        "",
        "| variant | CPU, ms | min | ratio of a round | quartiles | goal |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name in variants(""):
        one = found[name]
        goal = f"<= {one['goal']:g}: {'met' if one['met'] else 'not met'}" if "goal" in one else ""
        low, high = one["ratioQuartiles"]
        ratio = f"{one['ratio']:.3f} | {low:.3f} to {high:.3f}"
        lines.append(f"| {name} | {one['cpuMs']:.1f} | {one['minMs']:.1f} | {ratio} | {goal} |")
    usual_ms = found[USUAL]["minMs"]
    for name, ms in found["directMs"].items():
        lines.append(f"{name}: {ms:.3f} ms for a ranking, {100 * ms / usual_ms:.2f} % of its least CPU")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    found = figures(run(options.rounds, options.candidates), options.candidates)
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if options.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()

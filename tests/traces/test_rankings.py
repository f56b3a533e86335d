"""One cold ranking of 10,000 candidates on real sockets, with a call that hangs and one that fails: its trace has
exactly the calls that its usage reports, and upstream sees the attempt that it was called by."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from gateway.service.service import Service
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import Sent, Upstream, answer, hang, ranking
from tests.faults.conftest import Start
from tests.faults.parts import arn_of
from tests.traces.recorder import Recorder, facts, header_of

CANDIDATES = [f"item-{number:05}" for number in range(10_000)]
TYPICAL_S = 1.0
"""What the gateway is made to believe that calls take: longer than they do on any machine, so what hangs is hedged."""

FAILS, HANGS = 2, 9
"""Which requests go wrong, in the order of their coming."""


@pytest.fixture
async def endpoint() -> AsyncIterator[Upstream]:
    """One request hangs, one fails; all answers have an id, as those of AWS do."""
    numbers = iter(range(1_000))

    async def script(request: Sent, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        if number == HANGS:
            await hang(request, writer)
        elif number == FAILS:
            await answer(b"{}", "500 Internal Server Error", x_amzn_RequestId="failed-1")(request, writer)
        else:
            await ranking()(request, writer)

    async with fake_upstream.listening(script) as upstream:
        yield upstream


def knows_its_calls(service: Service) -> None:
    """Let the campaign know how long its calls take, and have a budget for extra ones."""
    gate = service.gates.of(service.campaigns["demo"])
    now_s = gate.now_s
    for _ in range(60):
        gate.latencies.add(TYPICAL_S, now_s)
        gate.extras.call(now_s)


async def test_a_trace_has_the_calls_that_usage_reports(start: Start, endpoint: Upstream, recorder: Recorder) -> None:
    """A span for each call, retry and hedge, no more and no less; the hedge is linked to its first attempt; the plan
    tells the same attempts; what upstream was sent as parent is the span of the attempt."""
    gateway = await start(endpoint.url, demo={})
    gateway.service.tracer = recorder.tracer
    knows_its_calls(gateway.service)
    members = {"campaign": "demo", "userId": "u-canary", "inputList": CANDIDATES, "explain": True}
    response = await gateway.client.post("/v1/rerank", json=members)
    body: dict[str, Any] = orjson.loads(await response.read())
    assert response.status == 200, body
    usage, calls = body["usage"], recorder.calls
    assert usage["retries"] >= 1
    assert usage["hedges"] >= 1
    told = [facts(call) for call in calls]

    assert len(calls) == usage["upstreamCalls"] == 21 + usage["retries"] + usage["hedges"]
    assert sum(one["rerank.attempt"] == "retry" for one in told) == usage["retries"]
    assert sum(one["rerank.attempt"] == "hedge" for one in told) == usage["hedges"]
    assert {one["rerank.call"] for one in told} == set(range(21))
    (plan,) = body["plan"]
    assert of_plan(plan) == Counter(
        (one["rerank.call"], one["rerank.attempt"], one["rerank.items"], one["rerank.outcome"]) for one in told
    )
    assert facts(recorder.request)["rerank.upstream_calls"] == len(calls)

    assert {call.name for call in calls} == {"Personalize Runtime.GetPersonalizedRanking"}
    assert {(one["rpc.system"], one["cloud.region"], one["aws.personalize.arn"]) for one in told} == {
        ("aws-api", "us-east-1", arn_of("demo"))
    }
    (failed,) = [call for call in calls if facts(call)["rerank.outcome"] == "failed"]
    assert (failed.status.status_code, facts(failed)["error.type"]) == (StatusCode.ERROR, "Unavailable")
    assert (facts(failed)["http.response.status_code"], facts(failed)["aws.request_id"]) == (500, "failed-1")
    assert sorted(map(header_of, calls)) == sorted(sent.headers["traceparent"][:-2] for sent in endpoint.sent)
    assert {sent.headers["traceparent"][-2:] for sent in endpoint.sent} == {"03"}  # sampled, and of a random id
    assert linked(calls)
    assert "u-canary" not in "".join(span.to_json() for span in recorder.spans)


def of_plan(plan: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """The attempts of a plan, in the words of the spans."""
    return Counter((one["call"], one["kind"], one["items"], one["outcome"]) for one in plan["attempts"])


def linked(calls: list[ReadableSpan]) -> bool:
    """Whether each hedge is linked to another attempt of its own call, and no other span to anything."""
    by_id = {call.context.span_id: call for call in calls if call.context is not None}
    for call in calls:
        beside = [by_id[link.context.span_id] for link in call.links]
        number = facts(call)["rerank.call"]
        if [facts(one)["rerank.call"] for one in beside] != (
            [number] if facts(call)["rerank.attempt"] == "hedge" else []
        ):
            return False
    return True

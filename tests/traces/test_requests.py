"""The span of a request: what it tells, what it belongs to, when there is none, and what never stands in it."""

import re

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from gateway.core.answer import Answer
from gateway.core.errors import Unavailable
from gateway.ports import TRACE, Call, Headers
from tests.support.softmax_ranker import SoftmaxRanker
from tests.traces.conftest import Connect
from tests.traces.recorder import RECORDERS, Recorder, facts, header_of
from tests.web.parts import LOGITS, NATIVE, WIRE, ask, items, native, send, wire

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-00"


class Tracing(SoftmaxRanker):
    """Keeps the headers that every call is made with."""

    def __init__(self) -> None:
        super().__init__(lambda _: LOGITS)
        self.headers: list[Headers] = []

    async def rank(self, call: Call) -> Answer:
        self.headers.append(TRACE.get().headers)
        return await super().rank(call)


async def test_a_request_is_told_by_its_route(connect: Connect, recorder: Recorder) -> None:
    """The server's span has the attributes of the conventions, and what the access line says of the ranking."""
    await ask(await connect(), NATIVE, native())
    span = recorder.request
    assert (span.name, span.parent, span.status.status_code) == ("POST /v1/rerank", None, StatusCode.UNSET)
    assert facts(span) == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "url.path": "/v1/rerank",
        "http.route": "/v1/rerank",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "rerank.campaign": "demo",
        "rerank.candidates": 3,
        "rerank.cached": 0,
        "rerank.upstream_calls": 1,
        "rerank.retries": 0,
        "rerank.hedges": 0,
        "rerank.bridges": 0,
    }


async def test_the_work_within(connect: Connect, recorder: Recorder) -> None:
    """Within a request: the frame is looked up, calls are made and merged, and the frame is saved."""
    await ask(await connect(), NATIVE, native(items(700)))
    assert [span.name for span in recorder.spans if span.kind is SpanKind.INTERNAL][:2] == ["frame load", "merge"]
    assert len(recorder.calls) == 2
    assert facts(recorder.named("frame save")) == {"rerank.frame.items": 700}
    context = recorder.request.context
    assert context is not None
    inner = [span for span in recorder.spans if span is not recorder.request]
    assert {span.parent.span_id for span in inner if span.parent is not None} == {context.span_id}
    assert {span.context.trace_id for span in inner if span.context is not None} == {context.trace_id}


async def test_it_belongs_to_the_callers_trace(connect: Connect, recorder: Recorder, lines: list) -> None:
    """The caller's span is the parent; what is sent upstream is the span of the attempt, with the caller's state, and
    no baggage; the access line has the trace's id."""
    ranker = Tracing()
    client = await connect(ranker)
    await send(client, NATIVE, native(), traceparent=PARENT, tracestate="a=1", baggage="userId=u-1")
    span, (call,) = recorder.request, recorder.calls
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" in PARENT
    assert ranker.headers == [(("traceparent", f"{header_of(call)}01"), ("tracestate", "a=1"))]
    assert TRACE_ID in header_of(call)
    assert span.context is not None
    assert span.context.trace_state.to_header() == "a=1"
    assert [line["trace_id"] for line in lines if line["event"] == "request"] == [TRACE_ID]
    assert not any("u-1" in str(fact) for one in recorder.spans for fact in facts(one).values())


async def test_a_trace_of_our_own_stands_in_the_access_line(connect: Connect, recorder: Recorder, lines: list) -> None:
    """Without a caller's trace a request begins one, by whose id the two can be found."""
    await send(await connect(), WIRE, wire())
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["trace_id"] in header_of(recorder.request)


NOT_RECORDED = {
    "always_off": ("always_off", PARENT),
    "root says no": ("parentbased_always_off", ""),
    "parent says no, root would": ("parentbased_always_on", UNSAMPLED),
}


@pytest.mark.parametrize(("sampler", "parent"), NOT_RECORDED.values(), ids=NOT_RECORDED)
async def test_what_is_not_sampled(connect: Connect, kind: str, sampler: str, parent: str) -> None:
    """A request that is not sampled has no spans, and its calls are sent what the caller sent."""
    recorder, ranker = RECORDERS[kind](sampler), Tracing()
    await send(await connect(ranker, recorder), NATIVE, native(items(700)), **{"traceparent": parent} if parent else {})
    assert recorder.spans == []
    assert set(ranker.headers) == {(("traceparent", parent),) if parent else ()}


async def test_a_sampled_parent_is_followed(connect: Connect, kind: str) -> None:
    """With a sampler that goes by the parent, a sampled one is recorded although roots are not."""
    recorder = RECORDERS[kind]("parentbased_always_off")
    await send(await connect(recorder=recorder), NATIVE, native(), traceparent=PARENT)
    assert recorder.request.parent is not None


async def test_a_failure_of_ours_is_an_error(connect: Connect, recorder: Recorder) -> None:
    """503 is an error by its kind, also on the call; the caller's own fault is not."""
    client = await connect(SoftmaxRanker(lambda _: {}, fails=lambda *_: Unavailable("secret reason")))
    assert (await send(client, NATIVE, native())).status == 503
    assert recorder.request.status.status_code is StatusCode.ERROR
    assert facts(recorder.request)["error.type"] == "upstream-unavailable"
    assert {facts(call)["error.type"] for call in recorder.calls} == {"Unavailable"}
    assert {facts(call)["rerank.outcome"] for call in recorder.calls} == {"failed"}
    assert not any("secret" in text(span) for span in recorder.spans)
    recorder.clear()
    assert (await send(client, NATIVE, b"{}")).status == 422
    assert recorder.request.status.status_code is StatusCode.UNSET
    assert facts(recorder.request)["rerank.error"] == "bad-members"


async def test_probes_are_not_traced(connect: Connect, recorder: Recorder) -> None:
    """What machines ask all day long leaves no spans."""
    client = await connect()
    for path in ("/livez", "/readyz", "/metrics"):
        await client.get(path)
    assert recorder.spans == []


async def test_callers_cannot_make_up_names(connect: Connect, recorder: Recorder) -> None:
    """A method or a path that nobody knows is told as such, not by its name."""
    client = await connect()
    await client.request("PROPFIND", "/pot/canary-path")
    assert recorder.request.name == "HTTP"
    assert facts(recorder.request)["http.request.method"] == "_OTHER"
    assert "canary" not in text(recorder.request)


def text(span: ReadableSpan) -> str:
    """All that a span tells."""
    return f"{span.to_json()}"


CANARY = "canary-user-5e1f"


async def test_no_user_and_no_item_in_any_span(connect: Connect, recorder: Recorder) -> None:
    """Whatever is asked with a user's id, in a body or in a path, the id is in no span, nor are items or contexts."""
    client = await connect()
    who = {"userId": CANARY, "context": {"device": "canary-context"}}
    await send(client, NATIVE, native([*items(600), "canary-item"], **who))
    await send(client, NATIVE, native([*items(600), "canary-item"], **who, columns=["no"]))
    await send(client, WIRE, wire(**who))
    await send(client, "/recommendations", {"campaignArn": "demo", "userId": CANARY, "itemId": "canary-item"})
    await send(client, "/events", {"trackingId": "t", "userId": CANARY, "sessionId": CANARY, "eventList": []})
    paths = [route for route in (resource.canonical for resource in client.app.router.resources()) if "user" in route]
    for path in paths:
        await client.delete(re.sub(r"\{[^}]+\}", CANARY, path))
    assert paths
    assert len(recorder.of(SpanKind.SERVER)) == 5 + len(paths)
    assert not [span.name for span in recorder.spans if "canary" in text(span)]

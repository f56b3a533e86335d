"""The caller's trace: what is taken over, and what it reaches."""

from typing import Any

import pytest

from gateway.core.answer import Answer
from gateway.ports import TRACE, Call
from tests.support.canaries import OTHER_USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, WIRE, items, native, send, wire

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class Tracing(SoftmaxRanker):
    """Keeps the trace that every call is made under."""

    def __init__(self) -> None:
        super().__init__(lambda _: LOGITS)
        self.traces: list[Any] = []

    async def rank(self, call: Call) -> Answer:
        self.traces.append(TRACE.get().headers)
        return await super().rank(call)


async def test_every_call_of_a_ranking_belongs_to_its_trace(connect: Connect, lines: list[Any]) -> None:
    """Calls carry the trace of their own request and of no other on the same connection; the access line has its id."""
    ranker = Tracing()
    client = await connect(ranker=ranker)
    await send(client, NATIVE, native(items(1_000)), traceparent=PARENT, tracestate="a=1")
    await send(client, WIRE, wire(userId=OTHER_USER))
    assert set(ranker.traces[:-1]) == {(("traceparent", PARENT), ("tracestate", "a=1"))}
    assert len(ranker.traces) >= 4
    assert ranker.traces[-1] == ()
    assert [line.get("trace_id") for line in lines if line["event"] == "request"] == [TRACE_ID, None]


BAD = ["", "x", PARENT.upper(), f"{PARENT}-x", PARENT.replace("00-", "ff-", 1), f"00-{'0' * 32}-00f067aa0ba902b7-01"]


@pytest.mark.parametrize("parent", BAD)
async def test_what_is_no_trace_is_dropped(connect: Connect, lines: list[Any], parent: str) -> None:
    """Anything but the form of the recommendation goes neither upstream nor into the log."""
    ranker = Tracing()
    client = await connect(ranker=ranker)
    await send(client, WIRE, wire(), traceparent=parent, tracestate="a=1")
    assert ranker.traces == [()]
    assert not any("trace_id" in line for line in lines)

"""Events: forwarded once, frames killed, and honest when only one of the two worked."""

import asyncio

import pytest

from gateway.core.errors import DeadlineExceeded, InvalidInput, Unavailable
from gateway.ports import Events
from gateway.service.service import Service
from tests.service.scenes import catalogue, rerank, service_of
from tests.support.canaries import USER
from tests.support.gateway_parts import ListSink
from tests.support.softmax_ranker import SoftmaxRanker

CLICK = Events("tracker", USER, {"trackingId": "tracker", "userId": USER})
LOGITS = catalogue(10)


async def warm(sink: object) -> Service:
    """A service with a frame of canary-user-1."""
    service = service_of(SoftmaxRanker(lambda _: LOGITS), sink=sink)
    await rerank(service, list(LOGITS))
    return service


async def cached(service: Service) -> bool:
    """Whether canary-user-1's frame still answers."""
    return (await rerank(service, list(LOGITS))).usage.cached > 0


async def test_an_event_is_forwarded_once_and_kills_the_users_frames() -> None:
    """The sink gets the members as they came; the user's next ranking is learnt anew."""
    sink = ListSink()
    service = await warm(sink)
    assert await cached(service)
    recorded = await service.events.record("", CLICK, deadline_s=10.0)
    assert sink.events == [CLICK]
    assert (recorded.failure, recorded.invalidated) == (None, True)
    assert not await cached(service)


async def test_an_event_that_may_have_arrived_kills_frames_too() -> None:
    """If forwarding fails on the way, nobody knows whether upstream took the event in, so the frames go."""
    service = await warm(ListSink(Unavailable("down")))
    recorded = await service.events.record("", CLICK, deadline_s=10.0)
    assert isinstance(recorded.failure, Unavailable)
    assert recorded.invalidated
    assert not await cached(service)


async def test_a_refused_event_changes_nothing() -> None:
    """What upstream says is wrong with the event goes to the caller; the frames stay."""
    service = await warm(ListSink(InvalidInput("bad")))
    with pytest.raises(InvalidInput):
        await service.events.record("", CLICK, deadline_s=10.0)
    assert await cached(service)


async def test_a_hanging_sink_ends_with_the_deadline() -> None:
    """Forwarding ends by the deadline, and the frames are killed all the same."""

    class Hanging(ListSink):
        async def put(self, events: Events) -> None:
            await asyncio.Event().wait()

    service = await warm(Hanging())
    began_s = service.clock.now_s()
    recorded = await service.events.record("", CLICK, deadline_s=began_s + 0.5)
    assert service.clock.now_s() - began_s == pytest.approx(0.5)
    assert isinstance(recorded.failure, DeadlineExceeded)
    assert recorded.invalidated


async def test_a_caller_that_leaves_does_not_save_the_frames() -> None:
    """If the caller hangs up while the event is on its way, the frames are killed in the background."""

    class Slow(ListSink):
        async def put(self, events: Events) -> None:
            await asyncio.sleep(5.0)

    service = await warm(Slow())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await service.events.record("", CLICK, deadline_s=100.0)
    await service.reranker.frames.background.drain(1.0)
    assert not await cached(service)

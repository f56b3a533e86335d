"""Requests that fail leave nothing behind that only the collector could free: it comes by seldom, and then all at once.

A ring is made where an error is kept in what the frames of its traceback hold, and where a function that calls itself
is made inside of another, as the decoder's library does to look at a type.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from gateway.core.errors import GatewayError, InvalidInput, Malformed, Throttled, Unavailable
from gateway.web.members import RerankRequest
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.parts import LOGITS, NATIVE, WIRE, items, native, send, wire

FAILURES: dict[str, Callable[[int], GatewayError | str | None]] = {
    "unavailable": lambda _: Unavailable("x"),
    "malformed": lambda _: Malformed("x"),
    "throttled": lambda _: Throttled("x"),
    "refused by the service": lambda _: InvalidInput("x"),
    "hangs": lambda _: "hang",
    "one of two hangs": lambda number: "hang" if number % 2 else None,
    "one of two unavailable": lambda number: Unavailable("x") if number % 2 else None,
}


@contextmanager
def rings(made_in: str = "gateway.") -> Iterator[list[str]]:
    """Gives the kinds of objects of this package that have come up meanwhile and are left, when it is over, to the
    collector; a function tells where it was made as an object does."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    before = gc.get_objects()  # held, or the gateway of another test may go only now
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += {
            type(one).__qualname__ for one in gc.garbage if str(getattr(one, "__module__", "")).startswith(made_in)
        }
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        before.clear()
        gc.enable()


@pytest.mark.parametrize("path", [NATIVE, WIRE])
@pytest.mark.parametrize("fails", FAILURES.values(), ids=FAILURES)
async def test_failures_leave_no_rings(
    connect: Connect, path: str, fails: Callable[[int], GatewayError | str | None]
) -> None:
    """Whatever becomes of the calls of a ranking, all that was made for it goes by itself."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda number, _: fails(number))
    client = await connect(ranker=ranker, server={"deadline_ms": 100})
    with rings() as left:
        for number in range(3):
            body = native(items(700)) if path == NATIVE else wire(items(700))
            (await send(client, path, {**body, "userId": f"u{number}"})).release()
        ranker.calls.clear()
        await asyncio.sleep(0)
    assert left == []


async def test_callers_that_leave_leave_no_rings(connect: Connect) -> None:
    """A ranking whose caller has gone goes as a whole."""
    ranker = Held()
    client = await connect(ranker=ranker)
    with rings() as left:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(send(client, NATIVE, native(items(700))))
            await ranker.begun.acquire()
            asked.cancel()
        await ranker.ended.acquire()
        await ranker.ended.acquire()
        for _ in range(20):
            await asyncio.sleep(0)
        ranker.calls.clear()
    assert left == []


async def test_members_leave_no_rings(connect: Connect) -> None:
    """What the members of a request are is not looked at anew for every page and every fault."""
    client = await connect()
    first = await send(client, NATIVE, {**native(items(20)), "limit": 10, "pin": True})
    page = f"/v1/rankings/{(await first.json())['rankingId']}?limit=10&offset=10"

    async def ask() -> None:
        assert (await client.get(page)).status == 200
        assert (await send(client, NATIVE, {**native(items(20)), "limit": -1})).status == 422

    await ask()
    with rings("msgspec.") as left:
        await ask()
    assert left == []


def test_control_a_ring_of_the_decoder_is_found() -> None:
    """The library leaves a ring to whoever asks it what the members of a type are."""
    with rings("msgspec.") as left:
        msgspec.structs.fields(RerankRequest)
    assert left == ["function"]


def test_control_a_ring_is_found() -> None:
    """An error that is kept where its own traceback leads is told."""

    def keep() -> None:
        kept: list[GatewayError] = [Unavailable("x")]
        try:
            raise kept[0]
        except GatewayError:
            pass

    with rings() as left:
        keep()
    assert left == ["Unavailable"]

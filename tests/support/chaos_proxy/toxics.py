"""What can be done to bytes on their way: a table of names. Toxics compose: each hands on to the next one.

A toxic may hand on later, in pieces, or not at all; `Cut` ends the connection. Bytes never change and never come out of
order: TCP would not let them. `swap` is the one thing that no network does, but that a confused proxy has done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

Then = Callable[[bytes], Awaitable[None]]
Parameters = Mapping[str, float]


class Cut(Exception):
    """The connection ends here: both sides get RST if `hard`, else FIN."""

    def __init__(self, *, hard: bool) -> None:
        super().__init__()
        self.hard = hard


class Flow(Protocol):
    """One direction of one connection."""

    passed: int
    """Bytes delivered so far."""
    silent: bool
    """Nothing more is delivered, whatever comes."""

    def note(self, toxic: str) -> None:
        """Count that a toxic did something."""

    def chance(self) -> float:
        """A draw of this connection's own."""

    def finish(self) -> None:
        """FIN to whom this flows; the other direction goes on."""

    async def swap(self, hold_s: float) -> bool:
        """Exchange clients with another connection that awaits a reply; waits so long for one."""


async def latency(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """Everything later, by `delay_s` and up to `jitter_s` more."""
    flow.note("latency")
    await asyncio.sleep(parameters.get("delay_s", 0.1) + flow.chance() * parameters.get("jitter_s", 0.0))
    await then(data)


async def slices(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """In pieces of `piece_bytes`, with a pause between them, so that every read ends in the middle of something."""
    flow.note("slice")
    size = int(parameters.get("piece_bytes", 1))
    for start in range(0, len(data), size):
        await then(data[start : start + size])
        await asyncio.sleep(parameters.get("pause_s", 0.0))


async def drip(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """Byte by byte, `every_s` one: no timeout between bytes ever fires, and nothing ever gets done."""
    flow.note("drip")
    for place in range(len(data)):
        await then(data[place : place + 1])
        await asyncio.sleep(parameters.get("every_s", 0.05))


async def blackhole(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """Nothing arrives, ever again on this connection, and nobody is told."""
    flow.note("blackhole")
    flow.silent = True


async def _up_to(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> bool:
    """Hand on until `after_bytes` have passed; whether that was all of them."""
    room = max(0, int(parameters.get("after_bytes", 0)) - flow.passed)
    if data[:room]:
        await then(data[:room])
    return len(data) > room


async def reset(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """RST to both sides after `after_bytes`."""
    if await _up_to(flow, parameters, data, then):
        flow.note("reset")
        raise Cut(hard=True)


async def truncate(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """FIN to both sides after `after_bytes`, as if that had been all."""
    if await _up_to(flow, parameters, data, then):
        flow.note("truncate")
        raise Cut(hard=False)


async def half_close(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """FIN to one side after `after_bytes`; the other direction stays open."""
    if await _up_to(flow, parameters, data, then):
        flow.note("half-close")
        flow.silent = True
        flow.finish()


async def swap(flow: Flow, parameters: Parameters, data: bytes, then: Then) -> None:
    """The reply goes to another client that awaits one, and that one's here; from then on they stay exchanged."""
    if await flow.swap(parameters.get("hold_s", 0.1)):
        flow.note("swap")
    await then(data)


TOXICS: Final[dict[str, Callable[[Any, Parameters, bytes, Then], Awaitable[None]]]] = {
    "latency": latency,
    "slice": slices,
    "drip": drip,
    "blackhole": blackhole,
    "reset": reset,
    "truncate": truncate,
    "half-close": half_close,
    "swap": swap,
}

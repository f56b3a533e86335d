"""SIGTERM under full load: what becomes of the requests of callers that go on and on."""

import asyncio
import signal

import pytest
import uvloop

from tests.process.callers import Caller, Told, busy
from tests.process.parts import WITHIN_S, Running, running, signed

CALLERS = 32
FLYING = 200
"""Rankings answered before the signal: the load is on."""


async def ended_under_load(gateway: Running, *, careful: bool) -> Told:
    """Load it, end it gently, and go on until nobody listens; what became of all requests."""
    told, ends = Told(), asyncio.Event()
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(busy(Caller(gateway.port, told, careful=careful), ends))
        while told.outcomes["answered"] < FLYING:
            await asyncio.sleep(0.01)
        gateway.process.send_signal(signal.SIGTERM)
    return told


@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_sigterm_under_load(emulator: Running, careful: bool) -> None:
    """Callers that honour `Connection: close` lose no request, to the very last; those that do not (the control) do."""
    with running("serve", "--port", "0", env=signed(emulator.url, GATEWAY_LOG__LEVEL="warning")) as gateway:
        told = uvloop.run(ended_under_load(gateway, careful=careful))
        assert gateway.process.wait(WITHIN_S) == 0
    assert told.outcomes["wrong"] == 0
    assert told.outcomes["refused"] == CALLERS
    assert told.closes > 0
    assert (told.outcomes["lost"] == 0) is careful

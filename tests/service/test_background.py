"""Work that outlives its request: it is done, it ends with the process, and its faults are told."""

import asyncio
import logging

import pytest

from gateway.service import background as background_module
from gateway.service.background import Background


async def test_work_is_finished_at_shutdown() -> None:
    """Draining waits for what was started."""
    done: list[int] = []

    async def work() -> None:
        await asyncio.sleep(1.0)
        done.append(1)

    background = Background()
    background.start(work())
    await background.drain(2.0)
    assert done == [1]


async def test_work_that_takes_too_long_is_cancelled() -> None:
    """Draining ends in its time, and leaves no task."""
    background = Background()
    background.start(asyncio.Event().wait())  # type: ignore[arg-type]
    await background.drain(2.0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_fault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for background work, so its exception goes into the log."""

    async def work() -> None:
        raise ValueError("broken")

    background = Background()
    with caplog.at_level(logging.ERROR):
        background.start(work())
        await background.drain(1.0)
        await asyncio.sleep(0)
    assert "background work failed" in caplog.text


async def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit work is dropped and counted instead of piling up."""
    monkeypatch.setattr(background_module, "TASKS_MAX", 3)
    background = Background()
    for _ in range(5):
        background.start(asyncio.sleep(1.0))
    assert background.dropped == 2
    await background.drain(2.0)

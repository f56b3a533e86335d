"""Values in memory: their time, and their bound."""

from gateway.adapters.memory_values import BYTES_PER_VALUE, MemoryValues
from tests.support.virtual_clock import SetClock


async def test_values_live_for_their_time() -> None:
    """What was put is there until its time is up, in the order of the keys; what was not, is None."""
    clock = SetClock()
    values = MemoryValues(clock, 10_000)
    assert await values.put({"a": b"1", "b": b""}, 5.0)
    assert await values.put({"a": b"2"}, 9.0)
    assert await values.fetch(["b", "x", "a"]) == [b"", None, b"2"]
    clock.now_s = 6.0
    assert await values.fetch(["a", "b"]) == [b"2", None]


async def test_they_stay_within_their_bytes() -> None:
    """However much is put, the bound holds, keys included; the least recently used goes first."""
    room = 10 * (BYTES_PER_VALUE + 1_200)
    values = MemoryValues(SetClock(), room)
    for number in range(1_000):
        assert await values.put({f"{number:0500}": bytes(500)}, 60.0)
        await values.fetch([f"{0:0500}"])
        assert values.size_bytes <= room
    assert (await values.fetch([f"{0:0500}", f"{1:0500}"])) == [bytes(500), None]
    assert "bytes=" in repr(values)


async def test_what_is_larger_than_everything_is_told() -> None:
    """A value that can never fit is not kept, and its caller knows."""
    values = MemoryValues(SetClock(), 1_000)
    assert not await values.put({"a": bytes(1_001)}, 60.0)
    assert await values.fetch(["a"]) == [None]

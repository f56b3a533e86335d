"""Addresses: one lookup at a time for each host, kept for a while, and kept on when there is nothing newer."""

import asyncio
import socket
import threading

import pytest

from gateway.adapters import resolver as module
from gateway.adapters.resolver import Address, Resolver

WITHIN_S = 10.0


def at(address: str) -> list[Address]:
    """An answer of the system."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]


class System:
    """A system resolver that says what a test tells it, or nothing for as long as it is told to hang."""

    def __init__(self) -> None:
        self.found: list[Address] = at("10.0.0.1")
        self.failure: OSError | None = None
        self.asked = 0
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        self.threads.add(threading.current_thread().name.rpartition("_")[0])
        assert self.free.wait(WITHIN_S)
        if self.failure is not None:
            raise self.failure
        return self.found


@pytest.fixture
def system() -> System:
    """The system, well."""
    return System()


@pytest.fixture
async def resolver(system: System):
    """A resolver that asks it."""
    resolver = Resolver(system)
    yield resolver
    system.free.set()
    resolver.close()


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
async def test_an_address_is_its_own(resolver: Resolver, system: System, host: str, family: int) -> None:
    """What is an address already is not looked up."""
    ((found, _, _, _, place),) = await resolver.addresses(host, 80)
    assert (found, place[:2], system.asked) == (family, (host, 80), 0)


async def test_one_lookup_for_all_who_ask(resolver: Resolver, system: System) -> None:
    """A hundred who ask at once are one question; who goes takes nobody along; threads are not those of asyncio."""
    system.free.clear()
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(resolver.addresses("h.example", 443)) for _ in range(100)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    system.free.set()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()
    assert all(task.result() == at("10.0.0.1") for task in tasks[1:])
    assert (system.asked, system.threads) == (1, {"resolver"})


async def test_addresses_are_kept_for_a_while(resolver: Resolver, system: System, monkeypatch) -> None:
    """Within the TTL nothing is asked; after it the new addresses count."""
    await resolver.addresses("h.example", 443)
    system.found = at("10.0.0.2")
    assert await resolver.addresses("h.example", 443) == at("10.0.0.1")
    assert system.asked == 1
    monkeypatch.setattr(module, "TTL_S", 0.0)
    resolver._known.clear()
    await resolver.addresses("h.example", 443)
    system.found = at("10.0.0.3")
    assert await resolver.addresses("h.example", 443) == at("10.0.0.3")


async def test_a_lookup_that_fails(resolver: Resolver, system: System, monkeypatch) -> None:
    """Where addresses were known they are used on; where none were the failure is told, and the next one asks anew."""
    monkeypatch.setattr(module, "TTL_S", 0.0)
    system.failure = socket.gaierror("no such host")
    for _ in range(2):
        with pytest.raises(OSError, match="no such host"):
            await resolver.addresses("h.example", 443)
    assert system.asked == 2
    system.failure = None
    await resolver.addresses("h.example", 443)
    system.failure = socket.gaierror("no such host")
    assert await resolver.addresses("h.example", 443) == at("10.0.0.1")
    assert resolver.old_used == 1


async def test_a_lookup_that_hangs(resolver: Resolver, system: System, monkeypatch) -> None:
    """Old addresses are used after a moment, and then at once: a hanging lookup is not waited for by every call."""
    monkeypatch.setattr(module, "TTL_S", 0.0)
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    await resolver.addresses("h.example", 443)
    system.free.clear()
    async with asyncio.timeout(WITHIN_S):
        assert await resolver.addresses("h.example", 443) == at("10.0.0.1")
        monkeypatch.setattr(module, "PATIENCE_S", WITHIN_S * 2)
        assert await resolver.addresses("h.example", 443) == at("10.0.0.1")
    assert (system.asked, resolver.old_used) == (2, 1)


async def test_hanging_lookups_leave_the_loops_threads_alone(resolver: Resolver, system: System) -> None:
    """Ten hosts that hang keep nobody else's work in threads from being done."""
    system.free.clear()
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(resolver.addresses(f"h{number}.example", 443)) for number in range(10)]
    async with asyncio.timeout(WITHIN_S):
        assert await asyncio.to_thread(lambda: "done") == "done"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert repr(resolver) == "<Resolver known=0 under_way=10 lookups=10 old_used=0>"

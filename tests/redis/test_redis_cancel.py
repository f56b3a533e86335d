"""Callers that leave: no answer of another user, no connection lost, nothing left behind."""

import asyncio
from random import Random

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import frame_of, key_of, until
from tests.redis.naive_client import NaiveClient

USERS = 200
WORKERS = 48
CANCELS = 5_000


@pytest.fixture
async def store(server):
    """A store whose pool is at its largest, and a frame for every user that names its owner."""
    async with RedisStore(RedisOptions(server.url, timeout_ms=2_000)) as store:
        for user in range(USERS):
            await store.save(key_of(user), frame_of(20, prefix=f"user{user}"), 600.0)
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(store.load(key_of(number)))
        yield store


async def storm(load, cancels):
    """So many loads cancelled at random moments, among some that are not: (cancelled, answered, answered wrongly)."""
    random, cancelled, answered, wrong = Random(17), 0, 0, 0

    async def worker():
        nonlocal cancelled, answered, wrong
        while cancelled < cancels:
            user = random.randrange(USERS)
            task = asyncio.get_running_loop().create_task(load(key_of(user)))
            for _ in range(random.randrange(12)):
                await asyncio.sleep(0)
            if random.random() < 0.9:
                task.cancel()
            await asyncio.wait((task,))
            if task.cancelled():
                cancelled += 1
                continue
            kept = task.result()
            answered += 1
            wrong += kept.frame is not None and kept.frame.items[0] != f"user{user}-00000000"

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(worker())
    return cancelled, answered, wrong


async def test_a_storm_of_cancellations_mixes_nobody_up(server, store):
    """Thousands of cancelled loads: every answer is the asker's own, and not one connection is opened for it."""
    before = server.info("stats")["total_connections_received"]
    cancelled, answered, wrong = await storm(store.load, CANCELS)
    after = server.info("stats")["total_connections_received"]
    assert cancelled >= CANCELS
    assert answered > CANCELS / 20
    assert wrong + store.stats.rejects.total() + store.stats.errors.total() == 0
    assert after - before == 1, "the second INFO's own"
    assert 0 < store.stats.abandoned <= cancelled


async def test_the_same_storm_catches_a_client_that_shares_wrongly(server, store):
    """The positive control: a connection without correlation is found out by the very same check."""
    naive = await NaiveClient.connect(server.port)
    _, _, wrong = await storm(naive.load, 500)
    await naive.aclose()
    assert wrong + naive.foreign > 0


async def test_a_cancelled_load_raises_at_once_and_is_abandoned(server, store):
    """Cancellation is not swallowed and does not wait for the server; the command ends by itself."""
    server.admin("CLIENT", "PAUSE", 100, "ALL")
    task = asyncio.get_running_loop().create_task(store.load(key_of(1)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.stats.abandoned == 1
    assert "outstanding=1/" in repr(store)
    await until(lambda: _none_outstanding(store), 5.0, "the end of the command")
    assert (await store.load(key_of(1))).frame is not None
    assert not store.stats.errors


async def test_a_cancelled_bump_is_stored_all_the_same(server, store):
    """An event whose client hangs up still counts."""
    task = asyncio.get_running_loop().create_task(store.bump(key_of(1).user, 5, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: _epoch_is(store, 5), 5.0, "the bump")


async def test_closing_leaves_nothing_behind(server):
    """Abandoned operations are ended at closing, also on a frozen server: no task, no socket."""
    tasks = asyncio.all_tasks()
    async with RedisStore(RedisOptions(server.url)) as store:
        server.freeze()
        await store.load(key_of(1))
        assert "outstanding=1/" in repr(store)
    server.thaw()
    assert asyncio.all_tasks() == tasks
    await until(lambda: _only_admin_connected(server), 5.0, "closed sockets")


async def _none_outstanding(store):
    return "outstanding=0/" in repr(store)


async def _epoch_is(store, epoch):
    return (await store.load(key_of(1))).epoch == epoch


async def _only_admin_connected(server):
    return server.info("clients")["connected_clients"] == 1

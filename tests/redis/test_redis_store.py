"""The store on a healthy server of every kind there is: what load, save and bump mean, and what they send."""

import asyncio
import time

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import frame_of, key_of, same, until
from tests.redis.servers import PATIENT_MS

ADMINS = {"auth", "info", "config|resetstat", "config", "ping"}
"""What the tests themselves send."""


async def test_nothing_is_kept_at_first(store, key):
    """A user of whom nothing is known has epoch 0 and no frame."""
    kept = await store.load(key)
    assert (kept.epoch, kept.frame) == (0, None)
    assert (store.stats.hits, store.stats.misses) == (0, 1)


@pytest.mark.parametrize("items", [0, 1, 1_000, 100_000])
async def test_what_is_saved_is_loaded(store, key, items):
    """A frame of any size comes back the same, and is counted by its bytes."""
    frame = frame_of(items)
    await store.save(key, frame, 60.0)
    kept = await store.load(key)
    assert same(kept.frame, frame)
    assert store.stats.bytes_read == store.stats.bytes_written > 20 * items


async def test_the_last_save_counts(store, key):
    """A frame takes the place of the one before."""
    for items in (5, 7):
        await store.save(key, frame_of(items), 60.0)
    assert len((await store.load(key)).frame) == 7


async def test_compressed_frames_are_smaller_and_read_by_all(shared_url, store, key):
    """Compression is the writer's matter: a reader without it understands the frame."""
    frame = frame_of(1_000)
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS, compression=1)) as compressing:
        await compressing.save(key, frame, 60.0)
        assert compressing.stats.bytes_written < 15_000
    assert same((await store.load(key)).frame, frame)


async def test_a_bump_kills_the_frames_of_before(store, key):
    """After a bump the old frame is a miss that tells the new epoch; a frame of the new epoch is a hit."""
    await store.save(key, frame_of(5), 60.0)
    assert await store.bump(key.user, 2**63 - 1, 60.0)
    kept = await store.load(key)
    assert (kept.epoch, kept.frame) == (2**63 - 1, None)
    assert store.stats.rejects == {"epoch": 1}
    await store.save(key, frame_of(5, epoch=kept.epoch), 60.0)
    assert (await store.load(key)).frame.epoch == kept.epoch


async def test_a_bump_is_seen_by_other_stores(shared_url, store, key):
    """The very next load of another process misses."""
    await store.save(key, frame_of(5), 60.0)
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS)) as other:
        await other.bump(key.user, 9, 60.0)
    assert (await store.load(key)).frame is None


async def test_frames_and_epochs_expire(store, key, raw):
    """Both are kept for the time that was asked for, to the millisecond, and are gone after it."""
    await store.save(key, frame_of(5), 50.0)
    await store.bump(key.user, 9, 30.0)
    assert 45_000 < raw.pttl(key.frame) <= 50_000
    assert 25_000 < raw.pttl(key.user) <= 30_000
    await store.save(key, frame_of(5), 0.05)
    await until(lambda: _gone(raw, key.frame), 5.0, "expiry")
    assert (await store.load(key)).frame is None


async def test_each_operation_is_one_command(server, key):
    """A load is one MGET, a save one SET, a bump one SET; nothing else is sent, also at connecting, but HELLO."""
    async with RedisStore(RedisOptions(server.url, timeout_ms=PATIENT_MS)) as store:
        server.admin("CONFIG", "RESETSTAT")
        for _ in range(10):
            await store.load(key)
            await store.save(key, frame_of(500), 60.0)
            await store.bump(key.user, 9, 60.0)
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in server.info("commandstats").items()}
    assert {name: calls.get(name, 0) for name in ("mget", "set")} == {"mget": 10, "set": 20}
    assert calls.keys() <= {"mget", "set", "hello"} | ADMINS


async def test_a_connection_begins_with_hello_alone(server):
    """No library information, no name, no maintenance notifications: one round trip to connect."""
    server.admin("CONFIG", "RESETSTAT")
    async with RedisStore(RedisOptions(server.url, timeout_ms=PATIENT_MS)):
        calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in server.info("commandstats").items()}
    assert calls.pop("hello") == 1
    assert calls.keys() <= {"mget"} | ADMINS


async def test_the_database_and_the_socket_of_the_url(server, key):
    """A Unix socket is as good as a port, and databases are apart."""
    options = [
        RedisOptions(f"unix://{server.socket_path}?db=3"),
        RedisOptions(f"{server.url}/3"),
        RedisOptions(server.url),
    ]
    async with RedisStore(options[0]) as one, RedisStore(options[1]) as same_one, RedisStore(options[2]) as other:
        await one.save(key, frame_of(5), 60.0)
        assert (await same_one.load(key)).frame is not None
        assert (await other.load(key)).frame is None


@pytest.mark.parametrize(
    ("junk", "reason"),
    [
        (b"", "foreign"),
        (b"junk", "foreign"),
        (b"\x80\x04\x95." * 100, "foreign"),
        (b"RGFR" + bytes(500), "schema"),
        ("other", "key"),
        ("torn", "torn"),
    ],
)
async def test_what_is_no_frame_is_a_miss_and_overwritten(store, key, raw, junk, reason):
    """Junk, somebody else's frame, half a frame: a miss counted by reason, and the next save repairs it."""
    if isinstance(junk, str):
        source = key_of("other") if junk == "other" else key
        await store.save(source, frame_of(50), 60.0)
        junk = raw.get(source.frame)[: None if junk == "other" else -1]
    raw.set(key.frame, junk)
    assert await store.load(key) == await store.load(key)
    assert store.stats.rejects == {reason: 2}
    await store.save(key, frame_of(5), 60.0)
    assert (await store.load(key)).frame is not None


async def test_a_value_of_another_type_is_a_miss_and_overwritten(store, key, raw):
    """A list where the frame should be is nothing, and a save takes its place."""
    raw.rpush(key.frame, b"x")
    assert (await store.load(key)).frame is None
    await store.save(key, frame_of(5), 60.0)
    assert (await store.load(key)).frame is not None
    assert not store.stats.errors


@pytest.mark.parametrize("junk", [b"", b"-1", b"1.5", b"abc", b"9" * 30, "\u0663".encode(), b" 7"])
async def test_an_epoch_that_cannot_be_read_is_one_of_its_own(store, key, raw, junk):
    """Foreign bytes as epoch leave no old frame alive, and new frames are kept under them."""
    await store.save(key, frame_of(5), 60.0)
    raw.set(key.user, junk)
    kept = await store.load(key)
    assert kept.frame is None
    assert 0 < kept.epoch < 2**63
    await store.save(key, frame_of(5, epoch=kept.epoch), 60.0)
    assert (await store.load(key)).frame is not None


async def test_a_frame_that_cannot_be_written_is_counted(store, key):
    """An id with U+0000 cannot be stored: no error, no command, one count."""
    await store.save(key, frame_of(2, prefix="a\0b"), 60.0)
    assert store.stats.errors == {"encode": 1}
    assert store.stats.saves == 0


async def test_more_at_once_than_connections(shared_url):
    """A burst larger than the pool waits its turn: all are answered, over no more connections than allowed."""
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS, connections_max=4)) as store:
        async with asyncio.TaskGroup() as group:
            loads = [group.create_task(store.load(key_of(number))) for number in range(32)]
        assert all(load.result().epoch == 0 for load in loads)
        assert store.stats.bypassed == 0


async def test_more_at_once_than_there_is_room_for(shared_url):
    """Beyond the bound operations are bypassed at once, counted, and no failure of the server."""
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS, connections_max=2)) as store:
        async with asyncio.TaskGroup() as group:
            loads = [group.create_task(store.load(key_of(number))) for number in range(50)]
        asked = sum(load.result().epoch == 0 for load in loads)
        assert (asked, store.stats.bypassed) == (16, 34)
        assert store.reads_state == "closed"


async def test_a_busy_loop_is_not_the_servers_fault(server):
    """When this process stood still beyond the budget, an answer that lies in the socket is still taken."""
    async with RedisStore(RedisOptions(server.url, timeout_ms=20)) as store:
        await store.save(key_of("busy"), frame_of(5), 60.0)
        for _ in range(5):
            load = asyncio.get_running_loop().create_task(store.load(key_of("busy")))
            await asyncio.sleep(0.0)
            await asyncio.sleep(0.0)
            time.sleep(0.05)  # noqa: ASYNC251 # that is the fault
            assert (await load).frame is not None
        assert not store.stats.errors


async def test_little_permission_is_enough(server, key):
    """A user who may run MGET and SET on the prefix, and nothing else, is all that is needed."""
    server.admin("ACL", "SETUSER", "gateway", "on", ">pass", "~rerank:*", "-@all", "+mget", "+set")
    url = f"redis://gateway:pass@127.0.0.1:{server.port}"
    async with RedisStore(RedisOptions(url, timeout_ms=PATIENT_MS)) as store:
        await store.save(key, frame_of(5), 60.0)
        assert (await store.load(key)).frame is not None
        assert not store.stats.errors


async def test_its_repr_tells_its_numbers(store, key):
    """What happened can be read off it, without keys."""
    await store.save(key, frame_of(5), 60.0)
    await store.load(key)
    await store.bump(key.user, 9, 60.0)
    text = repr(store)
    assert "hits=1 misses=0 saves=1 bumps=1 errors=0 rejects=0 outstanding=0/128" in text
    assert "reads=closed writes=closed" in text
    assert key.user not in text


async def test_a_closed_store_misses(shared_url, key):
    """After closing, operations are misses, and closing again does nothing."""
    store = RedisStore(RedisOptions(shared_url))
    async with store:
        pass
    assert (await store.load(key)).epoch is None
    assert not await store.bump(key.user, 9, 60.0)
    await store.aclose()


async def _gone(raw, key):
    return not raw.exists(key)

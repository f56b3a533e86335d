"""Other values than frames in Redis: one command each way, checked before they are believed, no danger to frames."""

import time
from itertools import count

import numpy as np
import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from gateway.adapters.system_clock import SystemClock
from gateway.core.errors import RankingGone
from gateway.core.keys import metadata_keys
from gateway.core.model import Subject
from gateway.core.ordering import order_candidates
from gateway.service.pins import Pins
from gateway.service.result import Result, Timing, Usage
from gateway.service.turns import Turns
from tests.redis.frames import frame_of, key_of, same
from tests.redis.groups import Cluster
from tests.redis.servers import PATIENT_MS

NUMBERS = count()


@pytest.fixture
def keys():
    """A page of keys that no other test uses."""
    return metadata_keys(Subject(f"campaign-{next(NUMBERS)}", "u"), ["TITLE"], [f"item-{n}" for n in range(50)])


async def test_a_page_is_one_command_each_way(store, keys, raw):
    """Fifty values go out in one command and come back in another, whole, whatever their bytes."""
    values = {key: bytes([number]) * number for number, key in enumerate(keys)}
    before = raw.info("stats")["total_commands_processed"]
    inside = raw.info("commandstats").get("cmdstat_set", {"calls": 0})["calls"]
    assert await store.values.put(values, 60.0)
    assert await store.values.fetch(keys) == list(values.values())
    sets = raw.info("commandstats")["cmdstat_set"]["calls"] - inside
    # What the script does is counted as well: beside that, one script, one MGET, and three INFO of this test.
    assert raw.info("stats")["total_commands_processed"] - before - sets <= 5
    assert sets == 50


async def test_one_value_is_a_plain_set(store, keys, raw):
    """One value needs no script."""
    before = raw.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]
    assert await store.values.put({keys[0]: b"x" * 200_000}, 60.0)
    assert await store.values.fetch(keys[:2]) == [b"x" * 200_000, None]
    assert raw.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"] == before


async def test_values_have_their_time(store, keys, raw):
    """Every value expires, one by itself and many at once."""
    await store.values.put(dict.fromkeys(keys, b"x"), 40.0)
    await store.values.put({keys[0]: b"y"}, 20.0)
    assert 19_000 < raw.pttl(keys[0]) <= 20_000
    assert all(39_000 < raw.pttl(key) <= 40_000 for key in keys[1:])


async def test_what_is_not_ours_is_not_there(store, keys, raw):
    """Foreign, torn and another key's bytes are as good as nothing, and are counted."""
    await store.values.put(dict.fromkeys(keys[:4], b"value"), 60.0)
    whole = raw.get(keys[0])
    raw.set(keys[0], b"")
    raw.set(keys[1], whole[:-1])
    raw.set(keys[2], whole)
    assert await store.values.fetch(keys[:4]) == [None, None, None, b"value"]
    assert store.stats.rejects == {"value": 3}
    raw.delete(keys[3])
    raw.lpush(keys[3], "a list")
    assert await store.values.fetch(keys[:4]) == [None] * 4


async def test_a_pinned_ranking_is_every_pods(store, shared_url, raw):
    """What one gateway pinned, another one reads, to the last bit; it has its time, and its key names nothing."""
    candidates = [f"item-{number:06}" for number in range(1_000)]
    logits = {item: number * 0.001 for number, item in enumerate(candidates)}
    log = np.array(list(logits.values()))
    ranking = order_candidates(log, np.zeros(len(log), dtype=np.uint8))
    none = np.zeros(len(log), dtype=np.intp)
    clock = SystemClock()
    result = Result(candidates, ranking, log, none, none, none, ("RID",), "", None, Usage(), Timing(clock), [])
    name = await Pins(store.values, 60.0, Turns()).pin("shop", "demo", (), result, ["RID"])
    async with RedisStore(RedisOptions(shared_url, timeout_ms=PATIENT_MS)) as other:
        again = (await Pins(other.values, 60.0, Turns()).read("shop", name)).result(clock)
    assert again.candidates == [candidates[place] for place in ranking.order.tolist()]
    assert (again.ranking.scores == ranking.scores).all()
    (key,) = raw.keys("rerank:1:p:*")
    assert 59_000 < raw.pttl(key) <= 60_000
    assert not any(word in key.decode() for word in ("shop", "demo", "item", name))
    raw.delete(key)
    with pytest.raises(RankingGone):
        await Pins(store.values, 60.0, Turns()).read("shop", name)


async def test_nobody_there(server, keys):
    """Without a server nothing is fetched and nothing put, at once, and the caller is told that it is so."""
    server.kill()
    async with RedisStore(RedisOptions(server.url, timeout_ms=20)) as store:
        began_s = time.monotonic()
        assert await store.values.fetch(keys) is None
        assert not await store.values.put(dict.fromkeys(keys, b"x"), 60.0)
        assert time.monotonic() - began_s < 5.0


async def test_a_server_that_forbids_scripts_keeps_frames(server, keys):
    """Refused scripts stop scripts alone: frames are written and read on, however many were refused."""
    server.admin("ACL", "SETUSER", "default", "-eval")
    async with RedisStore(RedisOptions(server.url, timeout_ms=PATIENT_MS)) as store:
        for _ in range(30):
            assert not await store.values.put(dict.fromkeys(keys, b"x"), 60.0)
        assert store.stats.skipped > 0
        key, frame = key_of("scripts"), frame_of(10)
        await store.save(key, frame, 60.0)
        assert same((await store.load(key)).frame, frame)
        assert await store.values.put({keys[0]: b"x"}, 60.0)
        assert (store.health()["writes"], store.health()["scripts"]) == ("closed", "open")
        assert "scripts=open" in repr(store.values)


async def test_a_cluster_keeps_pages(tmp_path, binary):
    """In a cluster a page lies on one node, whichever it is, and is read and written as on a single server."""
    cluster = Cluster.start(tmp_path, binary)
    try:
        async with RedisStore(RedisOptions(cluster.url, timeout_ms=PATIENT_MS)) as store:
            for number in range(12):
                keys = metadata_keys(Subject(f"c{number}", "u"), ["A"], ["a", "b", "c"])
                values = {key: str(number).encode() for key in keys}
                assert await store.values.put(values, 60.0)
                assert await store.values.fetch(keys) == list(values.values())
            assert not store.stats.errors
    finally:
        cluster.kill()

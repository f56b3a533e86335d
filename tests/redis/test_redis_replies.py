"""Whatever a server may say, or leave unsaid: never an error for the caller, and never another's answer."""

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.fake_server import EMPTY, fake_server
from tests.redis.frames import key_of, until

KEY = key_of("reply")
RECOVERY_S = 2.0

LINES = {
    b"-LOADING Redis is loading the dataset in memory\r\n": "loading",
    b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n": "masterdown",
    b"-READONLY You can't write against a read only replica.\r\n": "readonly",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n": "oom",
    b"-NOAUTH Authentication required.\r\n": "auth",
    b"-NOPERM this user has no permissions to run the 'mget' command\r\n": "permission",
    b"-CROSSSLOT Keys in request don't hash to the same slot\r\n": "crossslot",
    b"-CLUSTERDOWN The cluster is down\r\n": "cluster",
    b"-MOVED 3999 127.0.0.1:6381\r\n": "moved",
    b"-MISCONF Errors writing to the AOF file\r\n": "misconf",
    b"-NOREPLICAS Not enough good replicas to write.\r\n": "noreplicas",
    b"-BUSY Redis is busy running a script.\r\n": "busy",
    b"-ERR something else\r\n": "refused_command",
    b"-MOVED nonsense\r\n": "unexpected",
    b"+OK\r\n": "protocol",
    b"*3\r\n_\r\n_\r\n_\r\n": "protocol",
    b"*2\r\n:1\r\n_\r\n": "protocol",
    b"$5\r\nwrong\r\n": "protocol",
    b"HTTP/1.1 400 Bad Request\r\n\r\n": "protocol",
    b"\x00" * 100: "protocol",
    b"*2\r\n$9\r\nhalf": "timeout",
    b"": "timeout",
}


@pytest.mark.parametrize(("line", "reason"), LINES.items(), ids=str)
async def test_whatever_the_server_says(line, reason):
    """Every error of a server, garbage and silence are a miss with a reason; sense, when it comes, is an answer."""
    lines = [line]
    async with (
        fake_server(lambda _: lines[0]) as fake,
        RedisStore(RedisOptions(f"redis://127.0.0.1:{fake.port}")) as store,
    ):
        kept = await store.load(KEY)
        assert (kept.epoch, kept.frame) == (None, None)
        assert store.stats.errors.keys() == {reason}
        lines[0] = EMPTY
        await until(lambda: _asked(store), RECOVERY_S, "recovery")


async def test_connections_that_are_reset():
    """A server that hangs up instead of answering is a miss, and never the same connection again."""
    async with (
        fake_server(lambda _: None) as fake,
        RedisStore(RedisOptions(f"redis://127.0.0.1:{fake.port}")) as store,
    ):
        assert (await store.load(KEY)).epoch is None
        assert store.stats.errors.keys() == {"connection"}
        assert fake.connections >= 2


async def _asked(store):
    return (await store.load(KEY)).epoch is not None

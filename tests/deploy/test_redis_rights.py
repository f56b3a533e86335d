"""The Redis ACL of `deploy/redis`: all of it is needed, and enough (tests of the store have it); all else is denied."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gateway.adapters.redis_options import RedisOptions
from gateway.adapters.redis_store import RedisStore
from tests.redis.frames import frame_of, key_of
from tests.redis.servers import DEPLOYED, PATIENT_MS, Server, a_binary, binaries, raw_client, rights, until

PASSWORD = "gateways-password"
NOBODY = "#" + "0" * 64
"""The hash in the files: no password is known for it, so a file that was not filled in lets nobody in."""

FREE = {"auth", "hello", "quit", "reset"}
"""What every connection may do, whoever it is: no ACL holds them."""

REFUSED = re.compile(r"permission|NOPERM|not allowed|can't (access|run)")
"""How servers put it: plainly, in a transaction, for commands that are off for everybody, and in a script."""

FILES = {
    "users.acl": {"mget", "set", "eval", "select"},
    "users-cluster.acl": {"mget", "set", "eval", "cluster|slots", "asking"},
    "users-sentinel.acl": {"sentinel|masters"},
}
KEY = key_of("rights")


@pytest.fixture(scope="module", params=sorted(binaries()) or ["none"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of every kind there is."""
    server = Server(tmp_path_factory.mktemp("rights"), a_binary(request.param)).start()
    yield server
    server.kill()


@pytest.fixture
def gateway(server: Server) -> Iterator[redis.Redis]:
    """A connection with the gateway's name, and its rights as they stand in `users.acl`."""
    server.admin("ACL", "SETUSER", "gateway", "reset", "on", f">{PASSWORD}", *rights("users.acl").split()[1:])
    url = server.url.replace("redis://", f"redis://gateway:{PASSWORD}@")
    with redis.Redis.from_url(url, protocol=2, driver_info=None) as client:
        yield client


def calls(server: Server) -> dict[str, int]:
    """Every command and subcommand of the server, and the fewest arguments it takes."""
    found: dict[str, int] = {}
    with raw_client(server.url) as client:
        for told in client.command().values():
            for one in [*told.get("subcommands", []), [told["name"], told["arity"]]]:
                name, arity = one[0], one[1]
                text = name.decode() if isinstance(name, bytes) else name
                found[text.lower()] = max(abs(int(arity)), 1)
    return found


@pytest.mark.parametrize("file", FILES)
def test_a_file_lists_just_these_commands(file: str) -> None:
    """Nobody without a name, no password by default, no channels, only the prefix's keys, and these commands alone."""
    nobody, gateway = (DEPLOYED / file).read_text().splitlines()
    assert nobody == "user default off"
    words = gateway.split()[2:]
    assert {word[1:] for word in words if word.startswith("+")} == FILES[file]
    keys = {"~rerank:*"} if "sentinel" not in file else {"resetkeys"}
    assert {word for word in words if not word.startswith("+")} == {"on", NOBODY, "resetchannels", "-@all"} | keys


def test_every_other_command_is_denied(server: Server, gateway: redis.Redis) -> None:
    """Each command that the server knows, but those listed, is refused to the gateway, even on a key of its own."""
    everything, denied = calls(server), set()
    for name, arity in everything.items():
        if name in FREE:
            continue
        words = name.split("|")
        try:
            gateway.execute_command(*words, *["rerank:x"] * (arity - len(words)))
        except redis.RedisError as error:
            if isinstance(error, redis.exceptions.NoPermissionError) or REFUSED.search(str(error)):
                denied.add(name)
    containers = {name.split("|")[0] for name in everything if "|" in name}
    assert everything.keys() - denied - containers - FREE == FILES["users.acl"]
    assert len(denied) > 200


FOREIGN = [
    ("MGET", "other:a"),
    ("MGET", "rerank:a", "other:a"),
    ("SET", "other:a", "1"),
    ("SET", "rerank", "1"),
    ("EVAL", "return redis.call('SET', KEYS[1], '1')", 1, "other:a"),
    ("EVAL", "return redis.call('SET', 'other:a', '1')", 0),
    ("EVAL", "return redis.call('FLUSHALL')", 0),
    ("EVAL", "return redis.call('GET', KEYS[1])", 1, "rerank:a"),
]


@pytest.mark.parametrize("command", FOREIGN, ids=lambda command: " ".join(map(str, command)))
def test_other_keys_are_denied(server: Server, gateway: redis.Redis, command: tuple[str | int, ...]) -> None:
    """Keys outside the prefix, and other commands inside a script, are refused; the administrator (control) may."""
    with pytest.raises(redis.RedisError, match=REFUSED):
        gateway.execute_command(*command)
    server.admin(*command)


@pytest.mark.parametrize("command", ["mget", "set", "eval", "select"])
async def test_each_is_needed(server: Server, gateway: redis.Redis, command: str) -> None:
    """Without any one of the listed commands something of the store does not work; with all of them everything does."""
    url = f"redis://gateway:{PASSWORD}@127.0.0.1:{server.port}/3"
    for allowed in (True, False):
        if not allowed:
            server.admin("ACL", "SETUSER", "gateway", f"-{command}")
        async with RedisStore(RedisOptions(url, timeout_ms=PATIENT_MS)) as store:
            await store.save(KEY, frame_of(5), 60.0)
            loaded = (await store.load(KEY)).frame is not None
            put = await store.values.put({"rerank:{v}:a": b"1", "rerank:{v}:b": b"2"}, 60.0)
            assert (loaded and put and not store.stats.errors) is allowed


async def test_a_cluster_needs_its_map(tmp_path: Path) -> None:
    """One node of a cluster: with the rights for clusters frames are kept; without CLUSTER SLOTS none is."""
    options = {"cluster-enabled": "yes"}
    node = Server(tmp_path / "node", a_binary(), options, acl="users-cluster.acl").start()
    try:
        node.admin("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        until(lambda: re.search(r"cluster_state\W+ok", str(node.admin("CLUSTER", "INFO"))), what="a cluster of one")
        for allowed in (True, False):
            if not allowed:
                node.admin("ACL", "SETUSER", "default", "-cluster|slots")
            url = f"redis+cluster://127.0.0.1:{node.port}"
            async with RedisStore(RedisOptions(url, timeout_ms=PATIENT_MS)) as store:
                await store.save(KEY, frame_of(5), 60.0)
                assert ((await store.load(KEY)).frame is not None) is allowed
    finally:
        node.kill()

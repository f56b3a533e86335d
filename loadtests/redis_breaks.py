"""The ways in which a Redis is broken under load, and mended: one server, or a group that must choose a new master."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.redis.groups import Cluster, Sentinels
from tests.redis.servers import Server, free_port


@dataclass(frozen=True)
class Fault:
    """How to break a store and how to mend it; `lasts_s` in between."""

    break_it: Callable[[], object]
    mend_it: Callable[[], object]
    lasts_s: float


def faults_of(server: Server) -> dict[str, Fault]:
    """All faults of one server, by name."""
    admin = server.admin
    return {
        "kill -9": Fault(server.kill, server.start, 3.0),
        "restart": Fault(server.kill, server.start, 0.0),
        "sigstop-10s": Fault(server.freeze, server.thaw, 10.0),
        "replicaof": Fault(
            lambda: admin("REPLICAOF", "127.0.0.1", free_port()), lambda: admin("REPLICAOF", "NO", "ONE"), 3.0
        ),
        "maxmemory": Fault(
            lambda: admin("CONFIG", "SET", "maxmemory", 1), lambda: admin("CONFIG", "SET", "maxmemory", 0), 3.0
        ),
        "client-pause": Fault(lambda: admin("CLIENT", "PAUSE", 3_000, "ALL"), lambda: None, 3.0),
        "wrong-password": Fault(lambda: _lock(server), lambda: _unlock(server), 3.0),
        "garbage": Fault(lambda: scribble(server), lambda: None, 3.0),
    }


def _lock(server: Server) -> None:
    server.admin("CONFIG", "SET", "requirepass", "other")
    server.admin("CLIENT", "KILL", "TYPE", "normal")


def _unlock(server: Server) -> None:
    server.admin("CONFIG", "SET", "requirepass", "")


def scribble(server: Server) -> None:
    """Write garbage over every frame, and half of them the bytes of somebody else's."""
    names = [name for name in server.admin("KEYS", "rerank:*") if name.count(b":") == 3]
    values = [server.admin("GET", name) for name in names]
    for number, name in enumerate(names):
        server.admin("SET", name, values[number - 1] if number % 2 else b"\x00garbage\xff" * 50)


@contextmanager
def stores(folder: Path, binary: Path, name: str) -> Iterator[tuple[str, Fault]]:
    """A fresh store for the fault of that name: its URL, and the fault."""
    if name == "sentinel-failover":
        group: Sentinels | Cluster = Sentinels.start(folder, binary)
        fault = Fault(group.servers[0].kill, lambda: None, 3.0)
    elif name == "cluster-failover":
        group = Cluster.start(folder, binary)
        fault = Fault(group.servers[0].kill, lambda: None, 4.0)
    else:
        server = Server(folder, binary).start()
        try:
            yield server.url, faults_of(server)[name]
        finally:
            server.kill()
        return
    try:
        yield group.url, fault
    finally:
        group.kill()

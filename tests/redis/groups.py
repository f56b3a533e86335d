"""Servers that stand in for each other: a cluster, and a master with sentinels, on loopback."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.redis.servers import ADMIN, ADMIN_PASSWORD, Server, until

SLOTS = 16_384
NODE_TIMEOUT_MS = 1_000
DOWN_AFTER_MS = 500


@dataclass
class Cluster:
    """Three masters with a replica each."""

    servers: list[Server]

    @classmethod
    def start(cls, directory: Path, binary: Path) -> "Cluster":
        """Start the nodes, deal out the slots, and wait until all agree."""
        options = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "cluster-replica-validity-factor": "0",
            "cluster-require-full-coverage": "no",
        }
        cluster = cls(
            [Server(directory / f"node{number}", binary, options, acl="users-cluster.acl") for number in range(6)]
        )
        try:
            cluster._form()
        except BaseException:
            cluster.kill()
            raise
        return cluster

    def _form(self) -> None:
        for server in self.servers:
            server.start()
        masters, replicas = self.servers[:3], self.servers[3:]
        bounds = [SLOTS * number // 3 for number in range(4)]
        for number, master in enumerate(masters):
            master.admin("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            master.admin("CLUSTER", "ADDSLOTS", *range(bounds[number], bounds[number + 1]))
        for server in self.servers[1:]:
            self.servers[0].admin("CLUSTER", "MEET", "127.0.0.1", server.port)
        until(
            lambda: all(_cluster_info(one)["cluster_known_nodes"] == "6" for one in self.servers),
            what="six acquainted nodes",
        )
        for master, replica in zip(masters, replicas, strict=True):
            until(
                lambda m=master, r=replica: r.admin("CLUSTER", "REPLICATE", m.admin("CLUSTER", "MYID")), what="replica"
            )
        until(self.whole, 20.0, "a cluster whose replicas are in step")

    def whole(self) -> bool:
        """Whether all slots are served and every replica follows."""
        in_step = all(one.info("replication").get("master_link_status") == "up" for one in self.servers[3:])
        infos = [_cluster_info(one) for one in self.servers]
        return in_step and all(
            info["cluster_state"] == "ok" and info["cluster_slots_ok"] == str(SLOTS) for info in infos
        )

    @property
    def url(self) -> str:
        """The URL that names three of the nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{one.port}" for one in self.servers[:3])

    def master_of(self, key: str) -> Server:
        """The first master that holds the key's slot."""
        slot = int(self.servers[0].admin("CLUSTER", "KEYSLOT", key))
        return self.servers[next(number for number in range(3) if slot < SLOTS * (number + 1) // 3)]

    def kill(self) -> None:
        """End all nodes."""
        for server in self.servers:
            server.kill()


@dataclass
class Sentinels:
    """One master, one replica, three sentinels."""

    servers: list[Server]
    sentinels: list[Server]

    @classmethod
    def start(cls, directory: Path, binary: Path) -> "Sentinels":
        """Start all five, and wait until the sentinels know each other and the replica."""
        master = Server(directory / "master", binary)
        replica = Server(directory / "replica", binary, {"replicaof": f"127.0.0.1 {master.port}"})
        watch = {
            "sentinel monitor": f"frames 127.0.0.1 {master.port} 2",
            "sentinel down-after-milliseconds": f"frames {DOWN_AFTER_MS}",
            "sentinel failover-timeout": "frames 2000",
            "sentinel auth-user": f"frames {ADMIN}",
            "sentinel auth-pass": f"frames {ADMIN_PASSWORD}",
            "sentinel sentinel-user": ADMIN,
            "sentinel sentinel-pass": ADMIN_PASSWORD,
        }
        sentinels = [
            _Sentinel(directory / f"sentinel{number}", binary, watch, ["--sentinel"], acl="users-sentinel.acl")
            for number in range(3)
        ]
        group = cls([master, replica], list(sentinels))
        try:
            for server in group.servers + group.sentinels:
                server.start()
            until(group.ready, 20.0, "sentinels that know each other")
        except BaseException:
            group.kill()
            raise
        return group

    @property
    def url(self) -> str:
        """The URL that names the sentinels."""
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels) + "/frames"

    def ready(self) -> bool:
        """Whether every sentinel sees the two others and the replica."""
        return all(
            state["num-other-sentinels"] == 2 and state["num-slaves"] == 1 and state["flags"] == "master"
            for state in map(_state, self.sentinels)
        )

    def master_port(self) -> int:
        """Where the sentinels send clients to."""
        with suppress(redis.RedisError):
            return int(self.sentinels[-1].admin("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "frames")[1])
        return 0

    def kill(self) -> None:
        """End all five."""
        for server in self.sentinels + self.servers:
            server.kill()


class _Sentinel(Server):
    """A sentinel: it rewrites its configuration file, and knows none of the options of a store."""

    def start(self) -> Server:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "server.conf"
        own = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.directory), "aclfile": str(self._users())}
        config.write_text("".join(f"{name} {value}\n" for name, value in (own | self.options).items()))
        return super().start()


def _cluster_info(server: Server) -> dict[str, str]:
    text = server.admin("CLUSTER", "INFO")
    lines = (text if isinstance(text, str) else text.decode()).split()
    return dict(line.split(":", 1) for line in lines)


def _state(sentinel: Server) -> dict[str, object]:
    raw = sentinel.admin("SENTINEL", "MASTER", "frames")
    if isinstance(raw, dict):
        return raw
    texts = [one.decode() for one in raw]
    pairs = dict(zip(texts[::2], texts[1::2], strict=True))
    return {name: int(value) if value.isdigit() else value for name, value in pairs.items()}

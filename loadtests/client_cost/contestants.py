"""The contestants as processes: started one after the other, asked over HTTP, their CPU time read from outside."""

import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway import settings
from gateway.cli.processes import end
from loadtests.client_cost.task import ARN, CAMPAIGN, items_of, request_body

TRANSPORTS: Final = ("lean", "aiobotocore")
NAIVE, AIOHTTP_FLOOR, RAW_FLOOR = "naive", "aiohttp floor", "raw floor"

ANSWER_WITHIN_S: Final = 60.0

SETTLE_S: Final = 0.12
"""Pause behind an answer: the gateway stores its frame at once, and forgets the fill 0.1 s later."""

STILL_S: Final = 0.01
STILL_WITHIN_S: Final = 5.0


@dataclass(frozen=True)
class Spent:
    """What one request took."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True)
class Contestant:
    """A process that answers requests at an address."""

    name: str
    process: subprocess.Popen[str]
    url: str
    body: Callable[[str], bytes]
    connection: http.client.HTTPConnection
    settle_s: float = SETTLE_S

    @classmethod
    def at(cls, name: str, process: subprocess.Popen[str], url: str, body: Callable[[str], bytes]) -> "Contestant":
        """The contestant, not yet connected."""
        where = urlsplit(url)
        assert where.hostname is not None  # noqa: S101 - it has said its address
        return cls(
            name, process, url, body, http.client.HTTPConnection(where.hostname, where.port, timeout=ANSWER_WITHIN_S)
        )

    def ask(self, user: str) -> bytes:
        """One request; the body of its answer."""
        self.connection.request("POST", "/v1/rerank", self.body(user), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{self.name} answered {response.status}: {answer[:300]!r}")
        return answer

    def measure(self, users: Sequence[str]) -> Spent:
        """One request for each user, one after the other, and what each cost until the process was idle again."""
        before_ns = self._still_cpu_ns()
        began_s = time.perf_counter()
        for user in users:
            self.ask(user)
        wall_s = time.perf_counter() - began_s
        time.sleep(self.settle_s)
        spent_ns = self._still_cpu_ns() - before_ns
        return Spent(spent_ns / 1e6 / len(users), 1e3 * wall_s / len(users))

    def _still_cpu_ns(self) -> int:
        """Nanoseconds of CPU of the whole process, when they no longer grow."""
        until_s = time.monotonic() + STILL_WITHIN_S
        spent_ns = cpu_ns(self.process.pid)
        while time.monotonic() < until_s:
            time.sleep(STILL_S)
            before_ns, spent_ns = spent_ns, cpu_ns(self.process.pid)
            if spent_ns == before_ns:
                return spent_ns
        raise RuntimeError(f"{self.name} does not become idle")


def cpu_ns(pid: int) -> int:
    """CPU time of a process, user and system, of all its threads, those that have ended included (Linux).

    The clock of a process has a number that is made of its id (`clock_getcpuclockid(3)`): the scheduler's nanoseconds,
    as in `/proc/PID/schedstat`, but of the whole process.
    """
    return time.clock_gettime_ns(~pid << 3 | 2)


@contextmanager
def started(
    module: str, *arguments: str, variables: Mapping[str, str] | None = None, program: str = sys.executable
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a module as a process, by this Python or another; gives it and the address that it prints when it listens."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=settings.for_child(variables or {}),
        )
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            line = process.stdout.readline()
            if "http://" not in line:
                errors.seek(0)
                raise RuntimeError(f"{module} did not start: {errors.read().decode()[-1000:]}")
            yield process, line.split()[-1]
        finally:
            end(process)


def transports() -> list[str]:
    """The transports that this version of the gateway can be told to use; one without a name if it has no choice."""
    return list(TRANSPORTS) if "transport" in settings.Settings.model_fields else [""]


def local(upstream: str) -> dict[str, str]:
    """What a gateway must see to call an upstream on this machine: where it is, keys for it, and the campaign."""
    return {
        "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": upstream,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        f"GATEWAY_CAMPAIGNS__{CAMPAIGN.upper()}__ARN": ARN,
    }


def environment_for(upstream: str, transport: str = "") -> None:
    """Set what the next processes see: the upstream, keys for it, and the gateway's settings."""
    settings.export(
        {
            **local(upstream),
            "GATEWAY_SERVER__DEADLINE_MS": "30000",
            **({"GATEWAY_TRANSPORT": transport} if transport else {}),
        }
    )


def gateway_name(transport: str) -> str:
    """What the gateway with a transport is called here."""
    return f"gateway ({transport or 'aiobotocore'})"


@contextmanager
def all_started(count: int) -> Iterator[list[Contestant]]:
    """All contestants in front of one upstream."""
    items = items_of(count)

    def ranking(user: str) -> bytes:
        return request_body(user, items)

    with ExitStack() as stack:
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", str(count)))
        contestants = []
        for transport in transports():
            environment_for(upstream, transport)
            process, url = stack.enter_context(started("gateway", "serve", "--port", "0"))
            contestants.append(Contestant.at(gateway_name(transport), process, url, ranking))
        process, url = stack.enter_context(started("loadtests.client_cost.naive", str(count)))
        contestants.append(Contestant.at(NAIVE, process, url, str.encode))
        for name, module in ((AIOHTTP_FLOOR, "aiohttp_floor"), (RAW_FLOOR, "raw_floor")):
            process, url = stack.enter_context(started(f"loadtests.client_cost.{module}", upstream, str(count)))
            contestants.append(Contestant.at(name, process, url, ranking))
        yield contestants

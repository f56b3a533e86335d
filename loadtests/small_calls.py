"""One small call, 100 candidates: what a proxy adds to it, and how many callers at once it carries.

    python -m loadtests.small_calls [--rounds 5] [--calls 200] [--callers 1 4 16 64 256] [--seconds 2] [--json]

    direct      the campaign itself (`client_cost.upstream`: canned, a look-up a call)
    nginx       a bare proxy with kept connections in front of it: the physical limit of adding a hop
    gateway     in front of it: cold (a user nobody has seen: one call each) and warm (no call)
    aiobotocore an HTTP service that calls it by aiobotocore as it comes
    boto3       the same by boto3 in threads, if its environment is there (`make .venv-sdk/done`)
    LiteLLM     a well-known gateway, which only passes the call on (`make .venv-litellm/done`)

First each in turn, one caller, round after round: the median time, and what it adds to the direct call. Then more and
more callers, each asking again at once: answers per second, and quantiles of the time. Everything shares the cores of
the machine, the caller included; so the figures of many callers compare, they do not measure a server of its own.
"""

import argparse
import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import numpy as np
import orjson
import uvloop

from gateway import settings
from loadtests.client_cost.contestants import environment_for, started
from loadtests.client_cost.task import ARN, items_of, request_body
from tests.redis.servers import free_port

CANDIDATES: Final = 100
WARM_UPS: Final = 20
SDK_PYTHON: Final = Path(".venv-sdk/bin/python")
LITELLM: Final = Path(".venv-litellm/bin/litellm")
ANSWER_WITHIN_S: Final = 60.0

NGINX: Final = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; client_max_body_size 16m;
    fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; keepalive_requests 1000000;
    upstream campaign {{ server {upstream}; keepalive 300; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://campaign; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""

PASS_THROUGH: Final = """
model_list: []
general_settings:
  dangerously_permit_weak_or_unset_master_key: true
  pass_through_endpoints: [{{path: /personalize-ranking, target: "{upstream}/personalize-ranking"}}]
"""

users = (f"user-{number}" for number in numbers())


@dataclass(frozen=True)
class Way:
    """A way to one small ranking: an address, and the body that asks there for a user's."""

    url: str
    path: str
    body: Callable[[], bytes]


class Caller:
    """One kept connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        self._reader, self._writer = reader, writer
        self._way = way
        host = urlsplit(way.url).netloc.encode()
        self._head = b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: " % (
            way.path.encode(),
            host,
        )

    @classmethod
    async def to(cls, way: Way) -> "Caller":
        """Connected."""
        where = urlsplit(way.url)
        return cls(*await asyncio.open_connection(where.hostname, where.port), way)

    async def ask(self) -> float:
        """One ranking; seconds until its answer was whole."""
        body = self._way.body()
        began_s = time.perf_counter()
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{self._way.url} answered {head[:60]!r}")
        await self._reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        return time.perf_counter() - began_s

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@contextmanager
def proxy(name: str, config: str, *command: str, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """A proxy as a process, in a folder with its configuration; `{port}` in either is where it is to listen."""
    port = str(free_port())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(config.replace("{port}", port), encoding="ascii")
        process = subprocess.Popen(
            [part.replace("{port}", port).replace("{folder}", folder) for part in command],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=settings.for_child(variables or {}),
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def proxies(upstream: str) -> Iterator[tuple[str, AbstractContextManager[str] | str]]:
    """The proxies of others: how to start each, or why it cannot be."""
    nginx = NGINX.format(upstream=urlsplit(upstream).netloc, port="{port}")
    yield (
        "nginx",
        proxy("nginx.conf", nginx, "nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf")
        if shutil.which("nginx")
        else "it is not installed",
    )
    yield (
        "LiteLLM",
        proxy(
            "config.yaml",
            PASS_THROUGH.format(upstream=upstream),
            *(str(LITELLM.absolute()), "--config", "config.yaml", "--host", "127.0.0.1", "--port", "{port}"),
            variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
        if LITELLM.exists()
        else "it has no environment (make .venv-litellm/done)",
    )


@contextmanager
def ways() -> Iterator[tuple[dict[str, Way], list[str]]]:
    """Every way there is, and what is not there."""
    items = items_of(CANDIDATES)
    skipped = []

    def wire() -> bytes:
        return msgspec.json.encode({"campaignArn": ARN, "userId": next(users), "inputList": items})

    with ExitStack() as stack:
        _, upstream = stack.enter_context(started("loadtests.client_cost.upstream", str(CANDIDATES)))
        environment_for(upstream)
        found = {"direct": Way(upstream, "/personalize-ranking", wire)}
        for name, one in proxies(upstream):
            if isinstance(one, str):
                skipped.append(f"{name}: {one}")
            else:
                found[name] = Way(stack.enter_context(one), "/personalize-ranking", wire)
        _, gateway = stack.enter_context(
            started("gateway", "serve", "--port", "0", variables={"GATEWAY_LOG__LEVEL": "error"})
        )
        found["gateway, cold"] = Way(gateway, "/v1/rerank", lambda: request_body(next(users), items))
        found["gateway, warm"] = Way(gateway, "/v1/rerank", lambda: request_body("warm-user", items))
        _, naive = stack.enter_context(started("loadtests.client_cost.naive", str(CANDIDATES)))
        found["aiobotocore"] = Way(naive, "/", lambda: next(users).encode())
        if SDK_PYTHON.exists():
            _, threads = stack.enter_context(
                started("loadtests.boto3_threads", str(CANDIDATES), program=str(SDK_PYTHON))
            )
            found["boto3"] = Way(threads, "/", lambda: next(users).encode())
        else:
            skipped.append("boto3: it has no environment (make .venv-sdk/done)")
        yield found, skipped


async def in_turn(found: Mapping[str, Way], rounds: int, calls: int) -> dict[str, dict[str, float]]:
    """One caller each, in turns: the median time of a call, and what it adds to the direct one, in milliseconds."""
    took: dict[str, list[float]] = {name: [] for name in found}
    for way in found.values():
        (await _patiently(way)).close()
    for _ in range(rounds):
        for name, way in found.items():
            caller = await Caller.to(way)  # anew: some servers do not keep an idle connection for a whole round
            for _ in range(WARM_UPS):
                await caller.ask()
            took[name].append(1e3 * median([await caller.ask() for _ in range(calls)]))
            caller.close()
    direct = took["direct"]
    return {
        name: {
            "medianMs": round(median(ms), 3),
            "addedMs": round(median(one - other for one, other in zip(ms, direct, strict=True)), 3),
        }
        for name, ms in took.items()
    }


async def at_once(way: Way, callers: int, seconds: float) -> dict[str, float]:
    """So many callers, each asking again at once."""
    connected = [await Caller.to(way) for _ in range(callers)]
    took: list[float] = []
    until_s = time.perf_counter() + seconds

    async def one(caller: Caller) -> None:
        while time.perf_counter() < until_s:
            took.append(await caller.ask())

    began_s = time.perf_counter()
    async with asyncio.timeout(seconds + ANSWER_WITHIN_S), asyncio.TaskGroup() as group:
        for caller in connected:
            group.create_task(one(caller))
    per_s = len(took) / (time.perf_counter() - began_s)
    for caller in connected:
        caller.close()
    p50, p99 = (1e3 * float(np.quantile(took, share)) for share in (0.5, 0.99))
    return {"perS": round(per_s, 1), "p50Ms": round(p50, 2), "p99Ms": round(p99, 2)}


async def _patiently(way: Way) -> Caller:
    """Connect to what may only just have been started."""
    until_s = time.monotonic() + ANSWER_WITHIN_S
    while True:
        try:
            return await Caller.to(way)
        except OSError:
            if time.monotonic() > until_s:
                raise
            await asyncio.sleep(0.05)


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Both halves."""
    with ways() as (found, skipped):
        one = await in_turn(found, options.rounds, options.calls)
        many: dict[str, dict[str, dict[str, float]]] = {name: {} for name in found}
        for callers in options.callers:
            for name, way in found.items():
                many[name][str(callers)] = await at_once(way, callers, options.seconds)
    return {"candidates": CANDIDATES, "oneCaller": one, "callers": many, "skipped": skipped}


def table(found: Mapping[str, Any], callers: Sequence[int]) -> list[str]:
    """The report as Markdown."""
    rows = [
        "| way | median, ms | adds, ms | " + " | ".join(f"{n} callers: /s, p99 ms" for n in callers) + " |",
        "|---|---:|---:|" + "---:|" * len(callers),
    ]
    for name, one in found["oneCaller"].items():
        many = [found["callers"][name][str(n)] for n in callers]
        cells = " | ".join(f"{each['perS']:,.0f}, {each['p99Ms']:.1f}" for each in many)
        rows.append(f"| {name} | {one['medianMs']:.2f} | {one['addedMs']:+.2f} | {cells} |")
    return [*rows, *(f"skipped: {why}" for why in found["skipped"])]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16, 64, 256])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = uvloop.run(run(options))
    lines = (
        [orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()] if options.json else table(found, options.callers)
    )
    print("\n".join(lines))


if __name__ == "__main__":
    main()

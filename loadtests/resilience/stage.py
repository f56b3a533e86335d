"""The processes of a scene: a model upstream that misbehaves on command, and a gateway in front of it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import orjson

from loadtests.client_cost.contestants import started
from loadtests.vitals import memory_mib

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/%s"

KEYS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "GATEWAY_LOG__LEVEL": "error",
    "GATEWAY_CACHE__FRESH_S": "0",
    "GATEWAY_CACHE__STALE_S": "0",
}
"""Nothing is kept: every ranking is cold."""


@dataclass(frozen=True)
class Stage:
    """The addresses of both, and the gateway's process."""

    gateway: str
    upstream: str
    process: subprocess.Popen[str]

    def break_it(self, name: str = "*", **faults: Any) -> None:
        """Let a campaign (all, without a name) misbehave in this way from now on; without faults it is mended."""
        arn = name if name == "*" else ARN % name
        _ask(f"{self.upstream}/_faults", orjson.dumps({arn: faults}))

    def forget(self) -> None:
        """Let the upstream count anew."""
        _ask(f"{self.upstream}/_stats", b"{}")

    def stats(self) -> dict[str, Any]:
        """What the upstream saw."""
        answer: dict[str, Any] = orjson.loads(_ask(f"{self.upstream}/_stats"))
        return answer

    def campaigns(self) -> dict[str, Any]:
        """What the gateway says of its campaigns, by name."""
        answer = orjson.loads(_ask(f"{self.gateway}/v1/campaigns"))
        return {one["name"]: one for one in answer["campaigns"]}

    def resident_mib(self) -> float:
        """Resident memory of the gateway (Linux)."""
        return memory_mib(pid=self.process.pid)


def _ask(url: str, body: bytes | None = None) -> bytes:
    with urlopen(Request(url, data=body), timeout=30) as response:  # noqa: S310 - an address of this program's own
        return bytes(response.read())


@contextmanager
def stage(answers: str = "model", **variables: str) -> Iterator[Stage]:
    """Both processes; the variables are settings of the gateway, with `DEMO` and `OTHER` as campaigns unless said."""
    arns = {f"GATEWAY_CAMPAIGNS__{name.upper()}__ARN": ARN % name for name in ("demo", "other")}
    with started("tests.support.model_upstream", "--answers", answers) as (_, upstream):
        seen = {**KEYS, **arns, "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": upstream, **variables}
        with started("gateway", "serve", "--port", "0", variables=seen) as (process, gateway):
            yield Stage(gateway, upstream, process)

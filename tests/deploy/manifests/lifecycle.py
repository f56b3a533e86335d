"""The arithmetic of a pod's end: how long the gateway's own settings may take, against what its pod grants.

From SIGTERM: the lame duck, in which everything is served; then the listener closes and requests have `drain_s`, and
those that it cuts have as long again to notice (aiohttp waits twice); then what was learnt is stored; then the process
ends.
"""

from pathlib import Path
from typing import Final

from gateway.settings import Settings, load
from gateway.web.members import DEADLINE_MS_MAX
from gateway.wiring import BACKGROUND_DRAIN_S
from tests.deploy.manifests.rendering import Object, containers, of_kind

DRAIN_ROUNDS: Final = 2
CLOSING_S: Final = 5.0
"""For both listeners to close, and the interpreter to end: seconds at most, where it is busy."""

HEARD_S: Final = 5.0
"""Until every balancer and node knows that a pod is ending, and sends no more new connections."""

DEADLINE_MAX_S: Final = DEADLINE_MS_MAX / 1000

PROCESS_MIB: Final = 120
"""Of a gateway without frames in its memory, under load (measured: 95 at rest, 152 with 64 for frames)."""

MEMORY_SHARES: Final = 1 + 1 / 8 + 1 / 4
"""Frames, metadata and pins of memory://, as shares of `cache.memory_mib`."""


def settings_of(objects: list[Object], pod: Object, file: Path) -> Settings | None:
    """The gateway's settings in a pod, as the gateway itself reads them; None for a pod that has no gateway in it."""
    named = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    if "rerank-gateway-config" not in named:
        return None
    wanted = named["rerank-gateway-config"]["configMap"]["name"]
    (found,) = (one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == wanted)
    file.write_text(found["data"]["gateway.toml"], encoding="utf-8")
    return load(file, environment={one["name"]: one["value"] for one in gateway_of(pod).get("env", [])})


def gateway_of(pod: Object) -> Object:
    """The gateway's container."""
    (found,) = (one for one in containers(pod) if one["name"] == "rerank-gateway")
    return found


def is_sidecar(pod: Object) -> bool:
    """Whether the gateway is beside somebody else's container."""
    return gateway_of(pod) in pod["spec"].get("initContainers", [])


def ends_within_s(settings: Settings, pod: Object) -> float:
    """From being told to end to the end, at worst. (A sidecar is told when the other containers have ended.)"""
    server = settings.server
    slept_s = gateway_of(pod).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    return slept_s + server.lame_duck_s + DRAIN_ROUNDS * server.drain_s + BACKGROUND_DRAIN_S + CLOSING_S


def mebibytes(quantity: str) -> float:
    """A quantity of memory as Kubernetes writes it."""
    return float(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]

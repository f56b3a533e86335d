"""On every rendered pod with a gateway in it: its time to end, its ports, probes and memory fit its settings."""

import copy
from pathlib import Path

from gateway.settings import MEMORY, Settings
from tests.deploy.manifests.lifecycle import (
    DEADLINE_MAX_S,
    HEARD_S,
    MEMORY_SHARES,
    PROCESS_MIB,
    ends_within_s,
    gateway_of,
    is_sidecar,
    mebibytes,
    settings_of,
)
from tests.deploy.manifests.rendering import Object, pods, rendered

STOREFRONT_S = 30
"""What the storefront of the examples takes to end."""

GATEWAYS_MIN = 13


def gateways(objects: list[Object], file: Path) -> list[tuple[Object, Settings]]:
    """The pods with a gateway in them, and its settings."""
    found = ((pod, settings_of(objects, pod, file)) for pod in pods(objects).values())
    return [(pod, settings) for pod, settings in found if settings is not None]


def test_the_grace_period_outlasts_the_end(manifests: list[Object], place: Path) -> None:
    """The kubelet kills no gateway that ends as its settings say, the application before it included."""
    for pod, settings in gateways(manifests, place):
        before_s = STOREFRONT_S if is_sidecar(pod) else 0
        assert pod["spec"]["terminationGracePeriodSeconds"] >= before_s + ends_within_s(settings, pod)


def test_the_lame_duck_outlasts_news_and_bodies(manifests: list[Object], place: Path) -> None:
    """A service closes its port when nobody sends connections any more, and every body that was begun has come."""
    for pod, settings in gateways(manifests, place):
        probe, server = gateway_of(pod)["readinessProbe"], settings.server
        if not is_sidecar(pod):
            assert server.lame_duck_s >= HEARD_S + server.body_timeout_s
            assert server.lame_duck_s > probe["periodSeconds"] * probe["failureThreshold"]


def test_the_drain_outlasts_the_longest_deadline(manifests: list[Object], place: Path) -> None:
    """A request with the longest deadline that a caller may name is answered before it is cut."""
    for pod, settings in gateways(manifests, place):
        if not is_sidecar(pod):
            assert settings.server.drain_s > DEADLINE_MAX_S


def test_a_sidecar_is_native_and_quick_to_end(manifests: list[Object], place: Path) -> None:
    """It starts before the application and ends after it, when nobody can call: there is nothing to wait for."""
    for pod, settings in gateways(manifests, place):
        assert (gateway_of(pod).get("restartPolicy") == "Always") == is_sidecar(pod)
        if is_sidecar(pod):
            assert settings.server.lame_duck_s == 0
            assert settings.server.unix_socket or settings.server.host == "127.0.0.1"


def test_probes_and_ports_meet_the_listeners(manifests: list[Object], place: Path) -> None:
    """Probes ask the admin port on the pod's address; named ports are those that the settings listen on."""
    for pod, settings in gateways(manifests, place):
        container, server = gateway_of(pod), settings.server
        assert server.admin_host in ("0.0.0.0", "::")  # noqa: S104 - the kubelet calls from the node
        asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {one["port"] for one in asked.values()} == {server.admin_port}
        assert [one["path"] for one in asked.values()] == ["/livez", "/livez", "/readyz"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        wanted = (
            {"gateway-admin": server.admin_port}
            if is_sidecar(pod)
            else {"http": server.port, "admin": server.admin_port}
        )
        assert ports == wanted


def test_frames_fit_into_the_memory(manifests: list[Object], place: Path) -> None:
    """The limit holds the process, and what memory:// may take."""
    for pod, settings in gateways(manifests, place):
        frames_mib = settings.cache.memory_mib * MEMORY_SHARES if settings.cache.url == MEMORY else 0
        assert mebibytes(gateway_of(pod)["resources"]["limits"]["memory"]) >= PROCESS_MIB + frames_mib


def test_somebody_may_call(manifests: list[Object], place: Path) -> None:
    """Where others can reach the data port, it has been said who may."""
    for pod, settings in gateways(manifests, place):
        assert is_sidecar(pod) or settings.auth.mode is not None


def test_the_arithmetic_finds_a_short_grace(place: Path) -> None:
    """Control: Kubernetes' own 30 s would cut the service, and longer settings would cut what fits now."""
    objects = rendered()["service-keys"]
    ((pod, settings),) = gateways(objects, place)
    assert ends_within_s(settings, pod) > 30
    longer = copy.deepcopy(pod)
    gateway_of(longer)["lifecycle"] = {"preStop": {"sleep": {"seconds": 20}}}
    assert ends_within_s(settings, longer) > longer["spec"]["terminationGracePeriodSeconds"]


def test_gateways_are_found(place: Path) -> None:
    """Control: the loops above are not empty."""
    assert sum(len(gateways(objects, place)) for objects in rendered().values()) >= GATEWAYS_MIN

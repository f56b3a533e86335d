"""Every rendered object is valid in old, middle and new versions of Kubernetes, and refers to what is there."""

import copy
import platform
import sys

import orjson
import pytest

from tests.deploy.manifests.rendering import ENVIRONMENT, NEW, OLD, ROOT, Object, of_kind, pods, rendered, run, texts

VERSIONS = ("1.29", "1.33", "1.37")
FOREIGN = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator: Kubernetes has no schema of them."""

OUTSIDE = {
    "rerank-gateway", "rerank-gateway-credentials", "rerank-gateway-keys",
    "rerank-gateway-tls", "storefront-redis", "company-ca", "common", "personalize-reader",
}  # fmt: skip
"""ConfigMaps, Secrets and accounts that the values and the READMEs ask their reader to make."""


def faults(objects: dict[str, list[Object]]) -> list[str]:
    """What is wrong with them in any of the versions."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        pytest.fail("kubernetes-validate is missing: make .venv-deploy/done")
    asked = orjson.dumps({"versions": VERSIONS, "objects": objects}).decode()
    done = run(python, ROOT / "tests/deploy/manifests/validate.py", text=asked)
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


def test_every_object_is_valid_in_three_versions() -> None:
    """No object has a member that Kubernetes 1.29, 1.33 or 1.37 does not know, or one of the wrong kind."""
    everything = rendered()
    ours = {name: [one for one in objects if one["kind"] not in FOREIGN] for name, objects in everything.items()}
    assert faults(ours) == []
    assert len(everything) >= 8 + 4
    assert sum(map(len, ours.values())) > 80


def test_the_check_finds_a_wrong_word() -> None:
    """Control: one misspelt member, or a native sidecar's member where it does not belong, is found in each version."""
    (deployment,) = of_kind(rendered()["service-keys"], "Deployment")
    misspelt, typed = copy.deepcopy(deployment), copy.deepcopy(deployment)
    misspelt["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    typed["spec"]["replicas"] = "two"
    found = faults({"wrong": [misspelt, typed]})
    assert len(found) == 2 * len(VERSIONS)
    assert "readynessProbe" in found[0]


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="one version of the programs only"
)
def test_helm_3_and_4_and_two_kubectls_agree() -> None:
    """Older programs render the same, to the letter."""
    assert texts(OLD) == texts(NEW)


def test_names_lead_somewhere(manifests: list[Object]) -> None:
    """Selectors select, ports have their names, and every ConfigMap, Secret and account is made here or asked for."""
    made = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    labels = [pod["metadata"].get("labels", {}) for pod in pods(manifests).values()]
    ports = {port.get("name") for pod in pods(manifests).values() for port in _ports(pod)}
    for one in of_kind(manifests, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        selected = [pod for pod in labels if _selector(one).items() <= pod.items()]
        assert selected, f"{one['kind']}/{one['metadata']['name']} selects no pod"
    for one in of_kind(manifests, "Service"):
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports
    for one in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in made
    for pod in pods(manifests).values():
        for kind, name in _needs(pod):
            assert (kind, name) in made or name in OUTSIDE, f"{kind}/{name}"


def test_monitors_find_the_admin_port(manifests: list[Object]) -> None:
    """A ServiceMonitor selects a Service with its port, a PodMonitor names a port of the sidecar."""
    for monitor in of_kind(manifests, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        (service,) = (s for s in of_kind(manifests, "Service") if wanted.items() <= s["metadata"]["labels"].items())
        assert {one["port"] for one in monitor["spec"]["endpoints"]} <= {
            one["name"] for one in service["spec"]["ports"]
        }
    for monitor in of_kind(manifests, "PodMonitor"):
        assert [one["port"] for one in monitor["spec"]["podMetricsEndpoints"]] == ["gateway-admin"]


def _ports(pod: Object) -> list[Object]:
    return [port for container in pod["spec"]["containers"] for port in container.get("ports", [])]


def _selector(one: Object) -> Object:
    selector = one["spec"].get("selector") or one["spec"]["podSelector"]
    return selector.get("matchLabels", selector)


def _needs(pod: Object) -> list[tuple[str, str]]:
    """What has to be there for a pod to start."""
    needed = [("ServiceAccount", name)] if (name := pod["spec"].get("serviceAccountName")) else []
    for volume in pod["spec"].get("volumes", []):
        needed += [("ConfigMap", volume["configMap"]["name"])] if "configMap" in volume else []
        needed += [("Secret", volume["secret"]["secretName"])] if "secret" in volume else []
    for container in pod["spec"]["containers"]:
        needed += [("ConfigMap", one["configMapRef"]["name"]) for one in container.get("envFrom", [])]
    return needed

"""All rendered pods keep the policy, and the policy finds each thing that it is there to find."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.manifests.policy import CONTAINER_RULES, POD_RULES, breaches
from tests.deploy.manifests.rendering import Object, pods, rendered

WRONGS: dict[str, Callable[[Any], Any]] = {
    "mounts no token": lambda spec: spec.pop("automountServiceAccountToken"),
    "gets no variables of Services": lambda spec: spec.update(enableServiceLinks=True),
    "is not root": lambda spec: spec["securityContext"].pop("runAsNonRoot"),
    "has seccomp": lambda spec: spec["securityContext"].pop("seccompProfile"),
    "keeps to itself": lambda spec: spec.update(hostNetwork=True),
    "mounts nothing of the node": lambda spec: spec["volumes"].append({"name": "n", "hostPath": {"path": "/"}}),
    "bounds its empty directories": lambda spec: spec["volumes"].append({"name": "n", "emptyDir": {}}),
    "runs as a user of its own": lambda one: one["securityContext"].pop("runAsUser"),
    "may not be root": lambda one: one["securityContext"].pop("runAsNonRoot"),
    "cannot write": lambda one: one["securityContext"].update(readOnlyRootFilesystem=False),
    "cannot gain rights": lambda one: one["securityContext"].pop("allowPrivilegeEscalation"),
    "has no capabilities": lambda one: one["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["KILL"]}),
    "is not privileged": lambda one: one["securityContext"].update(privileged=True),
    "weakens no seccomp": lambda one: one["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    "has limits": lambda one: one["resources"]["limits"].pop("memory"),
    "has probes": lambda one: one.pop("startupProbe"),
    "asks no shell": lambda one: one["livenessProbe"].update(exec={"command": ["true"]}),
    "hides secrets": lambda one: one["env"].append({"name": "REDIS_PASSWORD", "value": "x"}),
    "names its image exactly": lambda one: one.update(image="registry:5000/rerank-gateway"),
    "takes no port of the node": lambda one: one["ports"][0].update(hostPort=80),
}
"""For each rule the smallest change that breaks it."""


def test_all_pods_keep_all_rules(manifests: list[Object]) -> None:
    """No pod that any value set or kustomization makes breaks a rule."""
    assert {name: found for name, pod in pods(manifests).items() if (found := list(breaches(pod)))} == {}


def test_something_is_checked() -> None:
    """Control: the sets have pods in both modes, and every rule has its control."""
    assert sum(len(pods(objects)) for objects in rendered().values()) >= 20
    assert WRONGS.keys() == POD_RULES.keys() | CONTAINER_RULES.keys()


@pytest.mark.parametrize("rule", WRONGS)
def test_each_rule_finds_its_wrong(rule: str) -> None:
    """Control: a pod that is wrong in one way breaks the rule against it, and no other."""
    pod = copy.deepcopy(pods(rendered()["service-keys"])["shop-rerank-gateway"])
    (container,) = pod["spec"]["containers"]
    WRONGS[rule](pod["spec"] if rule in POD_RULES else container)
    assert [found.removeprefix("rerank-gateway ") for found in breaches(pod)] == [rule]

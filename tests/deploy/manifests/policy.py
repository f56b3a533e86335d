"""What a pod has to be like here: rules as a table, each a question about one pod or one container; True is well.

The rules are those of Kubernetes' "restricted" profile and stricter: nobody is root, nothing can be written, no token
lies about, everything has limits and is probed, no shell is needed.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.deploy.manifests.rendering import Object, containers

SHELLS: Final = {"sh", "bash", "ash", "/bin/sh", "/bin/bash"}

UNPROBED: Final = {"locust", "test"}
"""Containers that listen nowhere and run to their end; the others have ports, or they would not be here."""

PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
SECRET_WORDS: Final = ("PASSWORD", "SECRET", "TOKEN", "API_KEY")
LOCAL: Final = {"local"}
"""The value of a key for the emulator, which takes any."""


def security(part: Object) -> Object:
    """The security context of a pod or a container."""
    context: Object = part.get("securityContext", {})
    return context


def has_probes(container: Object) -> bool:
    """All three, unless it listens nowhere."""
    if not container.get("ports"):
        return container["name"] in UNPROBED
    return all(probe in container for probe in PROBES)


def is_pinned(container: Object) -> bool:
    """By a digest, or a tag that is not moved on purpose."""
    image = container["image"]
    return "@sha256:" in image or (":" in image.rpartition("/")[2] and not image.endswith(":latest"))


def has_limits(container: Object) -> bool:
    """CPU and memory, both asked for and bounded."""
    resources = container.get("resources", {})
    return all({"cpu", "memory"} <= resources.get(of, {}).keys() for of in ("requests", "limits"))


def asks_no_shell(container: Object) -> bool:
    """Neither as its command nor in its probes and hooks."""
    hooks: list[Any] = [container.get(probe, {}) for probe in PROBES] + list(container.get("lifecycle", {}).values())
    return not SHELLS & set(container.get("command", [])) and not any("exec" in hook for hook in hooks)


def hides_secrets(container: Object) -> bool:
    """No variable with the value of a secret in it, and no mount of one that could be written."""
    named = [one for one in container.get("env", []) if any(word in one["name"] for word in SECRET_WORDS)]
    mounts = [one for one in container.get("volumeMounts", []) if "secret" in one["mountPath"]]
    return all("valueFrom" in one or one["value"] in LOCAL for one in named) and all(
        one.get("readOnly") for one in mounts
    )


POD_RULES: Final[dict[str, Callable[[Object], bool]]] = {
    "mounts no token": lambda spec: spec.get("automountServiceAccountToken") is False,
    "gets no variables of Services": lambda spec: spec.get("enableServiceLinks") is False,
    "is not root": lambda spec: security(spec).get("runAsNonRoot") is True,
    "has seccomp": lambda spec: security(spec).get("seccompProfile") == {"type": "RuntimeDefault"},
    "keeps to itself": lambda spec: not any(spec.get(of) for of in ("hostNetwork", "hostPID", "hostIPC")),
    "mounts nothing of the node": lambda spec: not any("hostPath" in volume for volume in spec.get("volumes", [])),
    "bounds its empty directories": lambda spec: all(
        "sizeLimit" in volume["emptyDir"] for volume in spec.get("volumes", []) if "emptyDir" in volume
    ),
}

CONTAINER_RULES: Final[dict[str, Callable[[Object], bool]]] = {
    "runs as a user of its own": lambda one: security(one).get("runAsUser", 0) > 10_000,
    "may not be root": lambda one: security(one).get("runAsNonRoot") is True,
    "cannot write": lambda one: security(one).get("readOnlyRootFilesystem") is True,
    "cannot gain rights": lambda one: security(one).get("allowPrivilegeEscalation") is False,
    "has no capabilities": lambda one: security(one).get("capabilities") == {"drop": ["ALL"]},
    "is not privileged": lambda one: not security(one).get("privileged"),
    "weakens no seccomp": lambda one: security(one).get("seccompProfile") in (None, {"type": "RuntimeDefault"}),
    "has limits": has_limits,
    "has probes": has_probes,
    "asks no shell": asks_no_shell,
    "hides secrets": hides_secrets,
    "names its image exactly": is_pinned,
    "takes no port of the node": lambda one: not any("hostPort" in port for port in one.get("ports", [])),
}


def breaches(pod: Object) -> Iterator[str]:
    """The rules that a pod breaks."""
    yield from (rule for rule, holds in POD_RULES.items() if not holds(pod["spec"]))
    for container in containers(pod):
        yield from (f"{container['name']} {rule}" for rule, holds in CONTAINER_RULES.items() if not holds(container))

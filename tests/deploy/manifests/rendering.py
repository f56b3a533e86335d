"""Renders every value set of the charts and every kustomization, by the real programs, once in a process.

The programs come from `.venv-deploy` (`make test` makes it; Linux on x86-64); elsewhere from the PATH, and where there
are none, the tests are skipped and say so. Helm 4 and kubectl 1.35 render what is tested; Helm 3 and kubectl 1.33 must
agree.
"""

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[3]
CHART: Final = ROOT / "deploy/helm/rerank-gateway"
EXAMPLE: Final = ROOT / "deploy/helm/examples/storefront"
ENVIRONMENT: Final = ROOT / ".venv-deploy"

NEW: Final = "v35"
OLD: Final = "v33"
"""The layers that the programs come from, by the Kubernetes version that they were made for."""

RELEASE: Final = "shop"
NAMESPACE: Final = "shop"

KUSTOMIZATIONS: Final = {
    "kustomize-base": ROOT / "deploy/kustomize/base",
    "kustomize-service": ROOT / "deploy/kustomize/overlays/service",
    "kustomize-sidecar": ROOT / "deploy/kustomize/overlays/sidecar",
    "kustomize-local": ROOT / "deploy/kustomize/overlays/local",
    "locust": ROOT / "deploy/locust",
}

Object = dict[str, Any]
"""A Kubernetes object, or a part of one."""


def program(name: str, layer: str = NEW) -> str:
    """Where a program is; skips the test on a machine for which there is none."""
    ours = ENVIRONMENT / "tools" / layer / name
    if sys.platform == "linux" and platform.machine() == "x86_64":
        if not ours.exists():
            pytest.fail(f"{name} is missing: make .venv-deploy/done")
        return str(ours)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is packaged for Linux on x86-64 only, and is not on the PATH")
    return found


def run(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without the machine's own cluster and Helm settings."""
    with TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
        return subprocess.run(
            [str(part) for part in command],
            env={**kept, "HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home},
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )


def out(*command: str | Path) -> str:
    """What a program prints; it must succeed."""
    done = run(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def value_sets(chart: Path = CHART) -> dict[str, Path]:
    """The value files of a chart, by name."""
    return {path.name.removesuffix("-values.yaml"): path for path in sorted((chart / "ci").glob("*-values.yaml"))}


def templated(chart: Path, *options: str | Path, layer: str = NEW, text: str = "") -> subprocess.CompletedProcess[str]:
    """`helm template`, as it comes out."""
    return run(program("helm", layer), "template", RELEASE, chart, "--namespace", NAMESPACE, *options, text=text)


@cache
def example(layer: str = NEW) -> Path:
    """The example chart with its dependency built, as its README tells, in a directory of its own."""
    place = Path(os.environ["PYTEST_DEPLOY_TMP"]) / layer / "helm"
    shutil.copytree(CHART.parent, place, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
    chart = place / EXAMPLE.relative_to(CHART.parent)
    out(program("helm", layer), "dependency", "update", chart)
    return chart


@cache
def rendered() -> dict[str, list[Object]]:
    """The objects of every value set and kustomization."""
    return {name: objects(text) for name, text in texts().items()}


@cache
def texts(layer: str = NEW) -> dict[str, str]:
    """What the programs print for every value set and kustomization."""
    found = {name: out_of(templated(CHART, "--values", values, layer=layer)) for name, values in value_sets().items()}
    chart = example(layer)
    for name, values in value_sets(chart).items():
        found[f"storefront-{name}"] = out_of(templated(chart, "--values", values, layer=layer))
    for name, place in KUSTOMIZATIONS.items():
        found[name] = out(program("kubectl", layer), "kustomize", place)
    return found


def objects(text: str) -> list[Object]:
    """The objects in a text of many documents."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
    return [one for one in yaml.load_all(text, Loader=loader) if one]


def out_of(done: subprocess.CompletedProcess[str]) -> str:
    """The output of a program that must have succeeded."""
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def pods(objects: list[Object]) -> dict[str, Object]:
    """What a pod would be made from, by the name of what makes it: `metadata` and `spec`."""
    found = {one["metadata"]["name"]: one for one in of_kind(objects, "Pod")}
    for one in of_kind(objects, "Deployment", "Job", "StatefulSet", "DaemonSet"):
        found[one["metadata"]["name"]] = one["spec"]["template"]
    return found


def containers(pod: Object) -> list[Object]:
    """The containers of a pod, those that run before or beside the others included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]

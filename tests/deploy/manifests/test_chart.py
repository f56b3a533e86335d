"""The chart: lint, choices that it asks for, values that it refuses, and the copies that it holds."""

import re
import tomllib
from pathlib import Path

import orjson
import pytest
import yaml

from deploy.helm import sync
from gateway.web.metrics_families import FAMILIES
from tests.deploy.manifests.rendering import (
    CHART,
    KUSTOMIZATIONS,
    NEW,
    OLD,
    RELEASE,
    ROOT,
    Object,
    containers,
    example,
    objects,
    of_kind,
    pods,
    program,
    rendered,
    run,
    templated,
    value_sets,
)

ARN = "arn:aws:personalize:eu-west-1:123456789012:campaign/c"
STARTS = {"config": {"auth": {"mode": "none"}, "cache": {"url": "redis://redis:6379"}}}
"""The least that starts a service of several pods."""

REFUSED: dict[str, tuple[Object, str]] = {
    "nobody said who may call": ({"config": {"cache": {"url": "redis://redis:6379"}}}, "config.auth.mode"),
    "several pods without a shared cache": ({"config": {"auth": {"mode": "none"}}}, "config.cache.url"),
    "one pod that may become several": (
        {"config": {"auth": {"mode": "none"}}, "replicaCount": 1, "autoscaling": {"enabled": True}},
        "config.cache.url",
    ),
    "a port that the network policy closes": (
        {"config": {"auth": {"mode": "none"}, "cache": {"url": "redis+cluster://a:6379,b:7000/0"}}},
        "networkPolicy.redis.ports: config.cache.url is on port 7000",
    ),
    "sentinels on their usual port, which the network policy closes": (
        {"config": {"auth": {"mode": "none"}, "cache": {"url": "redis+sentinel://a,b:6379/main"}}},
        "networkPolicy.redis.ports: config.cache.url is on port 26379",
    ),
    "a usual port that is not among those that are open": (
        {**STARTS, "config": {"auth": {"mode": "none"}, "cache": {"url": "redis://[::1]/0"}}}
        | {"networkPolicy": {"redis": {"ports": [6380]}}},
        "networkPolicy.redis.ports: config.cache.url is on port 6379",
    ),
    "one port for callers and for probes": (
        {"config": {**STARTS["config"], "server": {"port": 9090}}},
        "config.server.port, config.server.admin_port",
    ),
    "no port for probes": (
        {"config": {**STARTS["config"], "server": {"admin_port": None}}},
        "config.server.port, config.server.admin_port",
    ),
    "keys without tenants": (
        {"config": {"auth": {"mode": "keys"}, "cache": {"url": "redis://redis:6379"}}},
        "config.auth.tenants",
    ),
    "tenants that nobody is asked about": (
        {"config": {"auth": {"mode": "none", "tenants": {"shop": {}}}, "cache": {"url": "redis://redis:6379"}}},
        "config.auth.tenants: nobody is asked",
    ),
    "a Service before loopback": (
        {"config": {**STARTS["config"], "server": {"host": "127.0.0.1"}}},
        "config.server.host",
    ),
    "a password in a URL": (
        {"config": {"auth": {"mode": "none"}, "cache": {"url": "redis://user:hunter2@redis:6379"}}},
        "password does not belong",
    ),
    "a password in the settings": ({"config": {**STARTS["config"], "cache": {"password": "x"}}}, "password"),
    "key pairs in the settings": (
        {"config": {"auth": {"mode": "sigv4", "tenants": {"a": {"key_pairs": []}}}}},
        "key_pairs",
    ),
    "two kinds of secrets": ({**STARTS, "secret": {"existingSecret": "a", "files": {"b": "c"}}}, "not both"),
    "too little time to end": ({**STARTS, "terminationGracePeriodSeconds": 30}, "would lose requests"),
    "a setting that there is not": ({"config": {**STARTS["config"], "server": {"prot": 80}}}, "prot"),
    "a value that there is not": ({**STARTS, "replicas": 3}, "replicas"),
    "a value out of bounds": ({"config": {**STARTS["config"], "server": {"deadline_ms": 60000}}}, "deadline_ms"),
    "what is no ARN": ({"config": {**STARTS["config"], "campaigns": {"a": {"arn": "c"}}}}, "arn"),
    "a name that is none": ({"config": {**STARTS["config"], "campaigns": {"home page": {"arn": ARN}}}}, "home page"),
    "a socket by hand": ({"config": {**STARTS["config"], "server": {"unix_socket": "/x"}}}, "unix_socket"),
    "no limit of memory": ({**STARTS, "resources": {"limits": {"memory": None}}}, "memory"),
    "an unknown mode": ({**STARTS, "mode": "daemon"}, "mode"),
    "a digest that is none": ({**STARTS, "image": {"digest": "sha256:1"}}, "digest"),
    "a monitor of no pods": ({"mode": "sidecar", "metrics": {"podMonitor": {"enabled": True}}}, "podSelector"),
}


def objects_of(values: Object) -> list[Object]:
    """What the chart makes of values."""
    done = templated(CHART, "--values", "-", text=yaml.safe_dump(values))
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def refusal(values: Object, layer: str = NEW) -> str:
    """What Helm says to values that it must not take."""
    done = templated(CHART, "--values", "-", layer=layer, text=yaml.safe_dump(values))
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("layer", [NEW, OLD])
def test_lint_finds_nothing(layer: str) -> None:
    """`helm lint --strict` is content with the chart as it comes, with the value sets (Helm 3: that with every option),
    and with the example."""
    chosen = value_sets() if layer == NEW else {"all options": value_sets()["service-everything"]}
    sets = [("--values", path) for path in chosen.values()]
    for options in [(), *sets]:
        done = run(program("helm", layer), "lint", "--strict", "--quiet", CHART, *options)
        assert done.returncode == 0, done.stdout + done.stderr
    for path in value_sets(example(layer)).values():
        done = run(program("helm", layer), "lint", "--strict", "--quiet", example(layer), "--values", path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_cannot_work_is_refused(wrong: str) -> None:
    """Values that are unsafe, misspelt or at odds are refused with the place of the fault."""
    values, place = REFUSED[wrong]
    assert place in refusal(values)


def test_the_least_starts() -> None:
    """Control: without the wrong, the values of the refusals are taken; one refusal names all faults at once."""
    assert objects_of(STARTS)
    both = refusal({})
    assert "config.auth.mode" in both
    assert "config.cache.url" in both
    assert "hunter2" not in refusal(REFUSED["a password in a URL"][0])


def test_the_readme_s_values_start() -> None:
    """The values that `deploy/README.md` tells to write are taken, and make all that they name."""
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    (values,) = re.findall(r"```yaml\n(# my-values.yaml\n.*?)```", text, re.DOTALL)
    kinds = {one["kind"] for one in objects_of(yaml.safe_load(values))}
    assert {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"} <= kinds


def test_the_longest_names_are_still_labels() -> None:
    """Every label of every object is one that Kubernetes takes, however long the chart's name was made."""
    for one in objects_of({**STARTS, "nameOverride": "n" * 63, "fullnameOverride": "f" * 63}):
        for value in one["metadata"].get("labels", {}).values():
            assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value), one["kind"]


def test_copies_are_up_to_date() -> None:
    """What the chart copies is as its sources say; `make chart` writes it anew."""
    stale = [
        path.relative_to(ROOT) for path, content in sync.outputs() if not path.exists() or path.read_bytes() != content
    ]
    assert stale == []


def test_versions_are_the_projects() -> None:
    """The image's tag is the version of the package, in the chart and in the kustomizations."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["appVersion"] == version
    for name in KUSTOMIZATIONS:
        images = {one["image"] for pod in pods(rendered()[name]).values() for one in containers(pod)}
        assert {image.partition(":")[2] for image in images if image.startswith("rerank-gateway")} == {version}


def test_settings_come_through_as_they_are() -> None:
    """Names with dots and spaces, fractions, lists and nulls stand in the TOML file as they stood in the values."""
    (config,) = of_kind(rendered()["service-everything"], "ConfigMap")[:1]
    found = tomllib.loads(config["data"]["gateway.toml"])
    given = yaml.safe_load(value_sets()["service-everything"].read_text(encoding="utf-8"))["config"]
    for table in ("auth", "cache", "campaigns", "log", "transport"):
        assert found[table] == given[table]
    assert given["server"].items() <= found["server"].items()
    tracker = 'a"b <&> é'
    tenants = {"t.1": {"keys_file": "/k", "trackers": [tracker], "rate_per_s": None}}
    odd = {"mode": "sidecar", "config": {"auth": {"mode": "keys", "tenants": tenants}}}
    (config,) = of_kind(objects_of(odd), "ConfigMap")
    assert tomllib.loads(config["data"]["gateway.toml"])["auth"]["tenants"] == {
        "t.1": {"keys_file": "/k", "trackers": [tracker]}
    }


def test_a_changed_setting_is_a_new_pod() -> None:
    """The pod's annotations change with the configuration and with the chart's own Secret, and with nothing else."""

    def checksums(**values: object) -> Object:
        (deployment,) = of_kind(objects_of({**STARTS, **values}), "Deployment")
        annotations: Object = deployment["spec"]["template"]["metadata"]["annotations"]
        return annotations

    before = checksums()
    assert checksums(config={**STARTS["config"], "log": {"level": "debug"}}) != before
    assert checksums(secret={"files": {"a": "1"}}) != checksums(secret={"files": {"a": "2"}}) != before
    assert checksums(replicaCount=5) == before


def test_helm_and_kustomize_run_the_same_container() -> None:
    """Both ways give the gateway's container the same command, probes, rights and limits, in both modes."""
    for ours, theirs, pod in (
        ("service-smallest", "kustomize-base", "rerank-gateway"),
        ("storefront-loopback", "kustomize-sidecar", "storefront"),
    ):
        by_helm = [one for pod in pods(rendered()[ours]).values() for one in containers(pod)]
        by_kustomize = containers(pods(rendered()[theirs])[pod])
        (one,), (other,) = ([c for c in found if c["name"] == "rerank-gateway"] for found in (by_helm, by_kustomize))
        assert {**one, "env": None} == {**other, "env": None}


def test_the_schema_is_of_the_settings() -> None:
    """Every setting that is not a secret, or the chart's own, can be set; no secret can."""
    schema = orjson.loads(sync.SCHEMA.read_bytes())
    names = {f"{table}.{name}" for table, part in schema["$defs"].items() for name in part["properties"]}
    assert {"ServerSettings.lame_duck_s", "CacheSettings.tls_ca_file", "LogSettings.format"} <= names
    assert not [name for name in names if name.endswith(("password", "key_pairs", "secret_access_key"))]


def test_the_notes_say_what_is_open() -> None:
    """After an install the reader is told the address, and what he may have left open."""
    shown = run(
        program("helm"), "install", RELEASE, CHART, "--dry-run=client", "--values", value_sets()["service-smallest"]
    )
    assert shown.returncode == 0, shown.stderr
    assert "http://shop-rerank-gateway.default:80" in shown.stdout
    assert "Anybody who can reach the Service may call" in shown.stdout
    assert "any campaign that the role may call" in shown.stdout


def test_scaling_asks_for_a_metric_that_there_is() -> None:
    """What the autoscaler may go by besides CPU is a gauge of the gateway, without labels to tell apart."""
    (scaler,) = of_kind(rendered()["service-everything"], "HorizontalPodAutoscaler")
    (asked,) = (one["pods"]["metric"]["name"] for one in scaler["spec"]["metrics"] if one["type"] == "Pods")
    assert [(family.kind, family.labels) for family in FAMILIES if family.name == asked] == [("gauge", ())]


def test_options_of_monitoring_come_with_their_files() -> None:
    """The rules and the dashboard are in what is rendered, as the sources have them."""
    objects = rendered()["service-everything"]
    (rules,) = of_kind(objects, "PrometheusRule")
    assert rules["spec"] == yaml.safe_load(Path(sync.CHART / "files/rules.yaml").read_text(encoding="utf-8"))
    (dashboard,) = (one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"].endswith("-dashboard"))
    found = orjson.loads(dashboard["data"]["rerank-gateway.json"])
    assert found == orjson.loads((sync.CHART / "files/rerank-gateway.json").read_bytes())

"""What the manifests start is what the program knows: their very commands are run, and asked what their probes ask."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from tests.deploy.manifests.lifecycle import gateway_of, settings_of
from tests.deploy.manifests.rendering import Object, containers, pods, rendered
from tests.process.parts import WITHIN_S, environment, line_of, running

HERE = {"0.0.0.0": "127.0.0.1", "8081": "0"}  # noqa: S104 - on a pod's address, and here on loopback
MOVED = {
    "GATEWAY_SERVER__HOST": "127.0.0.1",
    "GATEWAY_SERVER__PORT": "0",
    "GATEWAY_SERVER__ADMIN_HOST": "127.0.0.1",
    "GATEWAY_SERVER__ADMIN_PORT": "0",
    "GATEWAY_SERVER__LAME_DUCK_S": "0",
    "GATEWAY_CACHE__URL": "memory://",
}
"""What cannot be here as it is in a pod."""

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def arguments(container: Object, **replaced: str) -> list[str]:
    """What a container runs, without the program's own name."""
    program, *rest = [*container["command"], *container["args"]]
    assert program == "rerank-gateway"
    return [{**HERE, **replaced}.get(one, one) for one in rest]


def asked(url: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """One request to a running process."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WITHIN_S)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def assert_probed(url: str, container: Object) -> None:
    """All that the kubelet would ask is answered well."""
    assert [asked(url, "GET", container[probe]["httpGet"]["path"])[0] for probe in PROBES] == [200, 200, 200]


def test_the_local_overlay_ranks(tmp_path: Path) -> None:
    """The gateway's and the emulator's commands, variables and settings of the local overlay give a ranking, and the
    probes of both find them well."""
    objects = rendered()["kustomize-local"]
    (emulator,), gateway = containers(pods(objects)["emulator"]), gateway_of(pods(objects)["rerank-gateway"])
    config = tmp_path / "gateway.toml"
    assert settings_of(objects, pods(objects)["rerank-gateway"], config) is not None
    variables = {one["name"]: one["value"] for one in gateway["env"]}
    with running(*arguments(emulator), env=environment()) as upstream:
        assert_probed(upstream.url, emulator)
        moved = {name: upstream.url for name, value in variables.items() if "http://emulator:8081" in value}
        started = arguments(gateway, **{"/etc/rerank-gateway/gateway.toml": str(config)})
        with running(*started, env=environment(**variables, **MOVED) | moved) as process:
            assert_probed(line_of(process.process).split()[-1], gateway)
            body = orjson.dumps({"campaign": "demo", "userId": "u", "inputList": ["p00001", "p00002"]})
            status, answer = asked(process.url, "POST", "/v1/rerank", body)
    assert status == 200
    assert len(orjson.loads(answer)["personalizedRanking"]) == 2

"""`deploy/docker-compose.yaml`: what it names exists, nothing is open to others, and its gateway and emulator work.

No container is started: there is no engine here. What it says of our own processes is run as processes.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import load
from tests.deploy.ranking import rank
from tests.process.parts import environment, here, running
from tests.redis.servers import DEPLOYED, Server, a_binary

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "docker-compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
KEYS = {"build", "cap_add", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "ports"}
KEYS |= {"read_only", "security_opt", "stop_grace_period", "tmpfs", "volumes"}
"""Of the compose specification, what is used here: a name that is misspelt is not among them."""

each = pytest.mark.parametrize("name", SERVICES)


def python_of(name: str) -> str:
    """The program of a health check."""
    executable, flags, program = SERVICES[name]["healthcheck"]["test"][1:]
    assert (executable, flags) == ("/opt/gateway/bin/python", "-ISc")
    return str(program)


@each
def test_its_shape(name: str) -> None:
    """Known members only, exec-form commands and checks, no rights to spare, ports on loopback, versions that stay."""
    one = SERVICES[name]
    assert one.keys() <= KEYS
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert set(one.get("cap_add", [])) <= ({"SETUID", "SETGID"} if name == "valkey" else set())
    assert one["healthcheck"]["test"][0] == "CMD"
    assert isinstance(one.get("command", []), list)
    assert all(port.startswith("127.0.0.1:") and port.count(":") == 2 for port in one.get("ports", []))
    tag = one["image"].partition(":")[2]
    assert tag
    assert tag != "latest"
    assert all(isinstance(value, str) for value in one.get("environment", {}).values())
    assert one.get("depends_on", {}).keys() <= SERVICES.keys()


@each
def test_what_is_mounted_exists(name: str) -> None:
    """Every file that is mounted is in the repository, and cannot be written to; the rest are volumes."""
    for volume in SERVICES[name].get("volumes", []):
        source, _, mode = volume.split(":") if volume.count(":") == 2 else (*volume.split(":"), "")
        if source.startswith("./"):
            assert (DEPLOY / source).exists()
            assert mode == "ro"
        else:
            assert source == "prometheus"


def test_no_two_share_a_port() -> None:
    """Each port of the machine is taken once."""
    taken = [port.split(":")[1] for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(taken) == len(set(taken))


def test_what_the_head_of_the_file_names_can_be_reached() -> None:
    """The places to look at are ports of the machine, the console's on the admin port, where it is then."""
    taken = {port.split(":")[1]: port.split(":")[2] for one in SERVICES.values() for port in one.get("ports", [])}
    head = FILE.read_text(encoding="utf-8").partition("\nname:")[0]
    assert set(re.findall(r":(\d{4})\b", head)) == {"8080", "9090", "9091", "3000"} <= taken.keys()
    assert taken["9090"] == SERVICES["gateway"]["environment"]["GATEWAY_SERVER__ADMIN_PORT"]


def test_the_settings_are_settings() -> None:
    """The gateway's variables are a configuration without a fault, with the admin port that is checked and scraped."""
    variables = SERVICES["gateway"]["environment"]
    settings = load(environment=variables)
    assert list(settings.campaigns) == ["demo"]
    assert str(settings.server.admin_port) in python_of("gateway")
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]
    assert scraped[0]["static_configs"] == [{"targets": [f"gateway:{settings.server.admin_port}"]}]
    lasts_s = settings.server.lame_duck_s + 2 * settings.server.drain_s + 5
    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) >= lasts_s


@pytest.mark.parametrize("name", ["gateway", "emulator"])
def test_the_commands_are_commands(name: str) -> None:
    """Our own commands take the options that are given to them."""
    assert here(*SERVICES[name]["command"], "--help").returncode == 0


def test_the_local_user_has_the_rights_of_the_deployed_one() -> None:
    """The ACL file differs from that for production in the password alone."""
    local, deployed = ((DEPLOYED / file).read_text().split() for file in ("users-local.acl", "users.acl"))
    (at,) = (place for place, word in enumerate(local) if word.startswith(">"))
    assert local[:at] + local[at + 1 :] == deployed[:at] + deployed[at + 1 :]
    password = SERVICES["gateway"]["environment"]["GATEWAY_CACHE__PASSWORD"]
    assert local[at] == f">{password}"
    assert password in SERVICES["valkey"]["healthcheck"]["test"]


def test_grafana_finds_what_is_provisioned() -> None:
    """The datasource is Prometheus where compose has it, and the dashboards are looked for where they are mounted."""
    provisioning = DEPLOY / "grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    (boards,) = yaml.safe_load((provisioning / "dashboards/rerank-gateway.yaml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090"
    mounted = [volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]]
    assert f"{boards['options']['path']}/rerank-gateway.json" in mounted


def test_the_gateway_of_compose_ranks(tmp_path: Path) -> None:
    """Emulator, Valkey with the local ACL, and the gateway with compose's variables: ranked, kept, and found ready."""
    valkey = Server(tmp_path, a_binary(), acl="users-local.acl").start()
    valkey.admin("ACL", "SETUSER", "gateway", "on", ">local-only", "~rerank:*", "-@all", "+mget", "+set", "+eval")
    valkey.admin("ACL", "SETUSER", "default", "off")
    try:
        with running("emulate", "--port", "0", env=environment()) as emulator:
            given = SERVICES["gateway"]["environment"] | {"GATEWAY_PORT": "0", "GATEWAY_SERVER__ADMIN_PORT": "0"}
            there = {"http://emulator:8081": emulator.url, "redis://valkey:6379": valkey.url, "0.0.0.0": "127.0.0.1"}  # noqa: S104
            variables = {name: there.get(value, value) for name, value in given.items()}
            with running("serve", env=environment(**variables)) as gateway:
                cold, warm = rank(gateway.url), rank(gateway.url)
                assert (cold["usage"]["upstreamCalls"], warm["usage"]["upstreamCalls"]) == (1, 0)
                admin = gateway.process.stdout.readline().split()[-1] if gateway.process.stdout else ""
                for name, port in (("gateway", admin.rpartition(":")[2]), ("emulator", str(emulator.port))):
                    program = python_of(name).replace("9090", port).replace("8081", port)
                    assert subprocess.run([sys.executable, "-ISc", program], timeout=30).returncode == 0
    finally:
        valkey.kill()


def test_prometheus_reads_its_rules() -> None:
    """The rules are mounted where the configuration looks for them."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    mounted = [volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"]]
    assert set(config["rule_files"]) <= set(mounted)

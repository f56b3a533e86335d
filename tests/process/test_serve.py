"""`serve`: it says where it is, ends gently or at once, and tells plainly why it cannot start."""

import re
import signal
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.process.parts import ARN, WITHIN_S, Running, environment, here, line_of, listens, run, running, signed, until
from tests.process.served import Hanging, end, get, post


def test_one_line_with_the_address(gateway: Running) -> None:
    """Ready, the gateway prints one line with its address, and there it serves."""
    assert re.fullmatch(r"rerank-gateway listening on http://127\.0\.0\.1:\d+\n", gateway.line)
    assert get(gateway.port, "/readyz")[0] == 200
    connection = post(gateway.port)
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    assert len(answer["personalizedRanking"]) == 2


def test_logs_are_json_on_standard_error(emulator: Running) -> None:
    """Every line of standard error is a JSON object; standard output holds the address alone."""
    with running("serve", "--port", "0", env=signed(emulator.url)) as gateway:
        get(gateway.port, "/livez")
        gateway.process.terminate()
        _, out, err = end(gateway.process)
    assert out == ""
    assert [orjson.loads(line)["route"] for line in err.splitlines()] == ["/livez"]


def test_sigterm_finishes_what_is_under_way(hanging: Hanging) -> None:
    """SIGTERM: not ready, still serving, connections closed; the request under way is answered; exit code 0."""
    with running("serve", "--port", "0", env=signed(hanging.url, GATEWAY_SERVER__LAME_DUCK_S="20")) as gateway:
        connection = post(gateway.port)
        assert hanging.arrived.wait(WITHIN_S)
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: get(gateway.port, "/readyz") == (503, "close"), "the lame duck")
        assert get(gateway.port, "/livez") == (200, "close")
        gateway.process.send_signal(signal.SIGTERM)  # enough of the lame duck: finish what is under way
        hanging.let_go.set()
        response = connection.getresponse()
        answer = orjson.loads(response.read())
        connection.close()
        assert (response.status, response.getheader("Connection")) == (200, "close")
        assert [one["itemId"] for one in answer["personalizedRanking"]] == ["p00002", "p00001"]
        code, _, err = end(gateway.process)
    assert (code, "Traceback" in err) == (0, False)


def test_ctrl_c_needs_no_lame_duck(hanging: Hanging) -> None:
    """SIGINT skips the lame duck, but not the request under way; exit code 0, no traceback."""
    with running("serve", "--port", "0", env=signed(hanging.url, GATEWAY_SERVER__LAME_DUCK_S="600")) as gateway:
        connection = post(gateway.port)
        assert hanging.arrived.wait(WITHIN_S)
        gateway.process.send_signal(signal.SIGINT)
        hanging.let_go.set()
        assert connection.getresponse().status == 200
        connection.close()
        code, _, err = end(gateway.process)
    assert (code, "Traceback" in err) == (0, False)


@pytest.mark.parametrize("command", ["serve", "emulate"])
def test_a_port_in_use(gateway: Running, command: str) -> None:
    """A port that is taken is told in one line, with exit code 1."""
    done = run(command, "--port", str(gateway.port), env=signed("http://127.0.0.1:1"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"error: cannot listen on 127.0.0.1:{gateway.port}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("serve",), ("config", "check")])
def test_all_faults_of_a_configuration(command: tuple[str, ...]) -> None:
    """A bad configuration is told whole, a line for each fault, with exit code 1."""
    done = run(*command, env=environment(GATEWAY_PORT="no", GATEWAY_LOG__LEVEL="loud", GATEWAY_HOST="0.0.0.0"))  # noqa: S104
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize(
    "variables",
    [
        {"GATEWAY_CAMPAIGNS__A__ARN": "arn:aws:personalize::123456789012:campaign/a"},
        {"GATEWAY_CAMPAIGNS__A__ARN": "arn:aws:personalize:-x:123456789012:campaign/a"},
        {"GATEWAY_CAMPAIGNS__A__ARN": ARN, "AWS_PROFILE": "nobody"},
        {"GATEWAY_CAMPAIGNS__A__ARN": ARN, "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": "127.0.0.1:8081"},
        {"GATEWAY_CAMPAIGNS__A__ARN": ARN, "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": "ftp://127.0.0.1"},
        {"GATEWAY_CAMPAIGNS__A__ARN": ARN, "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": "http://127.0.0.1:99999"},
    ],
    ids=["no region", "no such region", "no such profile", "no URL", "no such scheme", "no such port"],
)
def test_what_only_the_sdk_finds_wrong(variables: dict[str, str]) -> None:
    """A region, profile or endpoint that the SDK cannot use ends the start with an error in words, no traceback."""
    done = run("serve", "--port", "0", env=environment(**variables))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_config_check(tmp_path) -> None:
    """A good configuration is told in one line, with exit code 0."""
    file = tmp_path / "gateway.toml"
    file.write_text(f'[server]\nport = 7000\n[campaigns.shop]\narn = "{ARN}"\n', encoding="utf-8")
    done = run("config", "check", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ok: 127.0.0.1:7000, cache memory://, campaigns: shop\n"
    assert run("config", "check", str(tmp_path / "missing.toml")).returncode == 1


def test_config_check_shows_no_password(tmp_path) -> None:
    """Where the cache is, is shown without its credentials."""
    file = tmp_path / "gateway.toml"
    file.write_text('[cache]\nurl = "redis://shop:hush-hush@cache:6379/1"\n', encoding="utf-8")
    done = here("config", "check", str(file))
    assert (done.returncode, "hush" in done.stdout) == (0, False)
    assert "cache redis://cache:6379/1," in done.stdout


def test_files_that_cannot_be_read(tmp_path) -> None:
    """A gateway does not start with files that it cannot read, and names all of them at once, by their settings."""
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[server]\ntls_cert_file = "{tmp_path}/a"\ntls_key_file = "{tmp_path}/b"\n'
        f'[auth]\nmode = "keys"\n[auth.tenants.shop]\nkeys_file = "{tmp_path}/c"\n',
        encoding="utf-8",
    )
    done = here("serve", "--config", str(file), "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    places = [line.split(":")[1].strip() for line in done.stderr.splitlines()]
    assert places == ["server.tls_cert_file", "server.tls_key_file", "auth.tenants.shop.keys_file"]
    assert here("config", "check", str(file)).returncode == 0


@pytest.mark.parametrize("command", ["", "serve", "demo", "emulate", "rank", "audit", "config", "config check"])
def test_help(command: str) -> None:
    """Every command explains itself."""
    done = here(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: rerank-gateway" in done.stdout


def test_the_demo() -> None:
    """The demo makes its ranking with 21 calls, finds all of the ideal top 100, and exits by itself, whatever is set
    on the machine for AWS, for a gateway, or as a proxy."""
    nowhere = "http://127.0.0.1:9"
    proxies = {"http_proxy": nowhere, "HTTPS_PROXY": nowhere}
    aws = {"AWS_PROFILE": "nobody", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_SESSION_TOKEN": "old"}
    own = {"GATEWAY_CONFIG": "/nowhere.toml", "GATEWAY_AUTH__MODE": "keys", "gateway_server__unix_socket": "/nowhere/s"}
    done = run("demo", "--once", "--port", "0", env=environment(**proxies, **aws, **own))
    assert done.returncode == 0, done.stderr
    assert re.search(r"cold +21 upstream calls", done.stdout)
    assert re.search(r"gateway +top-100 100\.0%", done.stdout)


def test_the_demo_leaves_nobody_behind() -> None:
    """SIGTERM, which is how a service manager ends a process, ends the demo's own processes too."""
    with running("demo", "--port", "0", env=environment(PYTHONUNBUFFERED="1")) as demo:
        line = demo.line
        while "serves on at" not in line:
            line = line_of(demo.process)
        ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", line)]
        children = _children(demo.process.pid)
        try:
            assert len(ports) == 2
            demo.process.send_signal(signal.SIGTERM)
            demo.process.wait(WITHIN_S)
            assert [port for port in ports if listens(port)] == []
        finally:
            for child in children:
                subprocess.run(["kill", str(child)], check=False, capture_output=True)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

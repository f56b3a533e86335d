"""`serve` where others can reach it: TLS, a Unix socket, an admin port, and callers who are asked who they are."""

import http.client
import signal
import socket
import ssl
import stat
import subprocess
from pathlib import Path

import orjson
import pytest
import trustme

from tests.process.parts import WITHIN_S, environment, line_of, run, running, signed, until
from tests.support.canaries import USER
from tests.web.keys import KEYS, sha256

ASKED = orjson.dumps({"campaign": "demo", "userId": USER, "inputList": ["p00001", "p00002"]})
NOWHERE = "http://127.0.0.1:9"
"""An upstream that refuses: these tests are about who gets in."""

AUTH = {"GATEWAY_AUTH__MODE": "keys", "GATEWAY_AUTH__TENANTS__SHOP__KEYS_SHA256": sha256(KEYS["shop"])}


def status(connection: http.client.HTTPConnection, method: str, path: str, **headers: str) -> int:
    """The status of an answer over a connection of its own."""
    connection.timeout = WITHIN_S
    connection.request(method, path, body=ASKED if method == "POST" else None, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WITHIN_S)
        self.sock.connect(str(self.path))


def test_keys_over_mutual_tls(tmp_path: Path) -> None:
    """A whole process: whoever shows a certificate gets as far as the key, and whoever has that gets in."""
    ca, clients = trustme.CA(), trustme.CA()
    server = ca.issue_cert("127.0.0.1")
    cert, key, client_ca = (tmp_path / name for name in ("cert.pem", "key.pem", "clients.pem"))
    server.private_key_pem.write_to_path(key)
    server.cert_chain_pems[0].write_to_path(cert)
    clients.cert_pem.write_to_path(client_ca)
    files = {"GATEWAY_SERVER__TLS_CERT_FILE": cert, "GATEWAY_SERVER__TLS_KEY_FILE": key}
    files["GATEWAY_SERVER__TLS_CLIENT_CA_FILE"] = client_ca
    variables = AUTH | {name: str(path) for name, path in files.items()}
    context = ssl.create_default_context()
    ca.configure_trust(context)
    with running("serve", "--port", "0", env=signed(NOWHERE, **variables)) as gateway:
        assert gateway.url.startswith("https://127.0.0.1:")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            status(http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context), "GET", "/livez")
        clients.issue_cert("caller@example.org").configure_cert(context)

        def over_tls(method: str, path: str, **headers: str) -> int:
            connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context)
            return status(connection, method, path, **headers)

        assert over_tls("GET", "/livez") == 200
        assert over_tls("POST", "/v1/rerank") == 401
        assert over_tls("POST", "/v1/rerank", **{"X-Api-Key": KEYS["shop"]}) == 503  # let in, and nobody is behind
        assert over_tls("GET", "/v1/campaigns", Authorization=f"Bearer {KEYS['shop']}") == 200


def test_a_unix_socket(tmp_path: Path) -> None:
    """A process on a Unix socket says so, answers there, and takes its file along when it ends."""
    path = tmp_path / "gateway.sock"
    with running("serve", env=signed(NOWHERE, GATEWAY_SERVER__UNIX_SOCKET=str(path))) as gateway:
        assert gateway.line.strip().endswith(f"listening on unix:{path}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert status(UnixConnection(path), "GET", "/livez") == 200
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.process.wait(WITHIN_S) == 0
    assert not path.exists()


def test_an_admin_port() -> None:
    """Health is on the admin port alone; it still answers, not ready, while the data port sees the last callers off."""
    variables = {"GATEWAY_SERVER__ADMIN_PORT": "0", "GATEWAY_SERVER__LAME_DUCK_S": "60"}
    with running("serve", "--port", "0", env=signed(NOWHERE, **variables)) as gateway:
        line = line_of(gateway.process)
        assert line.startswith("rerank-gateway admin listening on http://127.0.0.1:")
        admin = int(line.rpartition(":")[2])

        def get(port: int, path: str) -> int:
            return status(http.client.HTTPConnection("127.0.0.1", port), "GET", path)

        assert (get(admin, "/livez"), get(admin, "/readyz")) == (200, 200)
        assert (get(gateway.port, "/livez"), get(gateway.port, "/v1/campaigns")) == (404, 200)
        gateway.process.terminate()
        until(lambda: get(admin, "/readyz") == 503, "not ready")
        assert get(gateway.port, "/v1/campaigns") == 200
        gateway.process.terminate()
        assert gateway.process.wait(WITHIN_S) == 0


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A certificate, a key file, or a socket that cannot be used ends the start with one plain line."""
    junk = tmp_path / "junk"
    junk.write_text("junk")
    tls = {"GATEWAY_SERVER__TLS_CERT_FILE": str(junk), "GATEWAY_SERVER__TLS_KEY_FILE": str(junk)}
    missing = str(tmp_path / "missing")
    cases = [
        (tls, "certificate files cannot be used"),
        ({**tls, "GATEWAY_SERVER__TLS_CERT_FILE": missing}, "No such file"),
        ({**AUTH, "GATEWAY_AUTH__TENANTS__SHOP__KEYS_FILE": str(junk)}, "a line is not a SHA-256"),
        ({**AUTH, "GATEWAY_AUTH__TENANTS__SHOP__KEYS_FILE": missing}, "No such file"),
        ({"GATEWAY_SERVER__UNIX_SOCKET": str(junk)}, "cannot listen on"),
        ({"GATEWAY_AUTH__MODE": "keys"}, "must name at least one tenant"),
    ]
    for variables, words in cases:
        done = run("serve", "--port", "0", env=signed(NOWHERE, **variables))
        assert done.returncode == 1, words
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("error: ")
        assert words in line


def test_a_new_key_opens(tmp_path: Path) -> None:
    """What `keys new` prints fits together: the hash in a file lets the key in; every run makes another one."""
    printed = dict(line.split() for line in run("keys", "new", env=environment()).stdout.splitlines())
    assert sha256(printed["key"]) == printed["sha256"]
    assert printed["key"] not in run("keys", "new", env=environment()).stdout
    pair = dict(line.split() for line in run("keys", "pair", env=environment()).stdout.splitlines())
    assert pair["access_key_id"].startswith("GWAK")
    assert len(pair["secret_access_key"]) >= 40
    file = tmp_path / "keys"
    file.write_text(printed["sha256"])
    variables = {"GATEWAY_AUTH__MODE": "keys", "GATEWAY_AUTH__TENANTS__SHOP__KEYS_FILE": str(file)}
    with (
        running("emulate", "--port", "0", env=environment()) as emulator,
        running("serve", "--port", "0", env=signed(emulator.url, **variables)) as gateway,
    ):
        asked = ("rank", "--campaign", "demo", "--user", USER, "--url", gateway.url, "--json")
        assert "names no caller" in run(*asked, stdin=b"p00001\n").stderr
        done: subprocess.CompletedProcess[str] = run(*asked, "--key", printed["key"], stdin=b"p00001\np00002\n")
        assert orjson.loads(done.stdout)["total"] == 2

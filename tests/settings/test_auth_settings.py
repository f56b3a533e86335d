"""Who may call, in settings: what fits together, and every fault that is told when it does not."""

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import load
from tests.settings.parts import ARN, faults

SHA = "ab" * 32

EXAMPLE = f"""
[auth]
mode = "keys-or-sigv4"

[auth.tenants.shop]
keys_sha256 = ["{SHA}", "{SHA.replace("ab", "cd").upper()}"]
keys_file = "/run/secrets/shop-keys"
campaigns = ["storefront"]
trackers = ["tracker-1"]
rate_per_s = 100
inflight_max = 64

[[auth.tenants.shop.key_pairs]]
access_key_id = "GWAKSHOP"
secret_access_key = "0123456789abcdef"

[auth.tenants.app]
key_pairs_file = "/run/secrets/app-pairs"

[campaigns.storefront]
arn = "{ARN}"
"""


def test_the_documented_example(file: Path) -> None:
    """The example is accepted as it stands; its secrets are in no repr."""
    file.write_text(EXAMPLE)
    auth = load(file, {}).auth
    assert (auth.takes_keys, auth.takes_signatures) == (True, True)
    shop = auth.tenants["shop"]
    assert shop.keys_sha256 == (SHA, SHA.replace("ab", "cd"))
    assert (shop.campaigns, shop.trackers) == (("storefront",), ("tracker-1",))
    assert "0123456789abcdef" not in repr(auth)


def test_a_tenant_from_the_environment() -> None:
    """A tenant can be set by variables alone: lists with commas, files by their paths."""
    name = "GATEWAY_AUTH__TENANTS__SHOP__"
    variables = {
        "GATEWAY_AUTH__MODE": "keys",
        name + "KEYS_SHA256": f"{SHA},{SHA[::-1]}",
        name + "KEYS_FILE": "/run/secrets/keys",
        name + "KEY_PAIRS_FILE": "/run/secrets/pairs",
        name + "RATE_PER_S": "5.5",
    }
    shop = load(None, variables).auth.tenants["shop"]
    assert (len(shop.keys_sha256), shop.rate_per_s) == (2, 5.5)
    assert (shop.keys_file, shop.key_pairs_file) == (Path("/run/secrets/keys"), Path("/run/secrets/pairs"))


@pytest.mark.parametrize(("auth", "place"), [
    ({"mode": "keys"}, "auth.tenants"),
    ({"mode": "sigv4", "tenants": {}}, "auth.tenants"),
    ({"tenants": {"t": {"keys_sha256": [SHA]}}}, "auth.tenants"),
    ({"mode": "none", "tenants": {"t": {"keys_sha256": [SHA]}}}, "auth.tenants"),
    ({"mode": "some"}, "auth.mode"),
    ({"mode": "keys", "tenants": {"t": {}}}, "auth.tenants.t"),
    ({"mode": "sigv4", "tenants": {"t": {"keys_sha256": [SHA]}}}, "auth.tenants.t"),
    ({"mode": "keys", "tenants": {"t": {"key_pairs_file": "f"}}}, "auth.tenants.t"),
    ({"mode": "keys-or-sigv4", "tenants": {"t": {"rate_per_s": 1}}}, "auth.tenants.t"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": ["abc"]}}}, "auth.tenants.t.keys_sha256.0"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA, SHA, SHA]}}}, "auth.tenants.t.keys_sha256"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA], "campaigns": ["x"]}}}, "auth.tenants.t.campaigns"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA], "campaigns": []}}}, "auth.tenants.t.campaigns"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA], "rate_per_s": 0}}}, "auth.tenants.t.rate_per_s"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA], "inflight_max": 0}}}, "auth.tenants.t.inflight_max"),
    ({"mode": "keys", "tenants": {"a b": {"keys_sha256": [SHA]}}}, "auth.tenants.'a b'"),
    ({"mode": "keys", "tenants": {"t": {"keys_sha256": [SHA], "key": "x"}}}, "auth.tenants.t.key"),
    ({"mode": "sigv4", "tenants": {"t": {"key_pairs": [{"access_key_id": "GWAK", "secret_access_key": "short"}]}}},
     "auth.tenants.t.key_pairs.0.secret_access_key"),
])  # fmt: skip
def test_what_does_not_fit_together(auth: dict[str, Any], place: str) -> None:
    """A mode without tenants, tenants without the mode's credentials, and bad values are faults, each by its place."""
    (fault,) = faults(auth=auth)
    assert fault.split(":")[0] == place


def test_a_secret_is_not_in_its_fault() -> None:
    """A secret that is refused is not repeated."""
    pair = {"access_key_id": "GWAK", "secret_access_key": "canary-secret"}
    (fault,) = faults(auth={"mode": "sigv4", "tenants": {"t": {"key_pairs": [pair]}}})
    assert "canary" not in fault


@pytest.mark.parametrize("mode", ["keys", "sigv4", "keys-or-sigv4"])
def test_others_may_reach_it_where_they_are_asked(mode: str) -> None:
    """With a mode that asks who calls, the gateway may listen where others can reach it."""
    pair = {"access_key_id": "GWAK", "secret_access_key": "0123456789abcdef"}
    auth = {"mode": mode, "tenants": {"t": {"keys_sha256": [SHA], "key_pairs": [pair]}}}
    assert load(None, {}, {"server": {"host": "10.0.0.1"}, "auth": auth}).auth.mode == mode


@pytest.mark.parametrize(("server", "places"), [
    ({"tls_cert_file": "c"}, {"server.tls_key_file"}),
    ({"tls_key_file": "k"}, {"server.tls_cert_file"}),
    ({"tls_client_ca_file": "a"}, {"server.tls_cert_file", "server.tls_key_file"}),
    ({"tls_cert_file": "c", "tls_key_file": "k", "unix_socket": "s"}, {"server.unix_socket"}),
    ({"admin_port": 8080}, {"server.admin_port"}),
    ({"admin_port": "9000", "port": 9000}, {"server.admin_port"}),
    ({"admin_port": 65_536}, {"server.admin_port"}),
    ({"head_timeout_s": 0}, {"server.head_timeout_s"}),
    ({"connections_max": 0}, {"server.connections_max"}),
])  # fmt: skip
def test_listeners_that_cannot_be(server: dict[str, Any], places: set[str]) -> None:
    """Half a pair of files, TLS on a Unix socket, and one port for two listeners are faults."""
    assert {fault.split(":")[0] for fault in faults(server=server)} == places


@pytest.mark.parametrize("server", [
    {"tls_cert_file": "c", "tls_key_file": "k"},
    {"tls_cert_file": "c", "tls_key_file": "k", "tls_client_ca_file": "a"},
    {"unix_socket": "/run/gateway.sock", "host": "0.0.0.0"},  # noqa: S104 - a Unix socket has no address
    {"unix_socket": "/run/gateway.sock", "admin_port": 8080},
    {"admin_port": 0, "port": 0},
    {"admin_port": 9090, "admin_host": "0.0.0.0"},  # noqa: S104 - said in so many words
])  # fmt: skip
def test_listeners_that_can(server: dict[str, Any]) -> None:
    """What fits together is taken as it stands."""
    assert load(None, {}, {"server": server})

"""Settings: where a value comes from, and faults that are all told at once, each with its place."""

from pathlib import Path

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.settings import Settings, load
from gateway.settings_files import unreadable_files
from tests.settings.parts import ARN, faults

EXAMPLE = f"""
[server]
host = "127.0.0.1"
port = 8080
max_inflight = 256
deadline_ms = 1000            # default per request
drain_s = 20

[cache]
url = "memory://"             # redis://  rediss://  redis+cluster://  redis+sentinel://
fresh_s = 60
stale_s = 300
timeout_ms = 20

[campaigns.storefront]
arn = "{ARN}"
replicas = []
tps = 500
concurrency_max = 100
fallback = "none"             # or "input-order"
"""


def test_nothing_set_works() -> None:
    """Every setting has a default that works: loopback, 8080, frames in memory, any ARN."""
    settings = load(None, {})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert (settings.cache.url, dict(settings.campaigns), settings.aws_region) == ("memory://", {}, None)


def test_the_documented_example(file: Path) -> None:
    """The example of the documentation is accepted as it stands, and means what it says."""
    file.write_text(EXAMPLE, encoding="utf-8")
    settings = load(file, {})
    assert settings.server.model_dump().items() >= {"max_inflight": 256, "deadline_ms": 1000, "drain_s": 20}.items()
    campaign = settings.campaign_policies()["storefront"]
    assert (campaign.name, campaign.arns, campaign.tps) == ("storefront", (ARN,), 500)
    assert (campaign.concurrency_max, campaign.fallback) == (100, "none")


def test_precedence(file: Path) -> None:
    """An option beats the environment, which beats the file, which beats the default, setting by setting."""
    file.write_text("[server]\nport = 1\ndeadline_ms = 11\nmax_inflight = 111\n", encoding="utf-8")
    environment = {"GATEWAY_SERVER__PORT": "2", "GATEWAY_SERVER__DEADLINE_MS": "22"}
    server = load(file, environment, {"server": {"port": 3}}).server
    assert (server.port, server.deadline_ms, server.max_inflight, server.drain_s) == (3, 22, 111, 20)


@pytest.mark.parametrize(
    ("short", "full", "value"),
    [
        ("GATEWAY_PORT", "GATEWAY_SERVER__PORT", "7000"),
        ("GATEWAY_HOST", "GATEWAY_SERVER__HOST", "127.0.0.2"),
        ("GATEWAY_REDIS_URL", "GATEWAY_CACHE__URL", "memory://"),
    ],
)
def test_short_names(short: str, full: str, value: str) -> None:
    """A short name is its long one, and the long one wins where both are set."""
    assert load(None, {short: value}) == load(None, {full: value})
    assert load(None, {short: "nonsense", full: value}) == load(None, {full: value})


def test_the_file_named_by_the_environment(file: Path) -> None:
    """GATEWAY_CONFIG names the file where no path is given; a path given wins."""
    file.write_text("[server]\nport = 1\n", encoding="utf-8")
    other = file.with_name("other.toml")
    other.write_text("[server]\nport = 2\n", encoding="utf-8")
    assert load(None, {"GATEWAY_CONFIG": str(file)}).server.port == 1
    assert load(other, {"GATEWAY_CONFIG": str(file)}).server.port == 2


def test_values_from_files(file: Path) -> None:
    """`GATEWAY_..._FILE` reads a value from a file, its line end cut off; the plain variable wins over it."""
    file.write_text("7000\n", encoding="utf-8")
    assert load(None, {"GATEWAY_SERVER__PORT_FILE": str(file)}).server.port == 7000
    assert load(None, {"GATEWAY_PORT_FILE": str(file)}).server.port == 7000
    assert load(None, {"GATEWAY_SERVER__PORT_FILE": str(file), "GATEWAY_SERVER__PORT": "1"}).server.port == 1


def test_files_with_a_byte_order_mark(file: Path) -> None:
    """The mark that some editors put first belongs to neither the configuration nor a value in a file."""
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 7000\r\n")
    assert load(file, {}).server.port == 7000
    file.write_bytes(b"\xef\xbb\xbf7001\r\n")
    assert load(None, {"GATEWAY_PORT_FILE": str(file)}).server.port == 7001


def test_a_value_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file of a value that is missing, or a folder, is told by its variable."""
    for path in (tmp_path / "missing", tmp_path):
        (fault,) = faults(None, {"GATEWAY_SERVER__PORT_FILE": str(path)})
        assert fault.startswith("GATEWAY_SERVER__PORT_FILE: cannot be read")


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({}, None),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_the_region(environment: dict[str, str], region: str | None) -> None:
    """AWS_REGION comes before AWS_DEFAULT_REGION, and an empty one is none."""
    assert load(None, environment).aws_region == region


def test_all_faults_at_once_each_with_its_place(file: Path) -> None:
    """One run tells every fault of file and environment: the setting, what is wrong, and where the value stands."""
    file.write_text(
        '[server]\ndeadline_ms = 0\nprot = 1\n[cache]\nurl = "redis:x"\n'
        '[campaigns.a]\ntps = -1\n[campaigns."b c"]\narn = "x"\n'
        "[nonsense]\n",
        encoding="utf-8",
    )
    told = faults(file, {"GATEWAY_PORT": "no", "GATEWAY_HOST": "0.0.0.0", "GATEWAY_LOG__LEVEL": "loud"})  # noqa: S104
    places = {fault.split(":")[0] for fault in told}
    assert places == {
        "server.deadline_ms", "server.prot", "server.port", "server.host", "cache.url", "campaigns.a.arn",
        "campaigns.a.tps", "campaigns.b c.arn", "campaigns.'b c'", "log.level", "nonsense",
    }  # fmt: skip
    by_place = {fault.split(":")[0]: fault for fault in told}
    assert "GATEWAY_PORT" in by_place["server.port"]
    assert "GATEWAY_LOG__LEVEL" in by_place["log.level"]
    assert str(file) in by_place["server.deadline_ms"]
    assert "no such setting" in by_place["nonsense"]
    assert len(told) == 11


@pytest.mark.parametrize("name", ["GATEWAY_SERVER__PROT", "GATEWAY_CAMPAIGNS__A__TSP"])
def test_a_misspelt_variable(name: str) -> None:
    """A variable that sets nothing, inside a section, is told."""
    told = faults(None, {name: "1", "GATEWAY_CAMPAIGNS__A__ARN": ARN})
    assert [name in fault for fault in told] == [True]


@pytest.mark.parametrize("name", ["GATEWAY_SEVRER__PORT", "GATEWAY_PROT", "GATEWAY_DEADLINE_MS"])
def test_a_misspelt_variable_outside_any_section(name: str) -> None:
    """A variable with our prefix that sets nothing is told too: a typing error must not turn into a default."""
    assert [name in fault for fault in faults(None, {name: "1"})] == [True]


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "GATEWAY_SERVER__PORT", "GATEWAY_PORT_FILE"])
def test_a_fault_names_the_variable_that_was_set(file: Path, name: str) -> None:
    """A bad value is blamed on the very variable that set it, not on the one that it is short for."""
    file.write_text("no", encoding="utf-8")
    (fault,) = faults(None, {name: str(file) if name.endswith("_FILE") else "no"})
    assert fault.endswith(f"(in {name})")


def test_a_fault_within_a_list_names_the_variable_too() -> None:
    """An entry of a list is blamed on the variable that holds the list."""
    name = "GATEWAY_CAMPAIGNS__A__REPLICAS"
    (fault,) = faults(None, {"GATEWAY_CAMPAIGNS__A__ARN": ARN, name: f"{ARN}-b,nonsense"})
    assert fault.startswith("campaigns.a.replicas.1: ")
    assert fault.endswith(f"(in {name})")


def test_tables_and_lists_are_asked_for_in_plain_words(file: Path) -> None:
    """What is no table or list where one must be is told in the words of TOML, not of the program."""
    pair = "[auth]\nmode = 'sigv4'\n[auth.tenants.a]\nkey_pairs = 'x'\n"
    file.write_text(f"log = 1\ncampaigns = []\n{pair}", encoding="utf-8")
    assert faults(file) == [
        f"auth.tenants.a.key_pairs: must be a list (in {file})",
        f"log: must be a table (in {file})",
        f"campaigns: must be a table (in {file})",
    ]


@pytest.mark.parametrize(
    ("url", "files", "told"),
    [
        ("redis://a", ["ca"], ["cache.tls_ca_file: is for a URL over TLS (rediss://, ...), and cache.url is redis://"]),
        (
            "unix:///a",
            ["cert"],
            ["cache.tls_cert_file: is for a URL over TLS (rediss://, ...), and cache.url is unix://"],
        ),
        ("rediss://a", ["ca", "key"], ["cache.tls_cert_file: must be set, since cache.tls_key_file is"]),
    ],
)
def test_files_that_do_not_fit_the_cache(url: str, files: list[str], told: list[str]) -> None:
    """What the cache's client would refuse is a fault of the configuration, so `config check` tells it too."""
    variables = {f"GATEWAY_CACHE__TLS_{name.upper()}_FILE": "/a" for name in files}
    assert faults(None, {"GATEWAY_REDIS_URL": url, **variables}) == told
    with pytest.raises(ValueError, match=r"ca_file and cert_file|key_file"):
        RedisOptions(url, **{f"{name}_file": Path("/a") for name in files})
    load(None, {"GATEWAY_REDIS_URL": "rediss://a", "GATEWAY_CACHE__TLS_CERT_FILE": "/b", **variables})


def test_what_kubernetes_calls_our_port_is_none() -> None:
    """The variables that Kubernetes sets beside a Service named `gateway` set nothing, `GATEWAY_PORT` included."""
    link = "tcp://10.96.0.7:8080"
    variables = {"GATEWAY_PORT": link, "GATEWAY_PORT_8080_TCP": link, "GATEWAY_SERVICE_HOST": "10.96.0.7"}
    assert load(None, variables) == load(None, {})
    assert load(None, {**variables, "GATEWAY_SERVER__PORT": "7000"}).server.port == 7000


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory://", "memory://"),
        ("redis://cache:6379/1", "redis://cache:6379/1"),
        ("rediss://user:s%2Fecret@cache:6379/1", "rediss://cache:6379/1"),
        ("redis+sentinel://:p@ss@a,b/main", "redis+sentinel://a,b/main"),
        ("unix://user:secret@/run/redis@1.sock", "unix:///run/redis@1.sock"),
    ],
)
def test_a_cache_is_shown_without_its_password(url: str, shown: str) -> None:
    """What people are shown of the cache's URL holds no credentials."""
    assert load(None, {"GATEWAY_REDIS_URL": url}).cache.shown_url == shown


def test_a_cache_of_no_known_kind() -> None:
    """A URL of another kind is told all that there are, the one in memory first."""
    (fault,) = faults(None, {"GATEWAY_REDIS_URL": "memory"})
    assert fault.startswith("cache.url: must be memory:// or a Redis URL")


def test_all_files_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    """Files that are named and cannot be read are told together, each with its setting; good ones are not."""
    good = tmp_path / "good"
    good.touch()
    file.write_text(
        f'[server]\ntls_cert_file = "{good}"\ntls_key_file = "{tmp_path}/none"\n[auth]\nmode = "keys"\n'
        f'[auth.tenants.a]\nkeys_file = "{tmp_path}/none"\n[auth.tenants.b]\nkeys_file = "{tmp_path}"\n',
        encoding="utf-8",
    )
    told = unreadable_files(load(file, {}))
    places = ["server.tls_key_file", "auth.tenants.a.keys_file", "auth.tenants.b.keys_file"]
    assert [fault.split(":")[0] for fault in told] == places
    assert [fault.rpartition("(")[2] for fault in told] == ["No such file or directory)"] * 2 + ["Is a directory)"]


def test_an_option_is_told_as_an_option() -> None:
    """A fault of a command's option is not blamed on the environment."""
    (fault,) = faults(None, {}, server={"port": 99_999})
    assert fault.startswith("server.port: ")
    assert "environment" not in fault


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "", "example.com", "::ffff:10.0.0.1"])  # noqa: S104
def test_others_can_reach_it_only_by_choice(host: str) -> None:
    """An address that others can reach is refused without `auth.mode`, and taken with it."""
    assert "auth.mode" in faults(None, {"GATEWAY_HOST": host})[0]
    assert load(None, {"GATEWAY_HOST": host, "GATEWAY_AUTH__MODE": "none"}).server.host == host
    assert "auth.mode" in faults(None, {}, server={"host": host})[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_choice(host: str) -> None:
    """On loopback nobody has to be asked."""
    assert load(None, {"GATEWAY_HOST": host}).server.host == host


@pytest.mark.parametrize("content", [b"[server", b"\xff", b"a = 1\na = 2\n"])
def test_a_file_that_is_no_toml(file: Path, content: bytes) -> None:
    """A file that cannot be understood is told by its path, together with faults of the environment."""
    file.write_bytes(content)
    told = faults(file, {"GATEWAY_PORT": "no"})
    assert any(str(file) in fault for fault in told)
    assert any(fault.startswith("server.port") for fault in told)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a fault: the defaults do not stand in for what somebody wrote."""
    assert "cannot be read" in faults(tmp_path / "missing.toml")[0]


def test_settings_are_frozen() -> None:
    """Nothing changes a setting after the start."""
    settings: Settings = load(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]


def test_the_transport(file: Path) -> None:
    """The lean transport is the default; another is chosen by the file or the environment."""
    assert load(None, {}).transport == "lean"
    file.write_text('transport = "aiobotocore"\n', encoding="utf-8")
    assert load(file, {}).transport == "aiobotocore"
    assert load(None, {"GATEWAY_TRANSPORT": "aiobotocore"}).transport == "aiobotocore"
    assert "GATEWAY_TRANSPORT" in faults(None, {"GATEWAY_TRANSPORT": "pigeon"})[0]


@pytest.mark.parametrize("value", ["nan", "inf", "-1", ""])
@pytest.mark.parametrize("name", ["SERVER__DRAIN_S", "CACHE__FRESH_S", "SERVER__BODY_TIMEOUT_S"])
def test_seconds_are_numbers_that_end(name: str, value: str) -> None:
    """No time is infinite, negative, empty, or not a number."""
    assert len(faults(None, {f"GATEWAY_{name}": value})) == 1

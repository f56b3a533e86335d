"""The URL of a Redis: what each part means, and what is said of a wrong one."""

from pathlib import Path

import pytest

from gateway.adapters.redis_options import RedisOptions
from gateway.core.redis_url import Address, parse
from tests.support.canaries import REDIS_PASSWORD

SECRET = REDIS_PASSWORD


@pytest.mark.parametrize(
    ("url", "kind", "addresses", "database"),
    [
        ("redis://cache", "single", [("cache", 6379)], 0),
        ("redis://cache:7000/3", "single", [("cache", 7000)], 3),
        ("redis://cache?db=4", "single", [("cache", 6379)], 4),
        ("rediss://[::1]:7000", "single", [("::1", 7000)], 0),
        ("redis://[fe80::1]", "single", [("fe80::1", 6379)], 0),
        ("redis+cluster://a:1,b:2,c", "cluster", [("a", 1), ("b", 2), ("c", 6379)], 0),
        ("redis+sentinel://a:1,b/frames", "sentinel", [("a", 1), ("b", 26379)], 0),
        ("rediss+sentinel://a/frames/2", "sentinel", [("a", 26379)], 2),
    ],
)
def test_a_url_is_read(url, kind, addresses, database):
    """Hosts, ports with their defaults, and the database."""
    target = parse(url)
    assert (target.kind, target.database) == (kind, database)
    assert target.addresses == tuple(Address(*one) for one in addresses)
    assert target.tls == url.startswith("rediss")


def test_a_socket_and_its_database():
    """A Unix socket is a path with a query."""
    for scheme in ("unix", "redis+unix"):
        target = parse(f"{scheme}://user:{SECRET}@/run/a%20b.sock?db=2")
        assert (target.kind, target.path, target.database) == ("unix", "/run/a b.sock", 2)
        assert (target.username, target.password) == ("user", SECRET)


def test_credentials_are_unescaped():
    """Any character can stand in a password, percent-encoded; a user alone or a password alone is one."""
    assert parse("redis://us%3Aer:p%2F%40%3F%23@h").password == "p/@?#"
    assert parse("redis://us%3Aer:x@h").username == "us:er"
    assert (parse("redis://:x@h").username, parse("redis://:x@h").password) == (None, "x")
    assert (parse("redis://u@h").username, parse("redis://u@h").password) == ("u", None)


def test_the_service_of_sentinels_is_read():
    """It is the first part of the path."""
    assert parse("redis+sentinel://a/my%20frames").service == "my frames"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (f"http://u:{SECRET}@h", "scheme"),
        (f"u:{SECRET}@h", "scheme"),
        ("", "scheme"),
        (f"redis://u:{SECRET}@", "host"),
        (f"redis://:{SECRET}/x@h", "host"),
        (f"redis://u:{SECRET}#x@h", "fragment"),
        (f"redis://u:{SECRET}?x@h", "option"),
        (f"redis://u:{SECRET}@h?{SECRET}=1", "option"),
        (f"redis://u:{SECRET}@h:0", "port"),
        (f"redis://u:{SECRET}@h:65536", "port"),
        (f"redis://u:{SECRET}@h:", "port"),
        (f"redis://u:{SECRET}@::1", "brackets"),
        (f"redis+cluster://u:{SECRET}@a:1, b:2", "commas alone"),
        (f"redis://u:{SECRET}@h/x", "database"),
        (f"redis://u:{SECRET}@h/1?db=1", "twice"),
        (f"redis://u:{SECRET}@h/-1", "database"),
        (f"redis://u:{SECRET}@a,b", "several hosts"),
        (f"redis+cluster://u:{SECRET}@a,b/1", "cluster"),
        (f"redis+sentinel://u:{SECRET}@a,b", "service"),
        (f"unix://u:{SECRET}@", "Unix socket"),
        (f"unix://u:{SECRET}@host/path", "Unix socket"),
    ],
)
def test_a_wrong_part_is_named_and_the_password_is_not(url, part):
    """The message says which part is wrong, and quotes nothing of the URL."""
    with pytest.raises(ValueError, match=part) as caught:
        RedisOptions(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": float("nan")}, "timeout_ms"),
        ({"connections_max": 0}, "connections_max"),
        ({"compression": 10}, "compression"),
        ({"key_file": Path("k")}, "cert_file"),
        ({"ca_file": Path("ca")}, "rediss"),
    ],
)
def test_a_wrong_number_is_named(wrong, part):
    """Options that make no sense are refused when they are made."""
    with pytest.raises(ValueError, match=part):
        RedisOptions("redis://h", **wrong)


def test_no_secret_is_shown():
    """The repr tells the place, and neither password."""
    options = RedisOptions(f"redis://u:{SECRET}@h", password=SECRET, sentinel_password=SECRET)
    assert SECRET not in repr(options)
    assert "host='h'" in repr(options)
    assert options.target.place == "h:6379"

"""Bearer keys: who is let in, in whose name, what others are told, and keys that change."""

from pathlib import Path
from typing import Any

import pytest

from gateway.web import watched
from gateway.web.callers import BadKeyFile, Callers
from tests.support.virtual_clock import SetClock
from tests.web.conftest import Connect
from tests.web.keys import KEYS, PAIRS, auth, bearer, sha256, tenant
from tests.web.parts import NATIVE, WIRE, Client, exchange, head, native, send, wire

KEY = KEYS["shop"]


@pytest.fixture
async def locked(connect: Connect) -> Client:
    """A gateway that asks for a key or a signature."""
    return await connect(auth=auth())


@pytest.mark.parametrize("headers", [
    {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}, {"Authorization": f"BEARER   {KEY}"},
    {"X-Api-Key": KEY},
])  # fmt: skip
@pytest.mark.parametrize(("path", "asked"), [(NATIVE, native), (WIRE, wire)])
async def test_a_key_lets_in(locked: Client, lines: list[Any], path: str, asked: Any, headers: dict[str, str]) -> None:
    """A tenant's key opens both APIs, in either header; the access line names the tenant."""
    assert (await send(locked, path, asked(), **headers)).status == 200
    assert lines[-1]["tenant"] == "shop"


async def test_probes_need_no_key(locked: Client) -> None:
    """A kubelet has no key: it may ask whether the process lives and is ready."""
    for path in ("/livez", "/readyz"):
        assert (await locked.get(path)).status == 200
    assert (await locked.get("/nowhere")).status == 404


async def test_the_refusal_does_not_wait_for_the_body(locked: Client) -> None:
    """Nobody's body is read."""
    assert (await exchange(locked, head(NATIVE, length=1_000))).status == 401


async def test_keys_where_signatures_are_asked_for(connect: Connect) -> None:
    """In mode `sigv4` a key opens nothing, and the refusal says what is asked for."""
    client = await connect(auth=auth("sigv4"))
    response = await send(client, NATIVE, native(), **bearer("shop"))
    assert response.status == 401
    assert "signature" in await response.text()


async def test_without_authentication_a_key_does_not_matter(connect: Connect) -> None:
    """Where nobody is asked, a key that is sent all the same does no harm: SDKs sign whether or not it counts."""
    client = await connect()
    assert (await send(client, NATIVE, native(), Authorization="AWS4-HMAC-SHA256 nonsense")).status == 200


async def test_two_live_keys(connect: Connect) -> None:
    """During a rotation the old and the new key open alike, in the same name."""
    client = await connect(auth=auth(shop=tenant("shop", keys_sha256=[sha256("old-key"), sha256("new-key")])))
    for key in ("old-key", "new-key"):
        assert (await send(client, NATIVE, native(), **{"X-Api-Key": key})).status == 200
    assert (await send(client, NATIVE, native(), **bearer("shop"))).status == 401


async def test_no_secret_is_told(connect: Connect, lines: list[Any], caplog: Any) -> None:
    """Neither keys nor secrets nor hashes stand in answers, logs, or reprs of settings."""
    settings = auth()
    client = await connect(auth=settings)
    told = repr(settings) + repr(client.app._state)
    for headers in (bearer("shop"), {"X-Api-Key": f"{KEY}x"}, {"Authorization": f"AWS4-HMAC-SHA256 {KEY}"}):
        response = await send(client, NATIVE, native(), **headers)
        told += f"{response.headers}{await response.text()}"
    told += f"{lines}{caplog.text}"
    for secret in (*KEYS.values(), *(secret for _, secret in PAIRS.values())):
        assert secret not in told


def callers(clock: SetClock, **tenants: Any) -> Callers:
    """The callers of tenants who have files alone."""
    return Callers(auth(**{name: {f"{kind}_file": path} for name, (kind, path) in tenants.items()}), clock)


def test_keys_from_a_file_follow_it(tmp_path: Path) -> None:
    """A file's keys are in force, its comments are not; after a change the new ones are, within a second."""
    path, clock = tmp_path / "keys", SetClock()
    path.write_text(f"# of spring\n{sha256('one')}\n\n  {sha256('two').upper()}  \n")
    known = callers(clock, shop=("keys", path))
    assert all(known.by_key(key) for key in ("one", "two"))
    path.write_text(f"{sha256('two')}\n{sha256('three')}\n")
    assert known.by_key("one")
    clock.now_s += watched.LOOK_EVERY_S
    assert [bool(known.by_key(key)) for key in ("one", "two", "three")] == [False, True, True]
    path.write_text("")
    clock.now_s += watched.LOOK_EVERY_S
    assert known.by_key("two") is None


A = sha256("a")
WRONG = ["junk", f"{A}x", "\n".join(map(sha256, "abc")), f"{A}\n{A}", "x" * 100_000, "\udcff", None]


@pytest.mark.parametrize("content", WRONG)
def test_a_key_file_that_went_wrong(tmp_path: Path, lines: list[Any], content: str | None) -> None:
    """A file that cannot be used stops the start; after a change it leaves the old keys in force, and is logged."""
    path, clock = tmp_path / "keys", SetClock()
    path.write_text(sha256("one"))
    known = callers(clock, shop=("keys", path))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    clock.now_s += watched.LOOK_EVERY_S
    assert known.by_key("one")
    assert [line["event"] for line in lines] == ["changed files cannot be used"]
    with pytest.raises((BadKeyFile, OSError, UnicodeDecodeError)):
        callers(clock, shop=("keys", path))


def test_key_pairs_from_a_file_follow_it(tmp_path: Path) -> None:
    """A file of key pairs is read the same way; a line that is no pair is none."""
    path, clock = tmp_path / "pairs", SetClock()
    path.write_text("GWAK1 secret-number-one-1\n# GWAK9 no\nGWAK2\tsecret-number-two-2\n")
    known = callers(clock, shop=("key_pairs", path))
    assert known.by_key_id("GWAK1") is not None
    assert known.by_key_id("GWAK9") is None
    for bad in ("GWAK1", "GWAK1 short", "GWAK1 secret-number-one-1 more"):
        path.write_text(bad)
        with pytest.raises(BadKeyFile, match="ACCESS_KEY_ID SECRET"):
            callers(clock, shop=("key_pairs", path))


def test_a_key_is_one_tenants(tmp_path: Path) -> None:
    """A key or key id that two tenants have is a fault: whose name would it be?"""
    keys, pairs = tmp_path / "keys", tmp_path / "pairs"
    keys.write_text(sha256("one"))
    pairs.write_text("GWAK1 secret-number-one-1")
    for kind, path in (("keys", keys), ("key_pairs", pairs)):
        with pytest.raises(BadKeyFile, match=r"auth\.tenants\.app: has a key that was given before"):
            callers(SetClock(), shop=(kind, path), app=(kind, path))

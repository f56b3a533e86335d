"""The console as it is served: open, complete, closed to everything of elsewhere; its numbers only for who may see
them."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.core.errors import Unavailable
from gateway.core.routing import Campaign
from gateway.settings import ServerSettings
from gateway.web import console
from gateway.web.app import build_admin_app, build_app
from gateway.web.console_live import LIVE
from tests.support.gateway_parts import ARN, make_service
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.keys import auth, bearer, tenant
from tests.web.parts import LOGITS, NATIVE, Client, items, native, send

SOURCES = Path(console.__file__).parent / "console_ui"


async def live(client: Client, **headers: str) -> dict[str, Any]:
    """The numbers."""
    response = await client.get(LIVE, headers=headers)
    assert (response.status, response.headers["Cache-Control"]) == (200, "private, no-store")
    told: dict[str, Any] = orjson.loads(await response.read())
    return told


async def test_the_page_is_made_of_our_files(client: Client) -> None:
    """Everything that the page loads, and all that its scripts load, is served here, with its type, for ever, under a
    name that changes with it."""
    page = await client.get("/console")
    text = await page.text()
    loaded = set(re.findall(r'(?:src|href)="([^"]+)"', text))
    assert (page.status, page.content_type, page.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    assert {path.rpartition("/")[2] for path in loaded} == set(console.FILES)
    for path in loaded:
        file = await client.get(f"/{path}")
        assert re.fullmatch(r"console/[0-9a-f]{16}/[\w.]+", path)
        assert (file.status, file.content_type) == (200, console.TYPES[path.rpartition(".")[2]])
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        imported = re.findall(r"""(?:^|;)import\b[^;]*?["']([^"']+)["']""", await file.text(), re.MULTILINE)
        assert {name.removeprefix("./") for name in imported} <= set(console.FILES)


async def test_nothing_else_may_load_or_run(client: Client) -> None:
    """The policy allows scripts, styles and data of this server alone, none inline, and no page around this one."""
    page = await client.get("/console")
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["img-src"] == "'self'"
    assert not re.search(r"<script>|<style| style=| on\w+=", await page.text())


@pytest.mark.parametrize("name", ["copy.mjs", "package.json", "README.md", "..%2F..%2Fapp.py", "vendor/htm.js"])
async def test_only_those_files(client: Client, name: str) -> None:
    """No other name leads to a file, nor does a right one under another build."""
    build = re.findall(r"console/([0-9a-f]{16})/app.js", await (await client.get("/console")).text())[0]
    assert (await client.get(f"/console/{build}/app.js")).status == 200
    assert (await client.get(f"/console/{build}/{name}")).status == 404
    assert (await client.get("/console/0123456789abcdef/app.js")).status == 404


def test_every_source_is_served_and_kept() -> None:
    """No file lies there that nobody asks for, and those of others say whose they are, at the versions of the lock."""
    there = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.*") if "node_modules" not in path.parts}
    kept = {"README.md", *(f"vendor/{name}" for name in ("copy.mjs", "package.json", "package-lock.json"))}
    assert there == set(console.FILES.values()) | kept
    locked = orjson.loads((SOURCES / "vendor/package-lock.json").read_bytes())["packages"]
    for file, name in {"preact.js": "preact", "hooks.js": "preact", "htm.js": "htm"}.items():
        head = (SOURCES / "vendor" / file).read_text().partition("\n")[0]
        assert f"{name} {locked[f'node_modules/{name}']['version']}" in head
        assert (SOURCES / f"vendor/LICENSE-{name}").stat().st_size > 1_000
    for file in console.FILES.values():
        assert not re.search(r"https?://(?!www\.w3\.org/)|sourceMappingURL", (SOURCES / file).read_text())


async def test_what_it_tells(client: Client) -> None:
    """Rankings, calls, candidates out of the cache, campaigns, and what stands behind: counted since the start."""
    before = await live(client)
    assert (before["calls"], before["all"]["rankings"]["total"]) == ({"billed": 0, "saved": 0}, 0)
    for _ in range(2):
        assert (await send(client, NATIVE, native(items(600)))).status == 200
    assert (await send(client, NATIVE, native(campaign="no-such"))).status == 404
    after = await live(client)
    everything = after["all"]
    assert after["nowS"] > before["nowS"]
    assert after["calls"] == {"billed": 2, "saved": 2}
    assert everything["rankings"] == {"total": 2, "degraded": {}, "candidates": 1_200, "cached": 600}
    assert everything["requests"] == {"total": 3, "failed": 0}
    assert sum(everything["latency"]["counts"]) == 3
    assert len(everything["latency"]["counts"]) == len(everything["latency"]["bounds"]) + 1
    assert (everything["inflight"]["underWay"], everything["inflight"]["refused"]) == (0, 0)
    assert [one["name"] for one in after["campaigns"]] == ["demo"]
    assert after["campaigns"] == orjson.loads(await (await client.get("/v1/campaigns")).read())["campaigns"]


async def test_degraded_answers_are_told_by_reason(connect: Connect) -> None:
    """An answer that is not whole is counted under its reason."""
    failing = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("away"))
    client = await connect(ranker=failing, campaigns={"demo": Campaign("demo", ARN, fallback="input-order")})
    assert (await send(client, NATIVE, native())).headers["Gateway-Degraded"] == "fallback"
    assert (await live(client))["all"]["rankings"]["degraded"] == {"fallback": 1}


async def test_everybody_sees_the_page_and_each_their_own(connect: Connect) -> None:
    """Where callers are asked who they are, the page is open to anybody and says so; its numbers need a key, and are
    those of its tenant's campaigns and calls."""
    tenants = auth(shop=tenant("shop", campaigns=["demo"]), app=tenant("app", campaigns=["other"]))
    campaigns = {name: Campaign(name, ARN) for name in ("demo", "other")}
    client = await connect(auth=tenants, campaigns=campaigns)
    assert 'data-asks="keys" data-ranks="yes"' in await (await client.get("/console")).text()
    assert (await client.get(LIVE)).status == 401
    assert (await send(client, NATIVE, native(), **bearer("shop"))).status == 200
    seen = {name: await live(client, **bearer(name)) for name in ("shop", "app")}
    assert [one["name"] for one in seen["shop"]["campaigns"]] == ["demo"]
    assert [one["name"] for one in seen["app"]["campaigns"]] == ["other"]
    assert (seen["shop"]["calls"]["billed"], seen["app"]["calls"]["billed"]) == (1, 0)
    assert seen["shop"]["all"] is seen["app"]["all"] is None


@pytest.mark.parametrize(("mode", "asks"), [("none", "nobody"), ("sigv4", "signatures"), ("keys-or-sigv4", "keys")])
async def test_the_page_knows_whom_it_has_to_name(connect: Connect, mode: str, asks: str) -> None:
    """It asks for a key where one is taken, and says so where only signatures are."""
    client = await connect(auth=auth(mode))
    assert f'data-asks="{asks}"' in await (await client.get("/console")).text()


async def test_with_an_admin_port_it_is_there(connect: Connect, aiohttp_client: Any) -> None:
    """It moves to the admin port, which has the numbers of all, of the data port's traffic, and ranks nothing."""
    service, server = make_service(SoftmaxRanker(lambda _: LOGITS)), ServerSettings(admin_port=0)
    data: Client = await aiohttp_client(build_app(service, server, auth()))
    admin: Client = await aiohttp_client(build_admin_app(service, server))
    assert {(await data.get(path, headers=bearer("shop"))).status for path in ("/console", LIVE)} == {404}
    assert 'data-asks="nobody" data-ranks="no"' in await (await admin.get("/console")).text()
    assert (await send(data, NATIVE, native(), **bearer("shop"))).status == 200
    told = await live(admin)
    assert (told["calls"]["billed"], told["all"]["rankings"]["total"]) == (1, 1)
    assert (await send(admin, NATIVE, native(), **bearer("shop"))).status == 404

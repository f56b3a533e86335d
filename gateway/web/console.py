"""`GET /console`: a page where one looks instead of reads: a playground for rankings, and the numbers as they are now.

The page and its files (`console_ui/`, see the README there) are the same for everybody and open to anybody; what they
show is asked of the API in the name of whoever looks, by a key that the page keeps in memory. Nothing may load from
elsewhere or run inline.

On the admin port nobody is asked who they are, so nothing is ranked there in anybody's name: it has the live page
alone. All files stand under a digest of all of them, so they find each other by relative names and never change.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import Final

from aiohttp import web

from gateway.settings_auth import AuthSettings
from gateway.web.console_live import LIVE, live
from gateway.web.docs import FOR_EVER

CONSOLE: Final = "/console"
CONSOLE_FILE: Final = "/console/{build}/{file}"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

TYPES: Final = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

FILES: Final = {
    name.rpartition("/")[2]: name
    for name in (
        "answer.js",
        "api.js",
        "app.js",
        "calls.js",
        "campaign.js",
        "candidates.js",
        "kit.js",
        "live.js",
        "numbers.js",
        "order.js",
        "plan.js",
        "playground.js",
        "spark.js",
        "style.css",
        "icon.svg",
        "vendor/htm.js",
        "vendor/hooks.js",
        "vendor/preact.js",
    )
}
"""Files that the page is made of, by the names under which they are served."""

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>rerank-gateway</title>
<link rel="icon" href="console/{build}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="console/{build}/style.css">
{preloads}
<script type="module" src="console/{build}/app.js"></script>
</head>
<body>
<div id="console" data-asks="{asks}" data-ranks="{ranks}"></div>
<noscript>The console needs JavaScript. The same numbers: /v1/campaigns, /metrics.</noscript>
</body>
</html>
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def console_gets(auth: AuthSettings | None) -> dict[str, Handler]:
    """The routes of the console; `auth` says whom its page has to name, None on the admin port, which ranks nothing."""
    text = _page(_asks(auth), "no" if auth is None else "yes")

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", headers={**GUARDS, "Cache-Control": "no-cache"})

    return {CONSOLE: page, LIVE: live, CONSOLE_FILE: console_file}


async def console_file(http: web.Request) -> web.Response:
    """A file of the page, under a directory that is named after the content of all of them."""
    name = FILES.get(http.match_info["file"])
    if name is None or http.match_info["build"] != _build():
        raise web.HTTPNotFound
    kind = TYPES[name.rpartition(".")[2]]
    return web.Response(
        body=_bytes(name), content_type=kind, charset="utf-8", headers={**GUARDS, "Cache-Control": FOR_EVER}
    )


def _asks(auth: AuthSettings | None) -> str:
    if auth is None or not (auth.takes_keys or auth.takes_signatures):
        return "nobody"
    return "keys" if auth.takes_keys else "signatures"


def _page(asks: str, ranks: str) -> str:
    scripts = [name for name in FILES if name.endswith(".js")]
    preloads = "\n".join(f'<link rel="modulepreload" href="console/{_build()}/{name}">' for name in scripts)
    return PAGE.format(build=_build(), preloads=preloads, asks=asks, ranks=ranks)


@cache
def _build() -> str:
    """What all files say, as a name."""
    digest = hashlib.blake2b(digest_size=8)
    for name in FILES.values():
        digest.update(_bytes(name))
    return digest.hexdigest()


@cache
def _bytes(name: str) -> bytes:
    return (resources.files("gateway.web") / "console_ui" / name).read_bytes()

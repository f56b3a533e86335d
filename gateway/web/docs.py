"""`GET /openapi.json`, and `GET /docs`, which shows it: a page that works without internet.

The viewer is Swagger UI, vendored in `docs_ui/` (see the README there). Nothing of it may load from elsewhere or run
inline: the policy below lets the page take scripts, styles, images and data from this server alone. Styles may stand
in elements (the viewer sets them by script), and it has its icons as `data:` images.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import Final

import orjson
from aiohttp import web

from gateway.web.openapi import document
from gateway.web.problems import JSON

DOCS: Final = "/docs"
DOCS_FILE: Final = "/docs/{file}"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"

FILES: Final[dict[str, str]] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
"""Files that the page is made of, and their types."""

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rerank-gateway</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/{css}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/{bundle}"></script>
<script src="docs/{start}"></script>
</body>
</html>
"""


async def openapi(_: web.Request) -> web.Response:
    """The description."""
    return web.Response(body=_description(), headers={"Content-Type": JSON, "Cache-Control": "no-cache"})


async def docs(_: web.Request) -> web.Response:
    """The page."""
    return web.Response(text=_page(), content_type="text/html", headers={**GUARDS, "Cache-Control": "no-cache"})


async def docs_file(http: web.Request) -> web.Response:
    """A file of the page, under a name that has its digest in it: what it is called never changes its bytes."""
    name = _names().get(http.match_info["file"])
    if name is None:
        raise web.HTTPNotFound
    headers = {**GUARDS, "Cache-Control": FOR_EVER}
    return web.Response(body=_bytes(name), content_type=FILES[name], charset="utf-8", headers=headers)


GETS: Final[dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = {
    "/openapi.json": openapi,
    DOCS: docs,
    DOCS_FILE: docs_file,
}


@cache
def _description() -> bytes:
    return orjson.dumps(document())


@cache
def _page() -> str:
    named = {name: digested for digested, name in _names().items()}
    return PAGE.format(css=named["swagger-ui.css"], bundle=named["swagger-ui-bundle.js"], start=named["start.js"])


@cache
def _names() -> dict[str, str]:
    """The files by the names under which they are served: `swagger-ui.1f3a....css`."""
    return {f"{name.rpartition('.')[0]}.{_digest(name)}.{name.rpartition('.')[2]}": name for name in FILES}


@cache
def _bytes(name: str) -> bytes:
    return (resources.files("gateway.web") / "docs_ui" / name).read_bytes()


def _digest(name: str) -> str:
    return hashlib.blake2b(_bytes(name), digest_size=8).hexdigest()

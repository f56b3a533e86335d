"""`/docs` works without internet, and lets nothing of elsewhere in."""

import re
from pathlib import Path

import pytest

from gateway.web import docs
from tests.web.parts import Client

VENDORED = Path(docs.__file__).parent / "docs_ui"


async def test_the_page_is_made_of_our_files(client: Client) -> None:
    """Everything that the page loads is served here, with its type, for ever, under a name that changes with it."""
    page = await client.get("/docs")
    text = await page.text()
    loaded = re.findall(r'(?:src|href)="(?!data:,")([^"]+)"', text)
    assert (page.status, page.content_type, len(loaded)) == (200, "text/html", 3)
    for path in loaded:
        assert re.fullmatch(r"docs/[\w.-]+\.[0-9a-f]{16}\.(js|css)", path)
        file = await client.get(f"/{path}")
        assert file.status == 200
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert file.content_type == ("text/css" if path.endswith(".css") else "text/javascript")


async def test_nothing_else_may_load_or_run(client: Client) -> None:
    """The policy allows scripts of this server alone, none inline, and no page around this one."""
    page = await client.get("/docs")
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in await page.text()
    assert page.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["start.js", "swagger-ui.css", "LICENSE", "..%2Fapp.py", "%2e%2e/%2e%2e/app.py"])
async def test_only_those_files(client: Client, name: str) -> None:
    """No other name leads to a file, whatever lies in the directory or above it."""
    assert (await client.get(f"/docs/{name}")).status == 404


def test_what_is_vendored_says_whose_it_is() -> None:
    """The licence and notice lie beside the files, and no file asks for a source map that is not there."""
    assert "Apache License" in (VENDORED / "LICENSE").read_text()
    assert "SmartBear" in (VENDORED / "NOTICE").read_text()
    assert re.search(r"swagger-ui-dist` \d+\.\d+\.\d+", (VENDORED / "README.md").read_text())
    for name in docs.FILES:
        assert "sourceMappingURL" not in (VENDORED / name).read_text(encoding="utf-8")

"""A browser that is watched: what it complains of, and where it asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests.console.browser import FLAGS, REMEDY, environment, found

WITHIN_MS = 60_000
"""Only ends a test that would hang."""

DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}

GRAVE = {"serious", "critical"}
"""How axe-core calls faults that keep people out."""


@contextmanager
def browsing(playwright: Playwright) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    path = found()
    assert path is not None, REMEDY
    browser = playwright.chromium.launch(executable_path=path, args=FLAGS, env=environment())
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Watched:
    """A page, its complaints, and all addresses that it asked."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def expect_calm(self, *, but: str | None = None) -> None:
        """Nothing was complained of, `but` apart, and nothing was asked of anybody else."""
        assert [one for one in self.complaints if but is None or but not in one] == []
        assert {origin_of(one) for one in self.asked} == {self.origin}


@contextmanager
def looking(browser: Browser, url: str, **how: Any) -> Iterator[Watched]:
    """A new page at an address, in a context of its own; `how` as of `Browser.new_context`."""
    context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **how})
    context.set_default_timeout(WITHIN_MS)
    page = context.new_page()
    watched = Watched(page, origin_of(url))

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", lambda request: watched.asked.append(request.url))
    try:
        page.goto(url)
        yield watched
    finally:
        context.close()


def rank(page: Page, size: str, user: str) -> None:
    """Ask for a ranking of a sample, when the page has its campaign, and wait until what came of it is shown."""
    expect(page.get_by_label("Campaign")).not_to_have_value("")
    page.get_by_role("button", name=size, exact=True).click()
    page.get_by_label("User").fill(user)
    with page.expect_response("**/v1/rerank"):
        page.get_by_role("button", name=f"Rank {size}").click()
    page.locator(".results[aria-busy=false]").wait_for()


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def grave_faults(page: Page) -> list[str]:
    """What axe-core finds that keeps people out, and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]

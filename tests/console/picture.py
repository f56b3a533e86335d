"""`python -m tests.console.picture FILE`: the README's picture of the console, taken anew: a ranking of 10,000."""

import sys
import tempfile
from contextlib import ExitStack

from playwright.sync_api import sync_playwright

from tests.console.pages import browsing, looking, rank
from tests.process.parts import running, signed

SIZE = {"width": 1360, "height": 1290}

SLOW = "latency_ms = 30\nslow_share = 0.06\nslow_ms = 500\n"
"""A few slow calls, so that hedges are seen."""

USERS_MAX = 20
"""Ranked for until one call was slow, and its hedge was first."""


def main(path: str) -> None:
    """Take it."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config, ExitStack() as stack:
        config.write(SLOW)
        config.flush()
        emulator = stack.enter_context(running("emulate", "--port", "0", "--config", config.name, env=signed("")))
        hedging = signed(emulator.url, GATEWAY_CAMPAIGNS__DEMO__EXTRA_SHARE="0.1")
        gateway = stack.enter_context(running("serve", "--port", "0", env=hedging))
        browser = stack.enter_context(browsing(stack.enter_context(sync_playwright())))
        watched = stack.enter_context(looking(browser, f"{gateway.url}/console", viewport=SIZE))
        page = watched.page
        for number in range(1, USERS_MAX):
            rank(page, "10,000", f"user-{number}")
            if page.locator("tr.hedge").count() == page.locator("tr.hedge .ok").count() == 1:
                break
        page.screenshot(path=path)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The console in a real browser, before whole processes: a gateway, and a local Personalize that can be ended."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.pages import PHONE, WITHIN_MS, browsing, grave_faults, looking, rank
from tests.process.parts import Running, line_of, running, signed
from tests.web.keys import KEYS, sha256

expect.set_options(timeout=WITHIN_MS)

CALLS = 21
"""Of a cold ranking of 10,000."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with sync_playwright() as playwright, browsing(playwright) as opened:
        yield opened


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """A local Personalize."""
    with running("emulate", "--port", "0", env=signed("")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def gateway(emulator: Running) -> Iterator[Running]:
    """A gateway in front of it."""
    with running("serve", "--port", "0", env=signed(emulator.url)) as gateway:
        yield gateway


def rows(page: Page, table: str) -> int:
    """How many rows a table has, by its name."""
    return page.get_by_role("region", name=table, exact=True).locator("tbody tr").count()


def tile(page: Page, label: str) -> str:
    """What a tile says."""
    return page.locator(".tile", has=page.get_by_text(label, exact=True)).locator(".figure").inner_text()


def test_a_ranking_is_laid_open(browser: Browser, gateway: Running) -> None:
    """A cold ranking of 10,000 shows its 21 calls and chunks, the moves and where scores come from; the same again
    shows that nothing was asked; and all that is without a complaint, or a request to anybody else."""
    with looking(browser, f"{gateway.url}/console") as watched:
        page = watched.page
        rank(page, "10,000", "user-1")
        assert (rows(page, "Calls"), rows(page, "Chunks")) == (CALLS, CALLS)
        assert tile(page, "Billed calls") == str(CALLS)
        expect(page.get_by_text(f"{CALLS} calls, {CALLS} attempts")).to_be_visible()
        first = page.get_by_role("region", name="Ranking", exact=True).locator("tbody tr").first.inner_text()
        rank_, item, _, was_at, moved, source, *_ = first.split("\t")
        assert (rank_.strip(), source.strip()) == ("1", "fresh")
        place = int(item.strip().removeprefix("p"))
        assert int(was_at.replace(",", "")) == place
        assert int(re.sub(r"\D", "", moved)) == place - 1
        page.get_by_label("Find").fill("p00042")
        expect(page.locator("tr.sought th")).to_have_text("p00042")
        rank(page, "10,000", "user-1")
        expect(page.get_by_text("None: everything was known.")).to_be_visible()
        assert (tile(page, "Billed calls"), tile(page, "From the cache")) == ("0", "100 %")
        watched.expect_calm()


def test_elsewhere_is_out_of_reach(browser: Browser, gateway: Running, emulator: Running) -> None:
    """The policy lets the page ask nobody else, and run nothing that is not a file of this server; what it forbids is
    noticed by these tests."""
    with looking(browser, f"{gateway.url}/console") as watched:
        fetched = "url => fetch(url).then(() => 'reached', () => 'kept')"
        assert watched.page.evaluate(fetched, f"{emulator.url}/_emulator/stats") == "kept"
        inline = "document.body.append(Object.assign(document.createElement('script'), {text: 'ran = 1'}))"
        watched.page.evaluate(inline)
        assert watched.page.evaluate("typeof ran") == "undefined"
        with pytest.raises(AssertionError):
            watched.expect_calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(browser: Browser, gateway: Running, scheme: str) -> None:
    """Neither page has a serious fault of accessibility, and neither is wider than a phone."""
    with looking(browser, f"{gateway.url}/console", color_scheme=scheme) as watched:
        page = watched.page
        page.get_by_text("Context and filter").click()
        rank(page, "1,000", "user-2")
        assert grave_faults(page) == []
        page.get_by_role("link", name="Live").click()
        expect(page.get_by_role("heading", name="demo")).to_be_visible()
        assert grave_faults(page) == []
        page.set_viewport_size(PHONE)
        for name in ("Live", "Playground"):
            page.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        watched.expect_calm()
        page.evaluate("document.body.replaceChildren(document.getElementById('campaign'))")
        assert "label" in "".join(grave_faults(page))  # such a fault would have been found


def test_by_keyboard_alone(browser: Browser, gateway: Running) -> None:
    """A ranking can be asked for and read without a pointer, and what has the focus is seen."""
    with looking(browser, f"{gateway.url}/console") as watched:
        page = watched.page
        expect(page.get_by_label("Campaign")).to_have_value("demo")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("Campaign")).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("user-3")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("status").filter(has_text="1,000 items ranked")).to_be_attached()
        watched.expect_calm()


def test_what_is_pasted_and_what_is_wrong(browser: Browser, gateway: Running) -> None:
    """Pasted ids are ranked, filters go along, and an error is told with all its members."""
    with looking(browser, f"{gateway.url}/console") as watched:
        page = watched.page
        page.get_by_text("Paste", exact=True).click()
        page.get_by_label("Item ids").fill('["p00003", "p00001", "p00002"]')
        page.get_by_role("button", name="Rank 3").click()
        expect(page.get_by_role("heading", name="3 items in")).to_be_visible()
        page.get_by_label("Item ids").fill("ITEM_ID,TITLE\np00003,A chair\n" + "x" * 257)
        page.get_by_role("button", name="Rank 2").click()
        told = page.locator(".notice.bad")
        expect(told).to_contain_text("Members of the request break rules")
        expect(told).to_contain_text("#/inputList")
        expect(told).to_contain_text("urn:rerank-gateway:problem:bad-members")
        watched.expect_calm(but="status of 422")


def test_the_numbers_of_the_page(browser: Browser, gateway: Running) -> None:
    """Quantiles, rates and samples are computed as they are said to be."""
    with looking(browser, f"{gateway.url}/console") as watched:
        page = watched.page
        folder = page.evaluate("document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '')")

        def computed(file: str, what: str) -> object:
            name = what.partition("(")[0]
            return page.evaluate(f"import('{folder}{file}').then(({{{name}}}) => {what})")

        buckets = "{bounds: [10, 20, 40], counts: [5, 4, 0, 1]}"
        assert computed("numbers.js", f"quantile({buckets}, 0.5)") == 10
        assert computed("numbers.js", f"quantile({buckets}, 0.7)") == 15
        assert computed("numbers.js", f"quantile({buckets}, 0.99)") == 40
        assert computed("numbers.js", "quantile({bounds: [10], counts: [0, 0]}, 0.5)") is None
        assert computed("numbers.js", "perSecond({nowS: 14, n: 9}, {nowS: 12, n: 3}, (one) => one.n)") == 3
        assert computed("candidates.js", "fromPattern({prefix: 'a', from: 9, to: 10, digits: 3})") == ["a009", "a010"]
        assert computed("candidates.js", "fromText('item_id;x\\n\"a,b\";1\\n c ;2\\n')") == ["a,b", "c"]
        assert sorted(computed("candidates.js", "shuffled(['a', 'b', 'c', 'd'], 1)")) == ["a", "b", "c", "d"]  # type: ignore[call-overload]
        assert computed("candidates.js", "pairs('A=1\\n B = x=y ')") == {"A": "1", "B": "x=y"}
        assert [computed("candidates.js", f"coldCalls({size})") for size in (0, 500, 501, 10_000)] == [0, 1, 2, CALLS]


def test_when_upstream_dies(browser: Browser) -> None:
    """With the campaign away the answer is flagged and the calls that failed are seen; the live page has the open
    breaker and the degraded answers; and when the gateway goes too, it says so, and nothing is lost of the form."""
    with ExitStack() as stack:
        emulator = stack.enter_context(running("emulate", "--port", "0", env=signed("")))
        fallback = signed(emulator.url, GATEWAY_CAMPAIGNS__DEMO__FALLBACK="input-order")
        gateway = stack.enter_context(running("serve", "--port", "0", env=fallback))
        watched = stack.enter_context(looking(browser, f"{gateway.url}/console"))
        page = watched.page
        rank(page, "10,000", "user-4")
        expect(page.get_by_text("whole", exact=True)).to_be_visible()
        emulator.process.kill()
        emulator.process.wait()
        rank(page, "10,000", "user-5")
        expect(page.get_by_text("Degraded: fallback", exact=True)).to_be_visible()
        assert page.locator(".waterfall .bad").count() == CALLS
        page.get_by_role("link", name="Live").click()
        expect(page.get_by_role("status").filter(has_text="demo: breaker open")).to_be_visible()
        expect(page.get_by_role("region", name="ARNs of demo").get_by_text("open", exact=True)).to_be_visible()
        expect(page.locator(".figure-box", has_text="Degraded")).to_contain_text("fallback 1")
        watched.expect_calm()
        gateway.process.kill()
        gateway.process.wait()
        expect(page.get_by_text("The gateway does not answer")).to_be_visible()
        page.get_by_role("link", name="Playground").click()
        page.get_by_role("button", name="Rank 10,000").click()
        expect(page.locator(".results .notice").get_by_text("The gateway does not answer")).to_be_visible()
        expect(page.get_by_label("User")).to_have_value("user-5")


def test_with_keys(browser: Browser, emulator: Running) -> None:
    """Where keys are asked for the page is open and empty; a key makes it work, and is kept in no place that outlives
    the page."""
    keys = {"GATEWAY_AUTH__MODE": "keys", "GATEWAY_AUTH__TENANTS__SHOP__KEYS_SHA256": sha256(KEYS["shop"])}
    with (
        running("serve", "--port", "0", env=signed(emulator.url, **keys)) as gateway,
        looking(browser, f"{gateway.url}/console") as watched,
    ):
        page = watched.page
        page.get_by_label("Campaign").fill("demo")
        page.get_by_role("button", name="Rank 1,000").click()
        expect(page.locator(".results")).to_contain_text("The request names no caller")
        page.get_by_label("API key").fill(KEYS["shop"])
        page.get_by_role("button", name="Use").click()
        rank(page, "1,000", "user-6")
        expect(page.get_by_role("heading", name="1,000 items in")).to_be_visible()
        page.get_by_role("link", name="Live").click()
        expect(page.get_by_text("These are your campaigns")).to_be_visible()
        stored = "() => JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state])"
        assert KEYS["shop"] not in page.evaluate(stored)
        assert "user-6" not in page.evaluate(stored)
        assert page.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
        watched.expect_calm(but="status of 401")


def test_on_the_admin_port(browser: Browser, emulator: Running) -> None:
    """With an admin port the console is there and nowhere else; it has the numbers, and says why nothing is ranked."""
    with running("serve", "--port", "0", env=signed(emulator.url, GATEWAY_SERVER__ADMIN_PORT="0")) as gateway:
        admin = line_of(gateway.process).split()[-1]
        with looking(browser, f"{admin}/console") as watched:
            page = watched.page
            expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
            expect(page.get_by_role("heading", name="demo")).to_be_visible()
            page.get_by_role("link", name="Playground").click()
            expect(page.get_by_text("Nothing is ranked on the admin port")).to_be_visible()
            watched.expect_calm()


def test_the_description_too(browser: Browser, gateway: Running) -> None:
    """`/docs` shows the operations, under its own policy, without a complaint or a request to anybody else."""
    with looking(browser, f"{gateway.url}/docs") as watched:
        expect(watched.page.get_by_text("/v1/rerank", exact=True)).to_be_visible()
        watched.expect_calm()

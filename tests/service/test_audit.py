"""The choreography of an audit: its budget, what it asks first, and what ends it. Time is virtual."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gateway.core.audit.heard import RawAnswer, Refusal
from gateway.core.audit.probes import Duplicates, Unknown
from gateway.core.audit.ratios import Verdict
from gateway.core.errors import GatewayError, Throttled, Unavailable
from gateway.service.audit import CALLS_MIN, THROTTLED_MAX, THROTTLED_PAUSE_S, AuditFailed, Filtered, Findings, audit
from tests.support.softmax_ranker import respond

ITEMS = [f"i{number}" for number in range(700)]
LOGITS = dict(zip(ITEMS, np.random.Generator(np.random.PCG64(7)).standard_normal(700).tolist(), strict=True))
REFUSED = Refusal(400, "InvalidInputException", "no", 1.0)

Reply = RawAnswer | Refusal | GatewayError | None


class Campaign:
    """A softmax of 500 items at most, which drops every fifth item if there is a filter.

    `says` is asked before each call, with its number from 0 and its list; what it returns goes before the softmax.
    """

    def __init__(self, says: Callable[[int, Sequence[str]], Reply] = lambda *_: None) -> None:
        self.says = says
        self.asked: list[tuple[list[str], bool]] = []

    async def ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
        """Answer, refuse or fail."""
        self.asked.append((list(items), filtered))
        said = self.says(len(self.asked) - 1, items)
        if isinstance(said, GatewayError):
            raise said
        if said is not None:
            return said
        if not 1 <= len(items) <= 500:
            return REFUSED
        dropped = frozenset(ITEMS[::5]) if filtered else frozenset()
        rows = respond(list(dict.fromkeys(items)), LOGITS, dropped)
        return RawAnswer([item for item, _ in rows], [score for _, score in rows], 10.0)


async def test_all_that_is_found() -> None:
    """With the usual budget everything is looked at, and a softmax is trusted."""
    campaign = Campaign()
    found = await audit(campaign, ITEMS, calls_max=60, with_filter=True)
    assert found.verdict is Verdict.TRUSTED
    assert (len(found.rounds), found.faults, found.items) == (3, frozenset(), 700)
    assert found.unknown == Unknown("no score", last=True)
    assert isinstance(found.duplicates, Duplicates)
    assert (found.duplicates.asked, found.duplicates.came) == (23, 20)
    assert (found.empty, found.at_limit, found.over_limit) == (REFUSED, 500, REFUSED)
    assert isinstance(found.filtered, Filtered)
    assert (found.filtered.asked, found.filtered.came) == (500, len(campaign.asked[0][0]) - 100)
    assert found.filtered.total == pytest.approx(1.0, abs=1e-4)
    assert [(one.items, one.calls >= 10, one.median_ms) for one in found.latencies] == [
        (50, True, 10.0),
        (500, True, 10.0),
    ]
    assert found.scores is not None
    assert found.scores.decimals == 7


@pytest.mark.parametrize("calls_max", [*range(CALLS_MIN, 24), 40, 200])
@pytest.mark.parametrize("with_filter", [False, True])
async def test_the_budget(calls_max: int, with_filter: bool) -> None:
    """No more calls are made than were granted, and one round is enough for a verdict."""
    campaign = Campaign()
    found = await audit(campaign, ITEMS, calls_max=calls_max, with_filter=with_filter)
    assert len(campaign.asked) == found.calls <= calls_max
    assert found.calls == calls_max or calls_max >= 40
    assert found.verdict is Verdict.TRUSTED


@pytest.mark.parametrize("count", [10, 11, 40, 499, 500, 501])
async def test_few_items(count: int) -> None:
    """Short files are audited too; lists of 500 and 501 are filled up with made-up items."""
    campaign = Campaign()
    found = await audit(campaign, ITEMS[:count], calls_max=40)
    assert found.verdict in (Verdict.TRUSTED, Verdict.UNRESOLVED)
    assert (found.at_limit, found.over_limit) == (500, REFUSED)
    assert {len(items) for items, _ in campaign.asked} >= {0, 500, 501}


async def test_a_list_that_is_refused_ends_the_audit() -> None:
    """A campaign that refuses plain calls cannot be audited, and says why."""
    with pytest.raises(AuditFailed, match="500 items: InvalidInputException: no"):
        await audit(Campaign(lambda *_: REFUSED), ITEMS, calls_max=40)


async def test_an_upstream_that_is_away_ends_the_audit() -> None:
    """What cannot be reached is told as such."""
    with pytest.raises(Unavailable):
        await audit(Campaign(lambda *_: Unavailable("away")), ITEMS, calls_max=40)


async def test_calls_that_come_too_fast_are_made_again() -> None:
    """A call refused for its rate is made again after a pause, and both are spent."""
    began_s = asyncio.get_running_loop().time()
    campaign = Campaign(lambda number, _: Throttled("slow down") if number in (0, 3, 4) else None)
    found = await audit(campaign, ITEMS, calls_max=CALLS_MIN + 3)
    assert (found.calls, found.throttled, found.verdict) == (CALLS_MIN + 3, 3, Verdict.TRUSTED)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(3 * THROTTLED_PAUSE_S)


async def test_a_campaign_that_is_too_busy() -> None:
    """Refusals for the rate without end give up the audit soon."""
    campaign = Campaign(lambda *_: Throttled("slow down"))
    with pytest.raises(AuditFailed, match="rate"):
        await audit(campaign, ITEMS, calls_max=40)
    assert len(campaign.asked) == THROTTLED_MAX


async def test_a_campaign_that_hangs() -> None:
    """A call without an answer ends the audit."""

    class Hanging(Campaign):
        async def ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
            await asyncio.Event().wait()
            return REFUSED

    with pytest.raises(AuditFailed, match="within 30 s"):
        await audit(Hanging(), ITEMS, calls_max=40)


async def test_a_filter_that_is_refused_is_a_finding() -> None:
    """A filter that there is not does not end the audit."""

    class Unfiltered(Campaign):
        async def ask(self, items: Sequence[str], *, filtered: bool = False) -> RawAnswer | Refusal:
            return REFUSED if filtered else await super().ask(items)

    found: Findings = await audit(Unfiltered(), ITEMS, calls_max=40, with_filter=True)
    assert (found.filtered, found.verdict) == (REFUSED, Verdict.TRUSTED)


@pytest.mark.parametrize("odd", [[], [f"i{number}" for number in range(501)]], ids=["empty", "too long"])
async def test_an_odd_list_that_breaks_the_campaign_is_a_finding(odd: list[str]) -> None:
    """A campaign that falls over an odd list is audited to the end."""
    campaign = Campaign(lambda _, items: Unavailable("reset") if len(items) == len(odd) else None)
    found = await audit(campaign, ITEMS, calls_max=40)
    assert found.verdict is Verdict.TRUSTED
    answer = found.over_limit if odd else found.empty
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.message) == (0, "reset")


async def test_broken_answers_are_found() -> None:
    """One answer that breaks the contract decides the verdict, and is named."""

    def lost(number: int, items: Sequence[str]) -> Reply:
        return RawAnswer([items[0]], [1.0], 1.0) if number == 3 else None

    found = await audit(Campaign(lost), ITEMS, calls_max=40)
    assert found.verdict is Verdict.BROKEN
    assert any("lost" in fault for fault in found.faults)

"""The attack of the slow heads, small: what it reports is what became of its sockets, and what is made of that."""

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from loadtests.slow_heads.__main__ import verdict
from loadtests.slow_heads.attacker import NOWHERE, Seen, attack
from loadtests.slow_heads.caller import Ranking
from tests.web.listening import guard, listening

SOCKETS = 30
HEAD_TIMEOUT_S = 0.3

GOOD = Seen(ended=SOCKETS, told=SOCKETS, given_up=0, lasted_s=(5.0, 5.1), opened_s=0.9, cpu_s=0.3)


async def test_a_guarded_listener_ends_it() -> None:
    """Every socket of an attack on the gateway is told 408 and ended, none before its time."""
    async with listening(guard(head_timeout_s=HEAD_TIMEOUT_S)) as site:
        seen = await asyncio.to_thread(attack, urlsplit(site.name).port or NOWHERE, SOCKETS, 10.0)
    assert (seen.ended, seen.told, seen.given_up) == (SOCKETS, SOCKETS, 0)
    assert seen.lasted_s[0] > 0.9 * HEAD_TIMEOUT_S


async def test_nobody_ends_it_elsewhere() -> None:
    """The control: where nobody takes the connections, the attacker has to give up each of them himself."""
    seen = await asyncio.to_thread(attack, NOWHERE, SOCKETS, 0.5)
    assert (seen.ended, seen.told, seen.given_up) == (0, 0, SOCKETS)


def test_ratios_are_of_the_tails_of_one_round() -> None:
    """A round is compared with itself: a machine that is slow in one of them changes no ratio."""
    phases = {
        name: [[Ranking(0.0, wall_ms * slow, 1.0 * slow)] * 10 for slow in (1.0, 3.0)]
        for name, wall_ms in (("alone", 2.0), ("elsewhere", 2.5), ("attack", 3.0))
    }
    found = verdict(phases, [GOOD, GOOD], SOCKETS)
    assert found["ratio"] == pytest.approx(1.2)
    assert found["wallRatio"] == pytest.approx(1.5)
    assert found["cpuRatio"] == 1.0
    assert found["inTime"]


@pytest.mark.parametrize("what", [{"ended": SOCKETS - 1, "given_up": 1}, {"lasted_s": (5.0, 6.1)}])
def test_one_that_was_not_culled_in_time_is_told(what: dict[str, Any]) -> None:
    """A socket that was not ended, or too late, in any round, fails the run."""
    phases = {name: [[Ranking(0.0, 1.0, 1.0)]] * 2 for name in ("alone", "elsewhere", "attack")}
    assert not verdict(phases, [GOOD, replace(GOOD, **what)], SOCKETS)["inTime"]

"""What is kept: used until it truly expires, renewed ahead by one question at a time, whatever the source does."""

import asyncio
import logging
from itertools import pairwise

import pytest
from botocore.exceptions import NoCredentialsError

from gateway.adapters import aws_credentials
from gateway.adapters.aws_credentials import ATTEMPT_S
from gateway.core.renewal import LOOK_MAX_S, RETRY_MAX_S, RETRY_MIN_S, WINDOW_S
from tests.credentials.source import HOUR_S, SECRET, TOKEN, Source, calls_fail, keys, now_s

CALLERS = 100
DUE_S = HOUR_S - WINDOW_S


async def test_a_slow_renewal_keeps_nobody_waiting() -> None:
    """A hundred callers through the end of validity and a slow source: no call waits or fails, and it is asked once."""
    source = Source(takes_s=8.0)
    async with source.kept() as kept:
        await asyncio.sleep(DUE_S * 0.8)
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(calls_fail(kept, HOUR_S, every_s=7.0)) for _ in range(CALLERS)]
        assert [failed for caller in callers for failed in caller.result()] == []
        assert len(source.asked_s) == 2
        assert kept.current() == keys(2)


async def test_a_source_that_is_down_within_validity_is_not_felt() -> None:
    """Down from before the window until just before the end: no failed call, one question at a time, backed off."""
    source = Source(takes_s=0.5)
    async with source.kept() as kept:
        await asyncio.sleep(DUE_S / 2)
        source.down()
        assert await calls_fail(kept, until_s=HOUR_S - 20.0) == []
        tries = source.asked_s[1:]
        gaps_s = [later - earlier - source.takes_s for earlier, later in pairwise(tries)]
        assert all(RETRY_MIN_S - 1e-6 <= gap_s <= RETRY_MAX_S + 1e-6 for gap_s in gaps_s)
        assert kept.failures == len(tries) - source.under_way > 10
        source.up()
        assert await calls_fail(kept, until_s=HOUR_S + DUE_S / 2) == []
        assert source.most_under_way == 1
        assert kept.health()["failingForS"] is None


async def test_truly_expired_credentials_fail_at_once() -> None:
    """Beyond the end calls fail without waiting, the source is asked every few seconds, and its return ends it."""
    source = Source()
    async with source.kept() as kept:
        source.down()
        failed_s = await calls_fail(kept, until_s=HOUR_S + 300.0)
        assert HOUR_S <= failed_s[0] <= HOUR_S + 1.5
        assert kept.health()["state"] == "expired"
        late_s = [asked_s for asked_s in source.asked_s if asked_s > HOUR_S + LOOK_MAX_S]
        assert max(later - earlier for earlier, later in pairwise(late_s)) <= LOOK_MAX_S + source.takes_s + 1e-6
        source.up()
        await asyncio.sleep(LOOK_MAX_S + 2 * source.takes_s)
        assert kept.usable
        assert source.most_under_way == 1


async def test_credentials_that_come_late() -> None:
    """A source that has nothing at start is no error, and is asked again every few seconds until it has."""
    source = Source()
    source.nothing = True
    async with source.kept() as kept:
        assert kept.health()["state"] == "none"
        with pytest.raises(NoCredentialsError):
            kept.current()
        await asyncio.sleep(HOUR_S)
        source.nothing = False
        await asyncio.sleep(LOOK_MAX_S + 2 * source.takes_s)
        assert kept.health()["state"] == "valid"


async def test_a_source_that_hangs_is_given_up() -> None:
    """A question has its time; after it the next one is asked, and never beside it."""
    source = Source(takes_s=HOUR_S)
    async with source.kept():
        assert now_s() == ATTEMPT_S
        await asyncio.sleep(60.0)
        assert len(source.asked_s) >= 4
        assert source.most_under_way == 1


async def test_the_same_answer_is_no_reason_to_hurry() -> None:
    """A source that keeps giving what it gave (it holds a copy) is asked a few times more, not in a loop."""
    source = Source()
    source.same = True
    async with source.kept() as kept:
        for _ in range(60):
            await asyncio.sleep(HOUR_S / 60)
            source.validity_s = HOUR_S - now_s()
        assert 3 <= len(source.asked_s) <= 14
        assert kept.health()["ageS"] == pytest.approx(HOUR_S, abs=1.0)


@pytest.mark.parametrize(("method", "asked"), [("env", 1), ("custom-process", 1), ("shared-credentials-file", 60)])
async def test_sources_without_expiry(method: str, asked: int) -> None:
    """Keys without an end are read again where they may change, a file every minute, and nowhere else."""
    source = Source(validity_s=float("inf"), method=method)
    async with source.kept() as kept:
        await asyncio.sleep(HOUR_S)
        assert asked <= len(source.asked_s) <= asked * 1.2
        assert kept.health()["expiresS"] is None
        assert kept.current() == keys(len(source.asked_s))


@pytest.mark.parametrize("ahead_s", [2 * 86_400.0, DUE_S + 60.0])
async def test_a_wall_clock_that_is_set_ahead(ahead_s: float) -> None:
    """The end that comes sooner than planned is seen within half a minute; nothing waits for the old plan."""
    source = Source()
    async with source.kept() as kept:
        source.set_ahead_s = ahead_s
        await asyncio.sleep(aws_credentials.CHECK_S + 1.0)
        assert len(source.asked_s) == 2
        assert kept.usable


async def test_a_wall_clock_that_is_set_back() -> None:
    """Retries go by the monotonic clock: a clock set back by two days puts none of them off."""
    source = Source()
    async with source.kept():
        source.down()
        await asyncio.sleep(HOUR_S)
        asked = len(source.asked_s)
        source.set_ahead_s = -2 * 86_400.0
        await asyncio.sleep(600.0)
        assert len(source.asked_s) >= asked + 5


async def test_another_source_is_not_taken_unasked() -> None:
    """What another provider of the chain gives does not replace good credentials, only expired or refused ones."""
    source = Source(method="shared-credentials-file")
    async with source.kept() as kept:
        source.method = "iam-role"
        await asyncio.sleep(DUE_S + WINDOW_S / 2)
        assert (kept.method, kept.current(), kept.health()["lastError"]) == (
            "shared-credentials-file",
            keys(1),
            "OtherSource",
        )
        await asyncio.sleep(WINDOW_S)
        assert kept.method == "iam-role"


async def test_another_source_is_taken_if_upstream_refuses() -> None:
    """Keys that upstream refuses are no identity to keep."""
    source = Source(method="shared-credentials-file")
    async with source.kept() as kept:
        source.method = "iam-role"
        assert await kept.renewed(keys(1))
        assert kept.method == "iam-role"


async def test_the_end_leaves_nothing_behind() -> None:
    """Closing in the middle of a question ends it, and leaves no task."""
    source = Source()
    async with source.kept():
        source.takes_s = HOUR_S
        while not source.under_way:
            await asyncio.sleep(1.0)
    assert source.under_way == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_start_that_is_given_up_leaves_nothing_behind() -> None:
    """Whoever stops waiting for the first answer takes the question along."""
    source = Source(takes_s=HOUR_S)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0), source.kept():
            pass
    assert source.under_way == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Neither health, repr nor log holds a key, a token, or the message of an error; failures are logged by turns."""
    source = Source()
    with caplog.at_level(logging.DEBUG):
        async with source.kept() as kept:
            told = [repr(kept), str(kept.health()), repr(await source())]
            source.down()
            await asyncio.sleep(2 * HOUR_S)
            told += [repr(kept), str(kept.health())]
            source.up()
            await asyncio.sleep(2 * LOOK_MAX_S)
            told += [repr(kept), str(kept.health())]
    assert kept.health()["lastError"] is None
    assert [record.levelname for record in caplog.records if record.name.startswith("gateway")] == ["WARNING"] * 2
    for words in (*told, caplog.text):
        assert SECRET not in words
        assert TOKEN not in words
        assert "cannot give" not in words
    assert "Down" in caplog.text


async def test_half_a_key_pair_and_expired_ones_are_failures() -> None:
    """An answer that nobody could sign with does not replace one that is good."""
    source = Source()
    async with source.kept() as kept:
        source.validity_s = -1.0
        await asyncio.sleep(DUE_S + 60.0)
        assert kept.current() == keys(1)
        assert kept.health()["lastError"] == "ExpiredCredentials"

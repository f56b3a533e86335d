"""After a refusal upstream: one question to the source for all who ask, and none for every refusal."""

import asyncio

import pytest

from gateway.adapters.aws_credentials import KeptCredentials
from gateway.core.renewal import FORCED_EVERY_S
from tests.credentials.source import HOUR_S, Source, keys, now_s

ASKERS = 100


async def asked(kept: KeptCredentials, rejected: int, count: int = ASKERS) -> list[bool]:
    """What so many are told who ask at once, all refused with the same keys."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(kept.renewed(keys(rejected))) for _ in range(count)]
    return [task.result() for task in tasks]


async def test_one_question_for_all() -> None:
    """A hundred refused calls cause one question, and all of them get its answer."""
    source = Source(takes_s=2.0)
    async with source.kept() as kept:
        assert await asked(kept, 1) == [True] * ASKERS
        assert len(source.asked_s) == 2
        assert kept.current() == keys(2)


async def test_who_comes_late_is_answered_at_once() -> None:
    """If others are there already, nothing is asked and nobody waits."""
    source = Source()
    async with source.kept() as kept:
        assert await kept.renewed(keys(1))
        began_s = now_s()
        assert await asked(kept, 1) == [True] * ASKERS
        assert (now_s(), len(source.asked_s)) == (began_s, 2)


async def test_a_wrong_key_is_no_storm() -> None:
    """Ten refusals a second for a minute, and a source that has nothing else: one question every few seconds."""
    source = Source()
    source.same = True
    async with source.kept() as kept:
        for _ in range(600):
            assert not await kept.renewed(keys(1))
            await asyncio.sleep(0.1)
        assert len(source.asked_s) <= 2 + 60.0 / FORCED_EVERY_S
        assert source.most_under_way == 1


async def test_the_first_who_asked_may_leave() -> None:
    """The question goes on without the one who caused it; the others get its answer, and it is not asked again."""
    source = Source(takes_s=2.0)
    async with source.kept() as kept:
        async with asyncio.TaskGroup() as group:
            leader = group.create_task(kept.renewed(keys(1)))
            await asyncio.sleep(0.5)
            others = [group.create_task(kept.renewed(keys(1))) for _ in range(ASKERS)]
            await asyncio.sleep(0.5)
            leader.cancel()
        assert all(other.result() for other in others)
        assert len(source.asked_s) == 2


async def test_everybody_may_leave() -> None:
    """A question that nobody waits for any more is answered all the same."""
    source = Source(takes_s=2.0)
    async with source.kept() as kept:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await kept.renewed(keys(1))
        await asyncio.sleep(2.0)
        assert kept.current() == keys(2)


async def test_a_refusal_while_a_question_is_under_way_joins_it() -> None:
    """No second question beside the one that renews ahead of time."""
    source = Source(takes_s=8.0)
    async with source.kept() as kept:
        while len(source.asked_s) < 2:
            await asyncio.sleep(1.0)
        assert await asked(kept, 1) == [True] * ASKERS
        assert (len(source.asked_s), source.most_under_way) == (2, 1)


async def test_a_source_that_fails_is_told_as_no() -> None:
    """If the source is down the answer is no; what is held stays in use, since only upstream knows it better."""
    source = Source()
    async with source.kept() as kept:
        source.down()
        assert await asked(kept, 1) == [False] * ASKERS
        assert kept.current() == keys(1)
        assert len(source.asked_s) == 2


async def test_the_end_lets_go_of_who_asks() -> None:
    """Whoever waits when the keeper closes is told no; and so is who asks later, at once."""
    source = Source()
    async with asyncio.TaskGroup() as group, source.kept() as kept:
        source.takes_s = HOUR_S
        asker = group.create_task(kept.renewed(keys(1)))
        await asyncio.sleep(1.0)
    assert asker.result() is False
    assert await kept.renewed(keys(1)) is False

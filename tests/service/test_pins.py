"""Pinned rankings: what is kept of a ranking, how large it is, and how long it lives."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.adapters.memory_values import MemoryValues
from gateway.core.errors import RankingAway, RankingGone, Unavailable, UnknownRanking
from gateway.service.pins import Pins
from gateway.service.result import Degraded, Result
from gateway.service.turns import Turns
from tests.service.scenes import catalogue, order, rerank, service_of
from tests.support.canaries import USER
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock

CLOCK = VirtualClock()


class Seen(MemoryValues):
    """Values in memory, and all that was ever put."""

    def __init__(self) -> None:
        super().__init__(CLOCK.now_s, 64 * 1024 * 1024)
        self.put_so_far: dict[str, bytes] = {}

    async def put(self, values, keep_s):  # type: ignore[no-untyped-def]
        self.put_so_far |= values
        return await super().put(values, keep_s)


async def ranked(count: int, **faults: object) -> Result:
    """A ranking of so many items."""
    logits = catalogue(count)
    ranker = SoftmaxRanker(lambda _: logits, **faults)  # type: ignore[arg-type]
    return await rerank(service_of(ranker), [*logits, "new-1", "new-2"], user_id=USER)


def same(one: Result, other: Result) -> bool:
    """Whether both show the same items and scores at the same places."""
    scores = (one.ranking.scores == other.ranking.scores).all()
    return order(one) == order(other) and bool(scores) and one.ranking.unranked == other.ranking.unranked


async def test_what_is_pinned_is_the_very_ranking() -> None:
    """Items, scores to the last bit, counts and ids come back as they were; the key and the value name no user."""
    values = Seen()
    pins = Pins(values, 60.0, Turns())
    result = await ranked(10_000)
    name = await pins.pin("t", "demo", ("A",), result, ["RID-1"])
    assert name is not None
    pinned = await pins.read("t", name)
    again = pinned.result(CLOCK)
    assert same(again, result)
    assert (again.ranking.resolved_through, again.usage.unknown) == (result.ranking.resolved_through, 2)
    assert (pinned.campaign, pinned.columns, pinned.recommendation_ids) == ("demo", ("A",), ["RID-1"])
    ((key, value),) = values.put_so_far.items()
    assert USER.encode() not in value
    assert all(word not in key + name for word in (USER, "demo", "item-"))
    assert len(value) < 21 * 10_002 + 200  # 8 bytes of score, 11 of id, 1 of length an item


async def test_a_pin_ends_at_its_time_however_often_it_is_read() -> None:
    """It is there until `keep_s` after it was made, and gone then."""
    pins = Pins(MemoryValues(CLOCK.now_s, 1_000_000), 60.0, Turns())
    name = await pins.pin("", "demo", (), await ranked(10), []) or ""
    for _ in range(5):
        await asyncio.sleep(11.0)
        await pins.read("", name)
    await asyncio.sleep(6.0)
    with pytest.raises(RankingGone):
        await pins.read("", name)


async def test_another_tenant_has_never_heard_of_it() -> None:
    """A ranking is bound to the tenant that made it: for all others the id was never one."""
    pins = Pins(MemoryValues(CLOCK.now_s, 1_000_000), 60.0, Turns())
    name = await pins.pin("a", "demo", (), await ranked(10), []) or ""
    for tenant in ("", "b"):
        with pytest.raises(UnknownRanking):
            await pins.read(tenant, name)
    assert (await pins.read("a", name)).campaign == "demo"


async def test_a_degraded_ranking_stays_one() -> None:
    """The flag is kept, and of every item where its score came from."""
    lost = await ranked(900, fails=lambda number, _: Unavailable("no") if number else None)
    assert lost.degraded is Degraded.UPSTREAM
    pins = Pins(MemoryValues(CLOCK.now_s, 1_000_000), 60.0, Turns())
    again = (await pins.read("", await pins.pin("", "demo", (), lost, []) or "")).result(CLOCK)
    assert again.degraded is Degraded.UPSTREAM
    assert same(again, lost)
    told = [again.source_of(place) for place in range(len(order(again)))]
    assert told == [lost.source_of(place) for place in lost.ranking.order.tolist()]


async def test_memory_is_bounded() -> None:
    """However many rankings are pinned, the oldest make room; one that can never fit is told to its caller."""
    values = MemoryValues(CLOCK.now_s, 100_000)
    pins = Pins(values, 60.0, Turns())
    result = await ranked(1_000)
    names = [await pins.pin("", "demo", (), result, []) or "" for _ in range(20)]
    assert values.size_bytes <= 100_000
    await pins.read("", names[-1])
    with pytest.raises(RankingGone):
        await pins.read("", names[0])
    assert await pins.pin("", "demo", (), await ranked(10_000), []) is None
    assert (pins.stats.pinned, pins.stats.lost) == (20, 1)


@pytest.mark.parametrize("stored", [b"", b"garbage", b"\x93\x01\x02\x03", b"\xc1"])
async def test_what_cannot_be_read_is_gone(stored: bytes) -> None:
    """Bytes that are no ranking, or one of another version, are as good as none."""

    class Odd(Seen):
        async def fetch(self, keys: Sequence[str]) -> list[bytes | None]:
            return [stored]

    pins = Pins(Odd(), 60.0, Turns())
    name = await pins.pin("", "demo", (), await ranked(10), []) or ""
    with pytest.raises(RankingGone):
        await pins.read("", name)


async def test_a_store_that_is_away_does_not_say_gone() -> None:
    """Where the store cannot be asked, nobody is told that a ranking is gone, and none is said to be pinned."""

    class Away(Seen):
        async def fetch(self, keys: Sequence[str]) -> None:
            return None

        async def put(self, values: object, keep_s: float) -> bool:
            return False

    name = await Pins(Seen(), 60.0, Turns()).pin("", "demo", (), await ranked(10), []) or ""
    pins = Pins(Away(), 60.0, Turns())
    with pytest.raises(RankingAway):
        await pins.read("", name)
    assert await pins.pin("", "demo", (), await ranked(10), []) is None

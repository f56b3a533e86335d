"""Metadata that several callers want at the same time: who shares which calls, who pays, and who takes nobody along."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from gateway.core.answer import Answer
from gateway.core.budget import Budget
from gateway.core.errors import CallerError, InvalidInput, Unavailable
from gateway.core.model import Subject
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.described import page_of, rank_described
from gateway.service.fetches import ITEMS_AT_ONCE, LINGER_S, Fetches, Said, Want
from gateway.service.gates import Gates
from gateway.service.result import Columns, Cost, Request
from gateway.service.service import Service
from gateway.service.turns import Turns
from tests.service.scenes import catalogue, service_of
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.support.virtual_clock import VirtualClock

CAMPAIGN = Campaign("demo", ARN, extra_share=0.0)
COLUMNS = ("PRICE", "TITLE")
FILTER = "arn:aws:personalize:us-east-1:000000000000:filter/f"
SUBJECT = Subject("demo", "u-0")
ITEMS = [f"item-{number:04}" for number in range(2_000)]
CALL_S = 0.03


def text(item: str, columns: Sequence[str] = COLUMNS) -> bytes:
    """An item's metadata, as it is kept."""
    return b"{%b}" % b",".join(b'"%b":"%b of %b"' % (c.lower().encode(), c.encode(), item.encode()) for c in columns)


@dataclass
class Scene:
    """Fetches in front of a ranker; `per_user` are items that the filter drops for a user."""

    fails: Callable[[int, Call], Exception | str | None] | None = None
    per_user: dict[str, frozenset[str]] = field(default_factory=dict)
    learnt: Said = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ranker = SoftmaxRanker(lambda _: {}, delay_s=CALL_S, fails=self.fails)
        service = service_of(self)  # type: ignore[arg-type]
        self.fetches: Fetches = service.metadata.fetches

    async def rank(self, call: Call) -> Answer:
        """The ranker, whose filter knows the user."""
        self.ranker.excluded = self.per_user.get(call.subject.user_id, frozenset())
        return await self.ranker.rank(call)

    @property
    def calls(self) -> list[Call]:
        """What was asked upstream."""
        return self.ranker.calls

    async def said(
        self,
        items: Sequence[str],
        subject: Subject = SUBJECT,
        columns: tuple[str, ...] = COLUMNS,
        *,
        seconds: float = 1.0,
        keeps: bool = True,
        cost: Cost | None = None,
    ) -> Said:
        """What one caller is told."""
        budget = Budget.of(asyncio.get_running_loop().time(), seconds, len(items))
        cost = cost or Cost.new(VirtualClock())
        return await self.fetches.said(Want(CAMPAIGN, subject, columns, budget, cost, self.learnt.update, keeps), items)

    async def over(self) -> bool:
        """Whether nothing is left when nobody wants anything any more."""
        await asyncio.sleep(2 * LINGER_S)
        return "items=0" in repr(self.fetches) and not self.ranker.in_flight


def user(number: int) -> Subject:
    """One of many users."""
    return Subject("demo", f"u-{number}")


async def test_equal_calls_of_several_callers_are_one() -> None:
    """Ten users who want the same items at the same time share one call, and one of them pays."""
    scene = Scene()
    costs = [Cost.new(VirtualClock()) for _ in range(10)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(scene.said(ITEMS[:40], user(n), cost=cost)) for n, cost in enumerate(costs)]
    assert [task.result() for task in tasks] == [{item: text(item) for item in ITEMS[:40]}] * 10
    assert len(scene.calls) == 1
    assert [cost.usage.upstream_calls for cost in costs] == [1] + 9 * [0]
    assert await scene.over()


async def test_what_coincides_is_asked_for_once() -> None:
    """Pages that overlap ask for every item once, in as few calls as each page's rest needs."""
    scene = Scene()
    pages = [ITEMS[:48], ITEMS[24:72], ITEMS[40:100], ITEMS[:100]]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(scene.said(page, user(n))) for n, page in enumerate(pages)]
    for page, task in zip(pages, tasks, strict=True):
        assert task.result() == {item: text(item) for item in page}
    asked = [item for call in scene.calls for item in call.items]
    assert sorted(asked) == ITEMS[:100]
    assert len(scene.calls) == 3


OTHERS: dict[str, tuple[Subject, tuple[str, ...]]] = {
    "tenant": (replace(SUBJECT, tenant="t"), COLUMNS),
    "campaign": (replace(SUBJECT, campaign="other"), COLUMNS),
    "variant": (replace(SUBJECT, variant="v"), COLUMNS),
    "columns": (SUBJECT, ("PRICE",)),
    "filter": (replace(SUBJECT, filter_arn=FILTER), COLUMNS),
    "values of the filter": (replace(SUBJECT, filter_arn=FILTER, filter_values={"BRAND": '"x"'}), COLUMNS),
}
SAME = {
    "user": replace(SUBJECT, user_id="somebody else"),
    "context": replace(SUBJECT, context={"DEVICE": "mobile"}),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_others_share_nothing(name: str) -> None:
    """Callers of another tenant, campaign, variant, filter or set of columns have calls of their own."""
    scene = Scene()
    subject, columns = OTHERS[name]
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.said(ITEMS[:40]))
        other = group.create_task(scene.said(ITEMS[:40], subject, columns))
        if name == "values of the filter":
            group.create_task(scene.said(ITEMS[:40], replace(SUBJECT, filter_arn=FILTER)))
    assert len(scene.calls) == (3 if name == "values of the filter" else 2)
    assert other.result() == {item: text(item, columns) for item in ITEMS[:40]}


@pytest.mark.parametrize("name", SAME)
async def test_user_and_context_do_not_matter(name: str) -> None:
    """Metadata depends on neither, so whoever comes second rides along."""
    scene = Scene()
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.said(ITEMS[:40]))
        other = group.create_task(scene.said(ITEMS[:40], SAME[name]))
    assert (len(scene.calls), other.result()) == (1, {item: text(item) for item in ITEMS[:40]})


@pytest.mark.parametrize("leaves", [0, 1])
async def test_who_leaves_takes_nobody_along(leaves: int) -> None:
    """Whether it is the caller that began the call or one that rides on it: the other one is told everything."""
    scene = Scene()
    tasks = [asyncio.get_running_loop().create_task(scene.said(ITEMS[:40], user(n))) for n in range(2)]
    await asyncio.sleep(CALL_S / 2)
    tasks[leaves].cancel()
    ends = await asyncio.wait(tasks)
    assert len(ends[0]) == 2
    assert tasks[leaves].cancelled()
    assert tasks[1 - leaves].result() == {item: text(item) for item in ITEMS[:40]}
    assert (len(scene.calls), scene.ranker.cancelled) == (1, 0)


async def test_the_last_one_that_leaves_ends_the_calls() -> None:
    """Nobody is told any more, so nothing goes on; and a newcomer of that very turn asks anew."""
    scene = Scene()
    tasks = [asyncio.get_running_loop().create_task(scene.said(ITEMS[:40], user(n))) for n in range(2)]
    await asyncio.sleep(CALL_S / 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert await scene.said(ITEMS[:40]) == {item: text(item) for item in ITEMS[:40]}
    assert (len(scene.calls), scene.ranker.cancelled) == (2, 1)
    assert await scene.over()


async def test_what_a_filter_dropped_for_another_user_is_asked_for() -> None:
    """A filter may depend on the user, so a rider asks itself for what the shared call did not tell, and no more."""
    scene = Scene(per_user={"u-1": frozenset(ITEMS[:5])})
    first, second = (replace(user(n), filter_arn=FILTER) for n in (1, 2))
    async with asyncio.TaskGroup() as group:
        shorter = group.create_task(scene.said(ITEMS[:40], first))
        whole = group.create_task(scene.said(ITEMS[:40], second))
    assert shorter.result() == {item: text(item) for item in ITEMS[5:40]}
    assert whole.result() == {item: text(item) for item in ITEMS[:40]}
    assert [(call.subject.user_id, len(call.items)) for call in scene.calls] == [("u-1", 40), ("u-2", 5)]


async def test_a_refusal_is_the_beginners_own() -> None:
    """A call that is refused says so to the caller that made it; who rode on it asks itself."""
    scene = Scene(lambda _, call: InvalidInput("no") if call.subject.user_id == "u-1" else None)
    tasks = [asyncio.get_running_loop().create_task(scene.said(ITEMS[:40], user(n))) for n in (1, 2, 3)]
    await asyncio.wait(tasks)
    assert isinstance(tasks[0].exception(), CallerError)
    assert [task.result() for task in tasks[1:]] == [{item: text(item) for item in ITEMS[:40]}] * 2
    assert [call.subject.user_id for call in scene.calls] == ["u-1", "u-2"]


async def test_patience_ends_before_the_deadline() -> None:
    """A caller waits half of its time for calls of another one that has more of it, and then asks itself."""
    scene = Scene(lambda number, _: "hang" if number == 0 else None)
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(scene.said(ITEMS[:40], user(1), seconds=20.0))
        began_s = asyncio.get_running_loop().time()
        assert await group.create_task(scene.said(ITEMS[:40], user(2), seconds=0.5)) == {
            item: text(item) for item in ITEMS[:40]
        }
        assert asyncio.get_running_loop().time() - began_s < 0.5
        slow.cancel()


async def test_one_with_less_time_does_not_end_the_wait_of_others() -> None:
    """Calls that ended by the deadline of the caller that began them are made again for those who have more time."""
    scene = Scene(lambda number, _: "hang" if number == 0 else None)
    async with asyncio.TaskGroup() as group:
        short = group.create_task(scene.said(ITEMS[:40], user(1), seconds=0.2))
        long = group.create_task(scene.said(ITEMS[:40], user(2), seconds=5.0))
    assert (short.result(), len(long.result()), len(scene.calls)) == ({}, 40, 2)


@pytest.mark.parametrize(("keeps", "calls"), [(True, 1), (False, 2)])
async def test_what_is_being_stored_is_not_asked_for_again(keeps: bool, calls: int) -> None:
    """For a moment after the call its answer can be joined, unless it is not kept; later it must be in the store."""
    scene = Scene()
    for _ in range(2):
        assert len(await scene.said(ITEMS[:40], keeps=keeps)) == 40
    assert len(scene.calls) == calls
    await asyncio.sleep(2 * LINGER_S)
    await scene.said(ITEMS[:40], keeps=keeps)
    assert len(scene.calls) == calls + 1


async def test_long_lists_share_as_well() -> None:
    """2,000 items are four fetches of ten calls; a page of the last ones rides on the last of them."""
    scene = Scene()
    async with asyncio.TaskGroup() as group:
        whole = group.create_task(scene.said(ITEMS))
        await asyncio.sleep(CALL_S / 2)
        page = group.create_task(scene.said(ITEMS[-48:], user(2)))
    assert len(ITEMS) == 4 * ITEMS_AT_ONCE
    assert whole.result() == {item: text(item) for item in ITEMS}
    assert page.result() == {item: text(item) for item in ITEMS[-48:]}
    assert len(scene.calls) == 40


@pytest.mark.parametrize("seed", range(12))
async def test_any_history(seed: int) -> None:
    """Callers of two tenants come with any items at any time, some leave, some calls fail: whoever stays is told what
    is true of its items, everything unless calls failed; no attempt is unpaid; and nothing is left over."""
    random = Random(seed)
    failing = seed % 3 == 0
    scene = Scene(lambda _, __: Unavailable("down") if failing and random.random() < 0.3 else None)
    costs: list[Cost] = []

    async def caller(number: int, wait_s: float, items: list[str], stays_s: float) -> None:
        await asyncio.sleep(wait_s)
        cost = Cost.new(VirtualClock())
        costs.append(cost)
        subject = replace(user(number), tenant=f"t-{number % 2}")
        try:
            async with asyncio.timeout(stays_s):
                said = await scene.said(items, subject, seconds=10.0, cost=cost)
        except TimeoutError:
            return
        assert said.items() <= {item: text(item) for item in items}.items()
        assert failing or len(said) == len(items)

    leavers = seed % 2
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            start, count = random.randrange(300), random.randrange(1, 120)
            stays_s = random.uniform(0.0, 2 * CALL_S) if leavers and number % 3 == 0 else 60.0
            group.create_task(caller(number, random.uniform(0.0, 0.2), ITEMS[start : start + count], stays_s))
    assert await scene.over()
    assert sum(cost.usage.upstream_calls for cost in costs) == len(scene.calls) or leavers
    if not failing and not leavers:
        for tenant in ("t-0", "t-1"):
            asked = [item for call in scene.calls if call.subject.tenant == tenant for item in call.items]
            assert len(asked) <= 2 * len(set(asked))  # alone they would ask 12 times for each; the store keeps nothing


async def test_two_rankings_at_once_describe_their_pages_once() -> None:
    """Two users with the same candidates: each ranking has its own calls, the metadata of what both see has one."""
    logits = catalogue(600)
    ranker = SoftmaxRanker(lambda _: logits, delay_s=CALL_S)
    service: Service = service_of(ranker)
    items = list(logits)

    async def ranked(number: int) -> tuple[set[str], set[str]]:
        budget = Budget.of(asyncio.get_running_loop().time(), 1.0, len(items))
        request = Request(CAMPAIGN, user(number), items, budget, columns=Columns(COLUMNS))
        answer = await rank_described(service.reranker, service.metadata, request, 0, 48)
        return set(page_of(answer.result, 0, 48)), set(answer.metadata)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ranked(number)) for number in range(2)]
    for page, told in (task.result() for task in tasks):
        assert page == told
    assert [len(call.items) for call in ranker.calls if call.metadata_columns] == [48]
    assert len(ranker.calls) == 5
    await service.reranker.frames.background.drain(1.0)


def test_it_says_what_it_holds() -> None:
    """Its numbers are in its repr, and no item is."""
    fetches = Fetches(None, Gates(VirtualClock()), VirtualClock(), Turns())  # type: ignore[arg-type]
    assert repr(fetches) == "<Fetches items=0 joined=0>"

"""Metadata late: what it costs, who shares it, and what becomes of an answer that could not get it."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.core.budget import Budget
from gateway.core.errors import InvalidInput, Unavailable, UpstreamError
from gateway.core.model import Subject
from gateway.core.routing import Campaign
from gateway.ports import Call
from gateway.service.described import Described, page_of, rank_described
from gateway.service.fetches import LINGER_S
from gateway.service.result import Columns, Cost, Degraded, Request
from gateway.service.service import Service
from tests.service.scenes import agrees, catalogue, order, rerank, service_of
from tests.support.canaries import OTHER_USER, USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import BARE, SoftmaxRanker

COLUMNS = ("PRICE", "TITLE")
FILTER = "arn:aws:personalize:us-east-1:000000000000:filter/f"
LOGITS = catalogue(10_000)
ITEMS = list(LOGITS)


async def described(
    service: Service,
    items: Sequence[str],
    offset: int = 0,
    limit: int | None = None,
    *,
    user_id: str = USER,
    columns: tuple[str, ...] = COLUMNS,
    filter_arn: str | None = None,
) -> Described:
    """One ranking with metadata, and the end of what it left to the background."""
    budget = Budget.of(asyncio.get_running_loop().time(), 1.0, len(items))
    subject = Subject("demo", user_id, {}, filter_arn)
    request = Request(Campaign("demo", ARN), subject, list(items), budget, columns=Columns(columns))
    answer = await rank_described(service.reranker, service.metadata, request, offset, limit)
    await service.reranker.frames.background.drain(1.0)
    return answer


def whole(answer: Described, offset: int = 0, limit: int | None = None) -> bool:
    """Whether every item of the page has its own metadata, and there is no flag."""
    page = page_of(answer.result, offset, limit)
    texts = {item: b'{"price":"PRICE of %b","title":"TITLE of %b"}' % (item.encode(), item.encode()) for item in page}
    known = {item: answer.metadata.get(item) for item in page}
    return answer.result.degraded is None and known == texts


def asks(call: Call) -> bool:
    """Whether a call asks for metadata."""
    return bool(call.metadata_columns)


async def test_a_page_of_48_out_of_10_000() -> None:
    """22 calls cold, one for the next page, none for the same page again; each answer has its page's metadata."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    service = service_of(ranker)
    for offset, calls in ((0, 22), (48, 1), (48, 0), (0, 0)):
        answer = await described(service, ITEMS, offset, 48)
        assert whole(answer, offset, 48)
        assert answer.result.usage.upstream_calls == calls
    late = [call for call in ranker.calls if asks(call)]
    assert [len(call.items) for call in late] == [48, 48]
    assert len(ranker.calls) == 23


async def test_the_next_user_pays_for_the_ranking_alone() -> None:
    """Metadata does not depend on the user: what one user's answer asked for, another's takes from the cache."""
    service = service_of(SoftmaxRanker(lambda _: LOGITS))
    await described(service, ITEMS, 0, 48)
    answer = await described(service, ITEMS, 0, 48, user_id=OTHER_USER)
    assert answer.result.usage.upstream_calls == 21
    assert whole(answer, 0, 48)


async def test_what_is_known_of_a_column_serves_all_who_ask_for_it() -> None:
    """Columns that somebody asked for cost no call again, in whatever company or order; others are asked for anew."""
    service = service_of(SoftmaxRanker(lambda _: LOGITS))
    asked = ((("A", "B"), 1), (("A",), 0), (("B", "A"), 0), (("B", "C"), 1), (("C", "A"), 0), (("D",), 1))
    for columns, calls in asked:
        answer = await described(service, ITEMS[:10], columns=columns)
        assert answer.result.usage.upstream_calls == calls, columns
        members = b",".join(b'"%b":"%b of %b"' % (c.lower().encode(), c.encode(), ITEMS[0].encode()) for c in columns)
        assert answer.metadata[ITEMS[0]] == b"{%b}" % members


async def test_tenants_and_variants_do_not_mix() -> None:
    """What is cached of an item is found by its own tenant, campaign and variant, whoever the user, and by no other."""
    service = service_of(SoftmaxRanker(lambda _: LOGITS))
    await described(service, ITEMS[:10])
    for campaign, tenant, variant, found in (
        ("demo", "", "", 10), ("demo", "t", "", 0), ("demo", "", "v", 0), ("demo", "t", "v", 0), ("other", "", "", 0)
    ):  # fmt: skip
        subject = Subject(campaign, OTHER_USER, {}, tenant=tenant, variant=variant)
        known = await service.metadata.look_up(subject, COLUMNS, ITEMS[:10], Cost.new(service.clock))
        assert len(known) == found, subject


async def test_the_filter_goes_along() -> None:
    """Metadata is asked for under the filter of the ranking; what that drops meanwhile comes without, flagged."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    service = service_of(ranker)
    first = await described(service, ITEMS[:600], 0, 10, filter_arn=FILTER)
    assert {call.subject.filter_arn for call in ranker.calls} == {FILTER}
    dropped = page_of(first.result, 10, 20)[0]
    ranker.excluded = frozenset([dropped])
    second = await described(service, ITEMS[:600], 10, 10, filter_arn=FILTER)
    assert second.result.degraded is Degraded.METADATA
    assert dropped not in second.metadata
    assert set(page_of(second.result, 10, 10)) - set(second.metadata) == {dropped}


async def test_having_none_is_known_as_well() -> None:
    """An item without metadata is not asked for again, and no answer is flagged for it."""
    ranker = SoftmaxRanker(lambda _: {})
    service = service_of(ranker)
    items = [f"{BARE}{number}" for number in range(5)]
    for calls in (1, 0):
        answer = await described(service, items)
        assert answer.result.usage.upstream_calls == calls
        assert set(answer.metadata.values()) == {b"null"}
        assert answer.result.degraded is None


@pytest.mark.parametrize(
    ("count", "cold", "next_user"),
    [(1, 1, 1), (50, 1, 1), (51, 2, 1), (97, 2, 1), (98, 3, 1), (470, 10, 1), (500, 11, 1), (501, 11, 2),
     (1_000, 22, 3), (1_001, 24, 3), (2_000, 45, 5)],
)  # fmt: skip
async def test_all_of_a_list_at_the_cheapest_plan(count: int, cold: int, next_user: int) -> None:
    """Without a page all items get metadata, by calls that rank and describe at once where those are fewer; the order
    is the ideal one either way, and who comes later pays for the ranking alone."""
    logits = catalogue(count)
    ranker = SoftmaxRanker(lambda _: logits)
    service = service_of(ranker)
    for user, calls in ((USER, cold), (OTHER_USER, next_user), (OTHER_USER, 0)):
        answer = await described(service, list(logits), user_id=user)
        assert answer.result.usage.upstream_calls == calls
        assert whole(answer)
        assert agrees(answer.result, logits)
    assert all(len(call.items) <= 50 for call in ranker.calls if asks(call))


async def test_short_lists_with_a_page_take_the_cheaper_way() -> None:
    """Sixty candidates and a page of ten are ranked in one call and described in another, not in two of both."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    answer = await described(service_of(ranker), ITEMS[:60], 0, 10)
    assert [(len(call.items), asks(call)) for call in ranker.calls] == [(60, False), (10, True)]
    assert whole(answer, 0, 10)


async def test_a_frame_and_new_items() -> None:
    """New items beside a frame are ranked with its anchors and described at once; known ones are only described."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    service = service_of(ranker)
    await rerank(service, ITEMS[:100])
    answer = await described(service, ITEMS[70:110])
    assert agrees(answer.result, LOGITS)
    assert whole(answer)
    assert answer.result.usage.upstream_calls == 2  # 10 new ones with anchors, and the 30 known ones


async def test_metadata_is_believed_for_its_time() -> None:
    """After `metadata_s` it is asked for again, however fresh the frame; with 0 it is never kept."""
    service = service_of(SoftmaxRanker(lambda _: LOGITS), metadata_s=30.0)
    for wait_s, calls in ((0.0, 3), (29.0, 0), (2.0, 1)):
        await asyncio.sleep(wait_s)
        answer = await described(service, ITEMS[:600], 0, 10)
        assert answer.result.usage.upstream_calls == calls
    never = service_of(SoftmaxRanker(lambda _: LOGITS), metadata_s=0.0)
    assert [(await described(never, ITEMS[:600], 0, 10)).result.usage.upstream_calls for _ in range(2)] == [3, 1]


async def test_a_ranking_without_its_metadata_is_flagged() -> None:
    """If all calls for metadata fail, the ranking is whole and flagged; when they answer again, so is the metadata."""
    down = True
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: Unavailable("no") if down and asks(call) else None)
    service = service_of(ranker)
    answer = await described(service, ITEMS, 0, 48)
    assert answer.result.degraded is Degraded.METADATA
    assert answer.metadata == {}
    assert agrees(answer.result, LOGITS)
    down = False
    assert whole(await described(service, ITEMS, 0, 48), 0, 48)


async def test_part_of_the_metadata_is_kept() -> None:
    """Of four calls for metadata one fails for good: its items alone come without, and are asked for again alone."""
    lost: set[str] = set()

    def fails(_: int, call: Call) -> Exception | None:
        if asks(call) and not lost:
            lost.update(call.items)
        return Unavailable("no") if asks(call) and lost == set(call.items) and len(service_calls) < 1 else None

    service_calls: list[int] = []
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=fails)
    service = service_of(ranker)
    answer = await described(service, ITEMS, 0, 200)
    assert answer.result.degraded is Degraded.METADATA
    assert set(page_of(answer.result, 0, 200)) - set(answer.metadata) == lost
    service_calls.append(1)
    again = await described(service, ITEMS, 0, 200)
    assert again.result.usage.upstream_calls == 1
    assert whole(again, 0, 200)


async def test_metadata_that_hangs_ends_at_the_deadline() -> None:
    """Calls for metadata that never answer cost the deadline and not the ranking."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: "hang" if asks(call) else None)
    service = service_of(ranker)
    answer = await described(service, ITEMS[:600], 0, 10)
    assert answer.result.degraded is Degraded.METADATA
    assert service.clock.now_s() <= 1.0
    assert ranker.in_flight == 0


async def test_the_rankings_own_flag_comes_first() -> None:
    """A ranking that is not whole itself keeps the flag that says so."""
    ranker = SoftmaxRanker(
        lambda _: LOGITS, fails=lambda _, call: Unavailable("no") if asks(call) or ITEMS[0] in call.items else None
    )
    answer = await described(service_of(ranker), ITEMS[:990], 0, 10)
    assert answer.result.degraded is Degraded.UPSTREAM


@pytest.mark.parametrize("count", [40, 600])
async def test_columns_that_are_wrong_are_the_callers_fault(count: int) -> None:
    """What the service says of columns that do not exist is told to the caller, on either way."""
    no = InvalidInput("no such column")
    service = service_of(SoftmaxRanker(lambda _: LOGITS, fails=lambda _, call: no if asks(call) else None))
    with pytest.raises(InvalidInput, match="no such column"):
        await described(service, ITEMS[:count], 0, 10)


async def test_nobody_else_is_told_of_wrong_columns() -> None:
    """A request without metadata that shares its calls with one whose columns are wrong is answered."""
    no = InvalidInput("no such column")
    ranker = SoftmaxRanker(lambda _: LOGITS, delay_s=0.05, fails=lambda _, call: no if asks(call) else None)
    service = service_of(ranker)
    async with asyncio.TaskGroup() as group:
        wrong = group.create_task(described_or_error(service))
        right = group.create_task(rerank(service, ITEMS[:40]))
    assert isinstance(wrong.result(), InvalidInput)
    assert agrees(right.result(), LOGITS)
    assert sum(not asks(call) for call in ranker.calls) == 1


async def described_or_error(service: Service) -> Described | Exception:
    """What comes of a described ranking."""
    try:
        return await described(service, ITEMS[:40])
    except (InvalidInput, UpstreamError) as error:
        return error


async def test_a_cache_that_is_away_costs_calls() -> None:
    """Without a cache every page is asked for, when nobody asks for it any more, and the answer is whole."""

    class Away:
        async def fetch(self, keys: Sequence[str]) -> None:
            return None

        async def put(self, values: object, keep_s: float) -> bool:
            return False

    service = service_of(SoftmaxRanker(lambda _: LOGITS), values=Away())
    for calls in (3, 1, 1):
        answer = await described(service, ITEMS[:600], 0, 48)
        assert answer.result.usage.upstream_calls == calls
        assert whole(answer, 0, 48)
        await asyncio.sleep(2 * LINGER_S)


@pytest.mark.parametrize(("offset", "limit"), [(0, 0), (600, 10), (5_000, None), (2**63 - 1, 2**63 - 1)])
async def test_a_page_of_nothing_asks_for_nothing(offset: int, limit: int | None) -> None:
    """Where no item is shown, no metadata is asked for."""
    ranker = SoftmaxRanker(lambda _: LOGITS)
    answer = await described(service_of(ranker), ITEMS[:600], offset, limit)
    assert len(ranker.calls) == 2
    assert order(answer.result)
    assert answer.metadata == {}

"""Every wanted item is asked, once but for anchors, in exactly as many calls as the arithmetic needs."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Grade
from gateway.core.plan import ANCHORS_MAX, Plan, plan_ranking, spread
from tests.core.builders import frame_with, names

SIZES = [1, 2, 499, 500, 501, 502, 503, 968, 992, 997, 998, 2_000, 10_000, 50_000]
LIMITS = st.integers(min_value=2, max_value=50)
COUNTS = st.integers(min_value=1, max_value=400)


def check_chunks(plan: Plan) -> None:
    """What holds for every plan: all wanted asked, anchors in every call, nothing twice in one, none too long; and the
    ids that are sent are those of the places."""
    asked = Counter(np.concatenate(plan.chunks).tolist())
    anchors = set(plan.anchors.tolist())
    assert set(range(plan.wanted)) <= set(asked) <= set(range(plan.wanted)) | anchors
    assert all(times == (len(plan.chunks) if place in anchors else 1) for place, times in asked.items())
    for chunk in plan.chunks:
        assert len(set(chunk.tolist())) == len(chunk) <= plan.limit
        assert chunk[: len(anchors)].tolist() == plan.anchors.tolist()
    assert plan.lists() == [plan.items(chunk) for chunk in plan.chunks]
    sizes = {len(chunk) for chunk in plan.chunks}
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", SIZES)
def test_a_cold_plan_makes_exactly_the_calls_of_the_formula(count: int) -> None:
    """One call while everything fits, then ceil((n - 3) / 497): no call is ever added for the sake of anchors."""
    plan = plan_ranking(names(count))
    check_chunks(plan)
    assert len(plan.chunks) == (1 if count <= 500 else math.ceil((count - 3) / 497))
    assert len(plan.anchors) <= ANCHORS_MAX


@given(COUNTS, LIMITS)
def test_a_cold_plan_keeps_its_rules_at_small_limits(count: int, limit: int) -> None:
    """Coverage, call size, balance and the number of calls hold for every list and every limit from 2 up."""
    plan = plan_ranking(names(count), None, limit)
    check_chunks(plan)
    reserved = min(3, limit - 1)
    assert len(plan.chunks) == (1 if count <= limit else math.ceil((count - reserved) / (limit - reserved)))


@given(COUNTS, LIMITS)
def test_a_cold_plan_spends_every_free_slot_on_anchors(count: int, limit: int) -> None:
    """One more anchor would not fit into the calls, unless there are 32 already; one call needs none."""
    plan = plan_ranking(names(count), None, limit)
    anchors, calls = len(plan.anchors), len(plan.chunks)
    if calls == 1:
        assert anchors == 0
    else:
        assert anchors == ANCHORS_MAX or (count - anchors - 1) > calls * (limit - anchors - 1)


def test_ten_thousand_candidates_are_21_calls_with_25_anchors() -> None:
    """The example of the design comes out as it says."""
    plan = plan_ranking(names(10_000))
    assert (len(plan.chunks), len(plan.anchors)) == (21, 25)


def test_a_hundred_thousand_candidates_are_planned() -> None:
    """A very long list keeps the formula: 202 calls, every candidate in one."""
    plan = plan_ranking(names(100_000))
    assert len(plan.chunks) == math.ceil(99_997 / 497) == 202
    check_chunks(plan)


@pytest.mark.parametrize("count", [501, 2_000, 10_000])
def test_cold_anchors_stand_from_the_1st_to_the_60th_percent_of_the_list(count: int) -> None:
    """Anchors are spread over the upper part of the caller's list, evenly."""
    anchors = plan_ranking(names(count)).anchors / (count - 1)
    assert anchors[0] == pytest.approx(0.01, abs=1 / count)
    assert anchors[-1] == pytest.approx(0.60, abs=1 / count)
    assert np.ptp(np.diff(anchors)) <= 2 / count


def test_a_cold_plan_deals_the_candidates_round_robin() -> None:
    """Neighbours in the caller's list go to different calls, so a lost call costs a thin slice."""
    plan = plan_ranking(names(5_000))
    call_of = np.full(5_000, -1)
    for call, chunk in enumerate(plan.chunks):
        call_of[chunk[len(plan.anchors) :]] = call
    dealt = call_of[call_of >= 0]
    assert (np.diff(dealt) % len(plan.chunks) == 1).all()


@pytest.mark.parametrize("count", [1, 468, 469, 492, 493, 984, 985, 10_000])
def test_a_plan_with_a_frame_makes_exactly_the_calls_of_its_formula(count: int) -> None:
    """As few as there can be with one anchor each, ceil(missing / 499); all free slots up to 32 are anchors."""
    frame = frame_with({name: -0.01 * place for place, name in enumerate(names(1_000, "known"))})
    plan = plan_ranking(names(count), frame)
    check_chunks(plan)
    assert len(plan.chunks) == math.ceil(count / 499)
    assert 1 <= len(plan.anchors) <= ANCHORS_MAX
    assert len(plan.anchors) == min(ANCHORS_MAX, 500 - math.ceil(count / len(plan.chunks)))


@given(COUNTS, LIMITS, st.integers(min_value=1, max_value=60))
def test_a_plan_with_a_frame_keeps_its_rules_at_small_limits(count: int, limit: int, held: int) -> None:
    """Anchors and reference are items of the frame, the reference the strongest; the calls are the formula's."""
    frame = frame_with({name: -0.1 * place for place, name in enumerate(names(held, "known"))})
    plan = plan_ranking(names(count), frame, limit)
    check_chunks(plan)
    assert len(plan.chunks) == math.ceil(count / (limit - 1))
    assert plan.known_log is not None
    assert plan.known_sharp is not None
    assert set(plan.universe[count:]) <= set(frame.items)
    assert (plan.anchors >= count).all()
    assert len(set(plan.universe)) == len(plan.universe)
    known = dict(zip(frame.items, frame.log.tolist(), strict=True))
    assert plan.known_log[count:].tolist() == [known[name] for name in plan.universe[count:]]
    assert np.isnan(plan.known_log[:count]).all()
    assert (np.diff(plan.known_log[plan.reference]) <= 0).all()
    assert plan.items(plan.reference[:1]) == ["known0"] or len(plan.chunks) >= limit


@given(COUNTS, LIMITS, st.integers(min_value=1, max_value=60), st.data())
def test_what_is_wanted_and_known_is_asked_once(count: int, limit: int, held: int, data: st.DataObject) -> None:
    """Items that the frame holds may be wanted as well, and may be its anchors: no call, nor a bridge, holds one twice,
    and their log scores are known where they stand."""
    wanted = [
        *names(data.draw(st.sampled_from([0, count]))),
        *data.draw(st.lists(st.sampled_from(names(held, "known")), unique=True, min_size=1)),
    ]
    known = {name: -0.1 * place for place, name in enumerate(names(held, "known"))}
    plan = plan_ranking(data.draw(st.permutations(wanted)), frame_with(known), limit)
    check_chunks(plan)
    assert plan.known_log is not None
    assert len(set(plan.universe)) == len(plan.universe)
    assert len(plan.chunks) <= math.ceil(len(wanted) / (limit - 1))
    assert {plan.universe[place]: plan.known_log[place] for place in plan.known.tolist()}.items() <= known.items()
    assert {*plan.anchors.tolist(), *plan.reference.tolist()} <= set(plan.known.tolist())


def test_plans_of_one_length_do_not_disturb_each_other() -> None:
    """What cold plans of one length share can be written to by none of them."""
    first, second = plan_ranking(names(1_000)), plan_ranking(names(1_000, "other"))
    first.chunks.clear()
    check_chunks(second)
    for places in (second.anchors, *second.chunks):
        with pytest.raises(ValueError, match="read-only"):
            places[0] = 1


def test_only_sharp_items_of_the_frame_are_witnesses() -> None:
    """`known_sharp` is those of the frame's items whose score was good enough to check for drift."""
    grades = np.array([Grade.SHARP, Grade.RESOLVED] * 10, dtype=np.uint8)
    frame = frame_with({name: -0.1 * place for place, name in enumerate(names(20, "known"))}, grade=grades)
    plan = plan_ranking(names(5), frame)
    assert plan.known_sharp is not None
    assert all(int(item.removeprefix("known")) % 2 == 0 for item in plan.items(plan.known_sharp))
    assert len(plan.known_sharp) == 10


@pytest.mark.parametrize("grade", [Grade.ROUNDED, Grade.TRAILING, Grade.UNKNOWN, Grade.EXCLUDED])
def test_a_frame_without_a_scored_item_gives_a_cold_plan(grade: int) -> None:
    """What has no score cannot be an anchor."""
    plan = plan_ranking(names(600), frame_with(dict.fromkeys(names(50, "known"), 0.0), grade))
    assert plan.known_log is None
    assert plan.universe == names(600)


@given(st.data(), st.integers(min_value=1, max_value=3_000))
def test_spread_gives_as_many_distinct_places_as_asked(data: st.DataObject, count: int) -> None:
    """Rounding never lets two anchors fall onto one place, nor one outside of the list."""
    anchors = data.draw(st.integers(min_value=0, max_value=min(count, 500)))
    places = spread(count, anchors)
    assert len(set(places.tolist())) == len(places) == anchors
    assert all(0 <= place < count for place in places.tolist())

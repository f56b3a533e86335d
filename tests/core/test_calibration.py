"""Calls are put on one scale: exactly where scores are exact, and without harm where answers are hostile."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.answer import check_answer
from gateway.core.calibration import NUDGE, calibrate
from gateway.core.model import Grade
from gateway.core.ordering import order_candidates
from gateway.core.plan import plan_ranking
from tests.core.builders import Made, World, best_first, frame_with, make, names, normal_world

LIMITS = st.integers(min_value=2, max_value=12)
APART = st.lists(st.integers(min_value=-300, max_value=300), min_size=1, max_size=60, unique=True)
"""Hundredths of a logit, all apart: by far more than the nudges, by less than any rounding would hide."""


def world_of(hundredths: list[int], **others: object) -> tuple[list[str], World]:
    """A caller's list and a world with these logits."""
    wanted = names(len(hundredths))
    return wanted, World({item: value / 100 for item, value in zip(wanted, hundredths, strict=True)}, **others)


# --- exact scores: nothing but the arithmetic -----------------------------------------------------


@given(APART, LIMITS)
def test_exact_calls_give_the_order_and_the_scores_of_one_call(hundredths: list[int], limit: int) -> None:
    """However a list is cut, the merged ranking is that of one unlimited call, nudges aside."""
    wanted, world = world_of(hundredths, exact=True)
    made, whole = make(world, wanted, limit=limit), world.whole(wanted)
    assert made.order == [item for item, _ in whole]
    assert made.scores == pytest.approx([score for _, score in whole], rel=2 * NUDGE * limit)
    assert sum(made.scores) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("count", [500, 501, 2_000, 10_000])
def test_exact_calls_of_500_give_the_order_and_the_scores_of_one_call(count: int) -> None:
    """The same at the real limit, where the nudges add up to 5e-7 at most."""
    logits = np.random.default_rng(count).permutation(np.linspace(-4.0, 4.0, count))
    wanted = names(count)
    world = World(dict(zip(wanted, logits.tolist(), strict=True)), exact=True)
    made, whole = make(world, wanted), world.whole(wanted)
    assert made.order == [item for item, _ in whole]
    assert made.scores == pytest.approx([score for _, score in whole], rel=2 * NUDGE * 500)
    assert not made.bridges


@given(APART, st.integers(min_value=5, max_value=12), st.data())
def test_exact_calls_through_a_frame_stay_on_its_scale(hundredths: list[int], limit: int, data: st.DataObject) -> None:
    """A second list lands on the scale of the first: log scores of both differ as the logits do."""
    wanted, world = world_of(hundredths, exact=True)
    cut = data.draw(st.integers(min_value=1, max_value=len(wanted)))
    first = make(world, wanted[:cut], limit=limit).frame
    both = first if cut == len(wanted) else first.extended(make(world, wanted[cut:], first, limit=limit).frame)
    moves = both.log - [world.logits[item] for item in both.items]
    assert np.ptp(moves) < 4 * NUDGE * limit
    assert order_candidates(both.log, both.grade).order.tolist() == [
        both.items.index(i) for i in best_first(world, wanted)
    ]


@given(APART, LIMITS, st.booleans(), st.data())
def test_the_order_of_the_calls_does_not_matter(
    hundredths: list[int], limit: int, exact: bool, data: st.DataObject
) -> None:
    """Dealing the same chunks in another order changes neither log scores nor grades nor the ranking."""
    wanted, world = world_of([8 * value for value in hundredths], exact=exact, blank=0.0)
    world = replace(world, logits={item: world.logits[item] for item in wanted if hash_of(item) % 5})
    made = make(world, wanted, limit=limit, bridged=False)
    turn = data.draw(st.permutations(range(len(made.answers))))
    turned = calibrate(
        replace(made.plan, chunks=[made.plan.chunks[call] for call in turn]), [made.answers[call] for call in turn]
    )
    np.testing.assert_array_equal(turned.grade, made.calibration.grade)
    np.testing.assert_allclose(turned.log, made.calibration.log, atol=1e-12)
    np.testing.assert_array_equal(order_candidates(turned.log, turned.grade).order, made.ranking.order)
    np.testing.assert_allclose(turned.errors, made.calibration.errors[list(turn)])


def hash_of(item: str) -> int:
    """A number that belongs to an item, the same in every run."""
    return sum(map(ord, item))


# --- inside one call ------------------------------------------------------------------------------


def test_ties_inside_a_call_keep_the_calls_order() -> None:
    """The response order comes from unrounded scores, so it decides between equal rounded ones."""
    wanted = names(200)
    said = list(reversed(wanted))
    answer = check_answer(wanted, said, [0.005] * 200, "RID", filtered=False)
    calibration = calibrate(plan_ranking(wanted), [answer])
    assert [wanted[place] for place in order_candidates(calibration.log, calibration.grade).order] == said
    assert (np.diff(calibration.log[answer.positions]) < 0.0).all()


def test_ties_across_calls_keep_the_callers_order() -> None:
    """Items of different calls that score the same at the same place are ranked as the caller named them."""
    wanted = names(9)
    plan = plan_ranking(wanted, None, 6)
    answers = [
        check_answer(plan.items(chunk), plan.items(chunk), [1 / 6] * len(chunk), "RID", filtered=False)
        for chunk in plan.chunks
    ]
    calibration = calibrate(plan, answers)
    order = order_candidates(calibration.log, calibration.grade).order.tolist()
    stripes = [chunk[len(plan.anchors) :].tolist() for chunk in plan.chunks]
    for pair in zip(*stripes, strict=True):
        assert sorted(pair, key=order.index) == sorted(pair)


def test_a_grade_follows_the_score() -> None:
    """100 quanta are sharp, 10 are resolved, one is faint, none is rounded, and no score at all is unknown."""
    wanted = names(8)
    scores = [0.9, 1e-5, 9.9e-6, 1e-6, 9e-7, 0.0, 0.0, None]
    said = [*wanted[:5], wanted[6], wanted[5], wanted[7]]
    answer = check_answer(wanted, said, scores, "RID", filtered=False)
    assert calibrate(plan_ranking(wanted), [answer]).grade.tolist() == [
        Grade.SHARP,
        Grade.SHARP,
        Grade.RESOLVED,
        Grade.RESOLVED,
        Grade.FAINT,
        Grade.TRAILING,
        Grade.ROUNDED,
        Grade.UNKNOWN,
    ]


def test_rounded_items_are_interleaved_below_all_scored_ones_in_each_calls_order() -> None:
    """Items rounded away keep the order of their call and mix with those of the others."""
    rng = np.random.default_rng(7)
    wanted = names(40)
    strong, weak = wanted[:10], wanted[10:]
    world = World(
        dict(zip(strong, rng.permutation(np.linspace(0, 3, 10)).tolist(), strict=True))
        | dict(zip(weak, rng.permutation(np.linspace(-29, -20, 30)).tolist(), strict=True))
    )
    made = make(world, wanted, limit=25)
    assert made.order[:10] == best_first(world, strong)
    rounded = [item for item in made.order if made.calibration.grade[wanted.index(item)] == Grade.ROUNDED]
    calls = [int(made.calibration.call[wanted.index(item)]) for item in rounded]
    for call in set(calls):
        own = [item for item, its_call in zip(rounded, calls, strict=True) if its_call == call]
        assert own == best_first(world, own)
    log, grade = made.calibration.log, made.calibration.grade
    assert log[grade == Grade.ROUNDED].max() < log[grade <= Grade.FAINT].min()
    assert len(rounded) > 10
    assert len({*calls[:4]}) == len(made.plan.chunks)


# --- hostile mixtures -----------------------------------------------------------------------------

KINDS = st.sampled_from(["known", "known", "known", "weak", "unknown", "excluded"])


def class_of(grade: int) -> int:
    """The place of a grade among the classes of the order; all scored items are one class."""
    return max(grade, int(Grade.FAINT))


def check_ranking(made: Made, world: World) -> None:
    """What holds of every ranking, whatever was answered."""
    calibration, ranking = made.calibration, made.ranking
    grade = calibration.grade
    assert sorted(ranking.order.tolist()) == np.flatnonzero(grade != Grade.EXCLUDED).tolist()
    assert np.isfinite(ranking.scores).all()
    assert ranking.scores.sum() == pytest.approx(1.0 if ranking.scored else 0.0)
    assert np.isfinite(calibration.log[grade <= Grade.ROUNDED]).all()
    assert np.isfinite(calibration.offsets).all()
    assert not np.isnan(calibration.errors).any()
    classes = [class_of(grade[place]) for place in ranking.order]
    assert classes == sorted(classes)
    heard = {place for c, answer in enumerate(made.answers) if answer is not None for place in made.plan.chunks[c]}
    for place, item in enumerate(made.plan.universe[: made.plan.wanted]):
        if place not in heard:
            assert grade[place] == Grade.UNRANKED
        elif item in world.excluded:
            assert grade[place] == Grade.EXCLUDED
        elif item not in world.logits:
            assert grade[place] in ((Grade.UNKNOWN,) if world.blank is None else (Grade.ROUNDED, Grade.TRAILING))
        else:
            assert grade[place] <= Grade.TRAILING


@given(
    st.lists(st.tuples(KINDS, st.integers(min_value=-300, max_value=300)), min_size=1, max_size=60),
    LIMITS,
    st.sets(st.integers(min_value=0, max_value=20), max_size=12),
    st.sampled_from([None, 0.0]),
    st.booleans(),
    st.sampled_from([0, 1, 9]),
)
def test_nothing_breaks_the_ranking(
    items: list[tuple[str, int]], limit: int, lost: set[int], blank: float | None, bridged: bool, held: int
) -> None:
    """Unknown, excluded and rounded items, lost calls, useless anchors, a frame or none: classes keep their places."""
    wanted = names(len(items))
    kinds = {item: kind for item, (kind, _) in zip(wanted, items, strict=True)}
    logits = {
        item: value / 100 - (25.0 if kind == "weak" else 0.0)
        for item, (kind, value) in zip(wanted, items, strict=True)
        if kind in ("known", "weak")
    }
    frame = frame_with({name: -0.5 * place for place, name in enumerate(names(held, "k"))}) if held else None
    held_logits = {name: -0.5 * place for place, name in enumerate(names(held, "k")) if place % 3 != 1}
    world = World({**logits, **held_logits}, frozenset(item for item in wanted if kinds[item] == "excluded"), blank)
    made = make(world, wanted, frame, limit=limit, lost=lost, bridged=bridged)
    check_ranking(made, world)
    if frame is None:
        check_joined(made)


def check_joined(made: Made) -> None:
    """A scored call that shares no scored anchor with the others is reported as apart, unless a bridge joined it."""
    scored = [c for c, answer in enumerate(made.answers) if answer is not None and answer.scores.any()]
    for c in range(len(made.answers)):
        if c not in scored or len(scored) == 1:
            assert made.first.errors[c] == 0.0
    if len(scored) > 1:
        apart = [c for c in scored if np.isinf(made.first.errors[c])]
        anchors = len(made.plan.anchors)
        for c in apart:
            answer = made.answers[c]
            assert answer is not None
            said = dict(zip(answer.positions.tolist(), answer.scores.tolist(), strict=True))
            assert sum(said.get(place, 0.0) for place in range(anchors)) == 0.0


@pytest.mark.parametrize("blank", [None, 0.0])
def test_all_unknown_keeps_the_callers_order(blank: float | None) -> None:
    """A user or list the model knows nothing of comes back as it was sent, whichever way the model says so."""
    made = make(World({}, blank=blank), names(1_200))
    assert made.order == names(1_200)
    assert made.scores == [0.0] * 1_200
    assert made.calibration.error == 0.0
    assert not made.bridges


@pytest.mark.parametrize("place", [0, 6, 600, 1_199])
def test_one_known_item_is_first_and_has_all(place: int) -> None:
    """A single known item, anchor or not, scores 1 and the others follow in the caller's order."""
    wanted = names(1_200)
    made = make(World({wanted[place]: -3.0}), wanted)
    assert made.order == [wanted[place], *(item for item in wanted if item != wanted[place])]
    assert made.scores == [1.0] + [0.0] * 1_199


def test_everything_excluded_is_an_empty_ranking() -> None:
    """A filter may drop all."""
    wanted, world = normal_world(1, 1_200, 1.0)
    made = make(replace(world, excluded=frozenset(wanted)), wanted)
    assert made.order == []
    assert made.ranking.excluded == 1_200


def test_unranked_items_stand_last_in_the_callers_order() -> None:
    """When all calls but one failed, its items are ranked, behind them the others wait as they came."""
    wanted, world = normal_world(2, 1_200, 1.0)
    made = make(world, wanted, lost={0, 1})
    heard = made.plan.items(made.plan.chunks[2])
    assert made.order == best_first(world, heard) + [item for item in wanted if item not in set(heard)]
    assert len(made.scores) == len(heard)
    assert made.calibration.error == 0.0


def test_no_answer_at_all_is_the_callers_order_without_scores() -> None:
    """When every call failed nothing is ranked and nothing is raised."""
    made = make(World({}), names(1_200), lost={0, 1, 2})
    assert made.order == names(1_200)
    assert made.scores == []


def test_the_order_of_an_answer_decides_even_against_its_scores() -> None:
    """A score that rises by a quantum down the answer does not lift its item above the one before."""
    wanted = names(3)
    answer = check_answer(wanted, ["i2", "i0", "i1"], [0.3333333, 0.3333334, 0.3333333], "RID", filtered=False)
    calibration = calibrate(plan_ranking(wanted), [answer])
    assert order_candidates(calibration.log, calibration.grade).order.tolist() == [2, 0, 1]

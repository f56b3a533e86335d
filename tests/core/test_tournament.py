"""Tournaments: whatever the calls say, every candidate once; and the exact head, where they agree."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.answer import Answer
from gateway.core.by_rank import frame_of_tournament, order_by_rank, standing
from gateway.core.model import Grade, Ints, on_grid
from gateway.core.ordering import Ranking
from gateway.core.tournament import DEPTHS, ROUNDS_MAX, Tournament, depth_of

Upstream = Callable[[Ints], Answer | None]


def answer(order: Sequence[int], unknown: int = 0) -> Answer:
    """An answer in this order of the places asked, the last of them unknown; its scores say nothing."""
    absent = np.arange(len(order)) >= len(order) - unknown
    return Answer(np.array(order, dtype=np.intp), np.where(absent, 0.0, 0.5), absent, "RID")


def consistent(strength: np.ndarray) -> Upstream:
    """A campaign whose order does not depend on the list; items without a strength (NaN) are unknown to it."""

    def ask(places: Ints) -> Answer:
        mine = strength[places]
        return answer(np.argsort(-mine, kind="stable").tolist(), int(np.isnan(mine).sum()))

    return ask


def play(count: int, depth: int, upstream: Upstream, limit: int = 500) -> tuple[Tournament, Ranking, int]:
    """A tournament to its end: itself, its ranking, and the calls that it took."""
    played, calls = Tournament(count, depth, limit), 0
    while lists := played.lists():
        for places in lists:
            assert 0 < len(set(places.tolist())) == len(places) <= limit
        calls += len(lists)
        played.take([upstream(places) for places in lists])
    return played, order_by_rank(standing(played), played.grade), calls


@given(
    count=st.integers(1, 300),
    depth=st.integers(1, 400),
    limit=st.integers(2, 40),
    seed=st.integers(0, 2**32 - 1),
    unknown=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_a_consistent_order_gives_the_exact_head(count: int, depth: int, limit: int, seed: int, unknown: float) -> None:
    """If no call contradicts another, what is settled is the true head, and as long as was asked for."""
    rng = np.random.default_rng(seed)
    strength = np.where(rng.random(count) < unknown, np.nan, rng.permutation(count).astype(float))
    played, ranking, calls = play(count, depth, consistent(strength), limit)
    known = int((~np.isnan(strength)).sum())
    settled = ranking.resolved_through
    assert played.settled == settled
    if len(played.sizes) <= ROUNDS_MAX:
        assert played.over
        assert settled >= min(depth, known)
    ideal = [*np.argsort(-strength, kind="stable")[:known].tolist(), *np.flatnonzero(np.isnan(strength)).tolist()]
    assert ranking.order[:settled].tolist() == ideal[:settled]
    assert ranking.order[known:].tolist() == ideal[known:]
    assert sum(map(len, played.sizes)) == calls


@given(
    count=st.integers(1, 200),
    depth=st.integers(1, 250),
    limit=st.integers(2, 30),
    seed=st.integers(0, 2**32 - 1),
    fails=st.sampled_from([0.0, 0.2]),
    drops=st.sampled_from([0.0, 0.3]),
)
def test_every_candidate_is_there_once(
    count: int, depth: int, limit: int, seed: int, fails: float, drops: float
) -> None:
    """However calls contradict each other, drop items or fail: it ends, and no candidate is lost or comes twice."""
    rng = np.random.default_rng(seed)

    def ask(places: Ints) -> Answer | None:
        kept = rng.permutation(np.flatnonzero(rng.random(len(places)) >= drops))
        return None if rng.random() < fails else answer(kept.tolist(), int(rng.integers(0, len(kept) + 1)))

    played, ranking, calls = play(count, depth, ask, limit)
    excluded = np.flatnonzero(played.grade == Grade.EXCLUDED)
    assert sorted([*ranking.order.tolist(), *excluded.tolist()]) == list(range(count))
    assert len(played.sizes) <= ROUNDS_MAX + 1
    chunks = -(-count // limit)
    assert calls <= chunks * (ROUNDS_MAX + 1)
    assert fails or (played.grade != Grade.UNRANKED).all()
    assert ((played.call >= 0) == (played.grade != Grade.UNRANKED)).all()


@pytest.mark.parametrize(
    ("count", "depth", "calls", "rounds"),
    [
        (5_000, 100, 11, 2),
        (10_000, 100, 21, 2),
        (25_000, 100, 51, 2),
        (100_000, 100, 205, 3),
        (5_000, 500, 12, 3),
        (10_000, 500, 23, 4),
        (100_000, 500, 210, 6),
        (100_000, 2_000, 225, 12),
    ],
)
def test_calls_beyond_the_chunks_are_few(count: int, depth: int, calls: int, rounds: int) -> None:
    """A page takes one call more than there are chunks, up to 25,000 candidates; the most there is takes a few."""
    strength = np.random.default_rng(3).permutation(count).astype(float)
    played, ranking, made = play(count, depth, consistent(strength))
    assert ranking.resolved_through >= depth
    assert made <= calls
    assert len(played.sizes) <= rounds


def test_chunks_alone_do_not_tell_the_head() -> None:
    """The control: put together by how deep each item came in its own chunk, a tenth of the first 100 is missing."""
    strength = np.random.default_rng(3).permutation(10_000).astype(float)
    played = Tournament(10_000, 100)
    ask = consistent(strength)
    played.take([ask(places) for places in played.lists()])
    ranking = order_by_rank(standing(played), played.grade)
    ideal = set(np.argsort(-strength)[:100].tolist())
    assert ranking.resolved_through == 0
    assert len(ideal & set(ranking.order[:100].tolist())) <= 90


def test_a_lost_meeting_ends_the_tournament() -> None:
    """If the heads cannot meet nothing is settled, all are ranked, and no more calls are made."""
    ask = consistent(np.arange(1_400.0))
    played, ranking, calls = play(1_400, 100, lambda places: ask(places) if len(places) < 490 else None)
    assert (calls, played.over) == (4, False)
    assert (ranking.resolved_through, ranking.ranked, ranking.unranked) == (0, 1_400, 0)


@pytest.mark.parametrize(
    ("page_end", "depth"), [(None, 500), (0, 100), (48, 100), (100, 100), (101, 500), (2_000, 2_000), (9**9, 2_000)]
)
def test_how_deep_to_go(page_end: int | None, depth: int) -> None:
    """A page is settled through its end, in steps and up to a limit; of a whole list the first 500 are."""
    assert depth_of(page_end) == depth
    assert depth in DEPTHS


def test_what_is_kept_gives_the_same_ranking() -> None:
    """A frame of a tournament holds its order to the bit after a store, its call for every item, and no lost ones."""
    strength = np.random.default_rng(5).permutation(3_000).astype(float)
    ask, lost = consistent(strength), iter([False, True])
    played, ranking, calls = play(3_000, 100, lambda places: None if next(lost, False) else ask(places))
    items = [f"item-{number}" for number in range(3_000)]
    ids = ["" if number == 1 else f"RID-{number}" for number in range(calls)]
    frame = frame_of_tournament(played, items, ids, scale_id="s", created_s=7.0)
    np.testing.assert_array_equal(frame.log, on_grid(frame.log))
    rows = frame.rows(items)
    assert (rows < 0).sum() == ranking.unranked == 500
    again = order_by_rank(*frame.standing(rows))
    assert again.order.tolist() == ranking.order.tolist()
    assert again.resolved_through == ranking.resolved_through > 100
    best = frame.source[rows[ranking.order[0]]]
    assert frame.recommendation_ids[best] == f"RID-{calls - 1}"
    assert set(frame.recommendation_ids) == set(ids) - {""}


def test_strong_items_meet_in_company() -> None:
    """A meeting has no empty slots: what the heads leave free goes to a sample of all the others, strong and weak."""
    strength = np.random.default_rng(3).permutation(5_000).astype(float)
    ask, played = consistent(strength), Tournament(5_000, 100)
    played.take([ask(places) for places in played.lists()])
    (meeting,) = played.lists()
    assert len(meeting) == 500
    assert (np.diff(meeting) > 0).all()
    ranks = np.argsort(np.argsort(-strength))[meeting]
    assert set(range(100)) <= set(ranks.tolist())
    company = ranks[ranks >= 400]
    assert 0.4 < (company < 2_700).mean() < 0.6

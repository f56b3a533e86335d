"""A frame is a value: it finds its rows, grows without touching what it grew from, and keeps its oldest age."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.frame import Frame
from gateway.core.ids import Ids
from gateway.core.model import Grade
from tests.core.builders import frame_with, names

GRADES = st.sampled_from([getattr(Grade, name) for name in Grade.__dict__ if name.isupper()])


@st.composite
def frames(draw: st.DrawFn, prefix: str = "i") -> Frame:
    """A frame of up to twelve items from up to three calls."""
    rows = draw(st.lists(st.tuples(GRADES, st.integers(-9, 9), st.integers(0, 2)), max_size=12))
    return Frame(
        ids=Ids(names(len(rows), prefix)),
        log=np.array([log for _, log, _ in rows], dtype=np.float64),
        grade=np.array([grade for grade, _, _ in rows], dtype=np.uint8),
        source=np.array([call for _, _, call in rows], dtype=np.int32),
        recommendation_ids=tuple(names(3, f"RID-{prefix}")),
        scale_id="scale",
        created_s=draw(st.floats(min_value=0.0, max_value=100.0)),
        epoch=draw(st.integers(0, 3)),
    )


def contents(frame: Frame) -> dict[str, tuple[float, int, str]]:
    """What a frame says of every item: log score, grade, and the call that it came from."""
    return {
        item: (float(frame.log[row]), int(frame.grade[row]), frame.recommendation_ids[frame.source[row]])
        for row, item in enumerate(frame.items)
    }


@given(frames(), st.permutations([*names(14), "stranger"]))
def test_rows_are_found_by_item(frame: Frame, candidates: list[str]) -> None:
    """Every candidate gets the row that holds it, and -1 where there is none."""
    for candidate, row in zip(candidates, frame.rows(candidates).tolist(), strict=True):
        assert (frame.items[row] == candidate) if row >= 0 else candidate not in frame.items


@given(frames(), frames("j"))
def test_an_extended_frame_says_what_both_said(one: Frame, other: Frame) -> None:
    """No row of either changes, and neither frame does."""
    before = contents(one), contents(other)
    one.rows(["i0"])
    both = one.extended(other)
    assert contents(both) == {**before[0], **before[1]}
    assert (contents(one), contents(other)) == before
    assert both.rows(one.items + other.items).tolist() == list(range(len(both)))


@given(frames(), frames("j"))
def test_an_extended_frame_is_as_old_as_its_oldest_score(one: Frame, other: Frame) -> None:
    """Adding items never prolongs a life, and scale and epoch stay."""
    both = one.extended(other)
    assert both.created_s == min(one.created_s, other.created_s)
    assert (both.scale_id, both.epoch) == (one.scale_id, one.epoch)


@given(frames(), st.data())
def test_a_part_of_a_frame_says_what_the_whole_said(frame: Frame, data: st.DataObject) -> None:
    """Cutting a frame keeps its rows' meaning, its age, and an index of its own."""
    frame.rows(["i0"])
    picked = data.draw(st.lists(st.sampled_from(range(len(frame))), unique=True) if len(frame) else st.just([]))
    part = frame.only(np.array(picked, dtype=np.intp))
    assert contents(part) == {frame.items[row]: contents(frame)[frame.items[row]] for row in picked}
    assert part.rows(frame.items).tolist() == [picked.index(row) if row in picked else -1 for row in range(len(frame))]
    assert (part.created_s, part.scale_id, part.epoch) == (frame.created_s, frame.scale_id, frame.epoch)


@given(frames())
def test_anchors_come_from_the_resolved_items_strongest_first(frame: Frame) -> None:
    """Faint items serve only where nothing is resolved, and items without a score never."""
    rows = frame.by_strength()
    resolved, scored = ({row for row in range(len(frame)) if frame.grade[row] <= worst} for worst in (1, 2))
    assert set(rows.tolist()) == (resolved or scored)
    assert (np.diff(frame.log[rows]) <= 0.0).all()


@pytest.mark.parametrize("grade", [Grade.SHARP, Grade.RESOLVED, Grade.FAINT])
def test_equally_strong_items_keep_their_order(grade: int) -> None:
    """Strength is a stable order."""
    assert frame_with(dict.fromkeys(names(40), 1.0), grade).by_strength().tolist() == list(range(40))


@given(frames(), st.lists(st.binary(max_size=60), max_size=12))
def test_what_was_told_is_kept_for_the_own_list_within_its_bytes(frame: Frame, told: list[bytes]) -> None:
    """An answer is kept when it is told again, if it is no longer than the frame is booked with, and for no list in
    another order, or longer, or shorter."""
    own = frame.own(frame.ids.places)
    own.tell(told)
    assert not own.told
    own.tell(told)
    assert list(own.told) == (told if sum(map(len, told)) <= frame.told_bytes_max else [])
    assert frame.own(frame.rows(list(frame.items))) is own
    others = [[*frame.items, "stranger"], frame.items[:-1], frame.items[::-1], frame.items[1:] + frame.items[:1]]
    assert all(frame.own(frame.rows(other)) is None for other in others if other != frame.items)


def test_a_repr_shows_no_items() -> None:
    """A frame in a log is a line of numbers."""
    assert repr(frame_with({"secret": 0.0})) == "<Frame items=1 calls=1 scale=scale epoch=0>"

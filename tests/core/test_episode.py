"""Episodes: trouble is told when it begins and when it ends, and not in between. Times are arguments."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.episode import Ended, Episode

SIGNS = st.lists(st.tuples(st.floats(0.01, 3.0), st.booleans()), max_size=60)
"""Pauses, and whether what came then was good."""


def test_one_line_each() -> None:
    """A hundred bad signs begin one episode; the first good one after the quiet time ends it, with their number."""
    episode = Episode(quiet_s=1.0)
    assert [episode.bad(10.0 + n / 10) for n in range(100)] == [True, *[False] * 99]
    assert episode.good(20.5) is None  # too soon after the last: it is not over
    assert episode.under_way
    assert episode.good(21.0) == Ended(100, 19.9 - 10.0)
    assert not episode.under_way
    assert episode.good(21.1) is None


def test_without_trouble_nothing_is_told() -> None:
    """Good signs alone say nothing."""
    episode = Episode()
    assert [episode.good(float(n)) for n in range(5)] == [None] * 5


def test_the_next_one_is_counted_anew() -> None:
    """After an end the count begins anew; signs may be counted in numbers."""
    episode = Episode(quiet_s=1.0)
    episode.bad(0.0, count=7)
    assert episode.good(5.0) == Ended(7, 0.0)
    assert episode.bad(6.0)
    assert episode.good(7.0) == Ended(1, 0.0)


def test_its_line() -> None:
    """What is written of its end: how often, and how long from the first to the last."""
    assert Ended(3, 1.23456).told() == {"count": 3, "lasted_s": 1.235}


@given(SIGNS)
def test_lines_take_turns(signs) -> None:
    """Whatever comes: begin and end alternate, no line stands within the quiet time after a bad sign's line but a
    beginning, and every bad sign is in exactly one count."""
    episode, now_s, last_bad_s = Episode(quiet_s=1.0), 0.0, -1e9
    told, counted, bad = [], 0, 0
    for pause_s, good in signs:
        now_s += pause_s
        if good:
            if ended := episode.good(now_s):
                assert now_s - last_bad_s >= 1.0
                told.append("end")
                counted += ended.signs
        else:
            bad += 1
            last_bad_s = now_s
            if episode.bad(now_s):
                told.append("begin")
    assert told == (["begin", "end"] * len(told))[: len(told)]
    if not episode.under_way:
        assert counted == bad

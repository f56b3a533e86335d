"""How answers are read for the audit, and what is said of the odd ones."""

from typing import Any

import numpy as np
import pytest

from gateway.core.audit.heard import (
    FOREIGN,
    LOST,
    NO_SHARE,
    RISING,
    TWICE,
    UNSCORED_FIRST,
    RawAnswer,
    hear,
)
from gateway.core.audit.lists import made_up, padded
from gateway.core.audit.probes import (
    decimals_of,
    describe_duplicates,
    describe_latency,
    describe_scores,
    describe_unknown,
)

ASKED = ["a", "b", "c"]


def raw(*entries: tuple[object, object]) -> RawAnswer:
    """An answer of these items and scores."""
    return RawAnswer([item for item, _ in entries], [score for _, score in entries], 12.0)


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([("a", 0.6), ("b", 0.4), ("x", 0.0), ("c", 0.0)], FOREIGN),
        ([("a", 0.6), ("b", 0.4), (None, 0.0), ("c", 0.0)], FOREIGN),
        ([("a", 0.6), ("b", 0.4), ("a", 0.0), ("c", 0.0)], TWICE),
        ([("a", 0.6), ("b", 0.4)], LOST),
        ([("a", 0.6), ("b", "0.4"), ("c", 0.0)], NO_SHARE),
        ([("a", 1.5), ("b", 0.4), ("c", 0.0)], NO_SHARE),
        ([("a", float("nan")), ("b", 0.4), ("c", -0.1)], NO_SHARE),
        ([("a", True), ("b", 0.0), ("c", 0.0)], NO_SHARE),
        ([("a", 0.4), ("b", 0.6), ("c", 0.0)], RISING),
        ([("a", None), ("b", 0.6), ("c", 0.4)], UNSCORED_FIRST),
    ],
)
def test_faults_of_answers(entries: list[tuple[object, object]], fault: str) -> None:
    """Every way to break the contract is named, and what can be read is read."""
    heard = hear(ASKED, raw(*entries), filtered=False)
    assert fault in heard.faults
    assert set(heard.items) <= set(ASKED)


@pytest.mark.parametrize(
    ("entries", "filtered"),
    [
        ([("a", 0.6), ("b", 0.4), ("c", None)], False),
        ([("a", 0.5), ("b", 0.5000001), ("c", 0)], False),  # rises by one rounding
        ([("a", 1.0)], True),
        ([], True),
    ],
)
def test_sound_answers(entries: list[tuple[object, object]], filtered: bool) -> None:
    """Absent scores, ties of the rounding and filtered items are no faults."""
    assert hear(ASKED, raw(*entries), filtered=filtered).faults == frozenset()


@pytest.mark.parametrize(
    ("score", "decimals"), [(0.0, 0), (1.0, 0), (0.5, 1), (7.8e-05, 6), (1.7e-06, 7), (0.6063433, 7), (1e-7, 7)]
)
def test_decimals(score: float, decimals: int) -> None:
    """Digits after the point are counted as the service writes them, trailing zeros stripped."""
    assert decimals_of(score) == decimals


def test_scores_summed_up() -> None:
    """Decimals, shares and sums are those of all answers together."""
    one = hear(ASKED, raw(("a", 0.9999999), ("b", 0.0), ("c", None)), filtered=False)
    other = hear(ASKED, raw(("a", 0.5), ("b", 0.5), ("c", 0.0)), filtered=False)
    found = describe_scores([one, other])
    assert (found.decimals, found.sum_min, found.sum_max) == (7, 0.9999999, 1.0)
    assert (found.rounded_to_zero, found.unscored) == pytest.approx((2 / 6, 1 / 6))


@pytest.mark.parametrize(
    ("entries", "treated", "last"),
    [
        ([("a", 1.0), ("x", None), ("y", None)], "no score", True),
        ([("a", 1.0), ("x", 0.0), ("y", 0)], "score 0", True),
        ([("x", 0.5), ("a", 0.3), ("y", 0.2)], "a score", False),
        ([("a", 1.0), ("x", None)], "left out", False),
    ],
)
def test_made_up_items(entries: list[tuple[object, Any]], treated: str, last: bool) -> None:
    """What unknown items get is told in a word, and whether they come last."""
    found = describe_unknown(hear(["x", "y", "a"], raw(*entries), filtered=False), ["x", "y"])
    assert (found.treated, found.last) == (treated, last)


def test_repeated_items() -> None:
    """Entries and distinct items are counted on both sides."""
    found = describe_duplicates(["a", "b", "a"], raw(("a", 0.4), ("a", 0.4), ("b", None)))
    assert (found.asked, found.asked_distinct, found.came, found.came_distinct) == (3, 2, 3, 2)
    assert found.total == pytest.approx(0.8)


def test_latencies() -> None:
    """The median and the longest; nothing of nothing."""
    found = describe_latency(50, [3.0, 1.0, 2.0])
    assert found is not None
    assert (found.calls, found.median_ms, found.max_ms) == (3, 2.0, 3.0)
    assert describe_latency(50, []) is None


@pytest.mark.parametrize("count", [2, 3, 5])
def test_padding(count: int) -> None:
    """A list is cut or filled with made-up items, and stays distinct."""
    assert len(set(padded(ASKED, count))) == count
    assert len(set(made_up(count))) == count


def test_scores_of_nothing() -> None:
    """Lists without any scored item are summed up without a warning."""
    found = describe_scores([hear(ASKED, raw(("a", None), ("b", None), ("c", None)), filtered=False)])
    assert (found.decimals, found.unscored, found.sum_max) == (0, 1.0, 0.0)
    assert not np.isnan(found.rounded_to_zero)

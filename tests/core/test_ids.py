"""Ids are the same whether they are kept as a list or as one text, and only the very same list is theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ids import Ids

ITEMS = st.lists(st.text(st.sampled_from(["a", "b", "\0", "é", "\ud800"]), max_size=3), unique=True, max_size=6)


@given(ITEMS, ITEMS)
def test_packing_changes_nothing_that_is_asked_of_them(items: list[str], others: list[str]) -> None:
    """Length, list, places and comparison are those of the list, even where an id holds the separator."""
    for ids in (Ids(list(items)), Ids(list(items)).packed()):
        assert len(ids) == len(items)
        assert ids.are(others) is (others == items)
        assert ids.are(list(items))
        assert ids.rows(others).tolist() == [items.index(one) if one in items else -1 for one in others]
        assert ids.items == items
        assert ids.places.tolist() == list(range(len(items)))


@given(ITEMS)
def test_a_text_gives_the_ids_back(items: list[str]) -> None:
    """A text is there unless an id holds the separator, and brings back the list."""
    text = Ids(items).text
    assert (text is None) is any("\0" in one for one in items)
    if text is not None:
        assert Ids.of_text(text, len(items)).items == items


@pytest.mark.parametrize(("text", "count"), [("a\0b", 1), ("a", 2), ("a", 0), ("", 2)])
def test_a_text_of_another_number_of_ids_is_refused(text: str, count: int) -> None:
    """What was stored is not believed beyond its own count."""
    with pytest.raises(ValueError, match="number of ids"):
        Ids.of_text(text, count)

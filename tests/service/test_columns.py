"""Metadata is taken apart by columns and put together again: nothing is lost, nothing mixed up."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.service.columns import NOTHING, joined, parted

NAMES = st.lists(st.sampled_from(["TITLE", "PRICE", "CREATION_TIMESTAMP", "GENRE", "X"]), min_size=1, unique=True)


def lower(name: str) -> str:
    """As the samples of the service have it."""
    return name.lower()


def camel(name: str) -> str:
    """As one of its documents has it."""
    first, *others = name.lower().split("_")
    return first + "".join(map(str.capitalize, others))


@given(names=NAMES, data=st.data(), named=st.sampled_from([lower, camel]))
def test_parts_make_the_whole(names: list[str], data: st.DataObject, named: Callable[[str], str]) -> None:
    """Whatever columns are asked for of those that are kept, each item has exactly what it has in them."""
    cells = st.fixed_dictionaries({}, optional={name: st.text() for name in names})
    rows = data.draw(st.lists(st.none() | cells, max_size=5))
    items = [f"item-{number}" for number in range(len(rows))]
    known = [
        msgspec.json.encode(row and {named(name): text for name, text in row.items()}) if row else NOTHING
        for row in rows
    ]
    kept = dict(zip(names, parted(names, known) or [], strict=True))
    asked = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    for item, text in joined(items, [kept[name] for name in asked]).items():
        row = rows[items.index(item)] or {}
        found = msgspec.json.decode(text)
        assert (found or {}) == {named(name): row[name] for name in asked if name in row}
        assert list(found or {}) == [named(name) for name in asked if name in row]


def test_an_item_of_which_a_column_is_not_known_is_not_known() -> None:
    """Half of the metadata is no metadata."""
    assert joined(["a", "b"], [[b'"x":"1"', b'"x":"2"'], [None, b'"y":"3"']]) == {"b": b'{"x":"2","y":"3"}'}


@pytest.mark.parametrize(
    ("columns", "item"),
    [(["TITLE"], b'{"name":"a"}'), (["A_B", "AB"], b'{"ab":"a"}'), (["TITLE"], b'{"title":"a","price":"1"}')],
)
def test_what_cannot_be_told_apart_is_not_kept(columns: list[str], item: bytes) -> None:
    """A member that belongs to no column that was asked for, or to two, keeps all of them out of the cache."""
    assert parted(columns, [item]) is None

"""Values that are cheap to make are what the standard's frozen dataclasses are, but for the guard."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import values

NUMBERS = st.integers(-3, 3)


@dataclasses.dataclass(frozen=True, slots=True)
class _Standard:
    first: int
    second: int


@values.dataclass(frozen=True, slots=True)
class _Cheap:
    first: int
    second: int


@values.dataclass(slots=True)
class _Changeable:
    first: int


@values.dataclass(frozen=True, slots=True, eq=False)
class _Itself:
    first: int


@given(st.tuples(NUMBERS, NUMBERS), st.tuples(NUMBERS, NUMBERS))
def test_equality_hash_and_text_are_those_of_the_standard(one: tuple[int, int], other: tuple[int, int]) -> None:
    """What is equal, what it hashes to, and how it reads, is as with a frozen dataclass of the standard library."""
    assert (_Cheap(*one) == _Cheap(*other)) == (_Standard(*one) == _Standard(*other))
    assert hash(_Cheap(*one)) == hash(_Standard(*one))
    assert repr(_Cheap(*one)) == repr(_Standard(*one)).replace("_Standard", "_Cheap")


def test_what_may_change_is_no_key_and_what_is_itself_is_one() -> None:
    """Only what is frozen is hashed by its members; without equality a value is equal to itself alone."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(_Changeable(1))
    one, other = _Itself(1), _Itself(1)
    assert len({one, other, one}) == 2

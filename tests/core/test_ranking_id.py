"""Ids of pinned rankings: told from everything else, and from those of other tenants."""

from random import Random

import pytest

from gateway.core.keys import pin_key
from gateway.core.ranking_id import PREFIX, RANDOM_BYTES, is_of, ranking_id


def test_an_id_is_of_its_tenant_alone() -> None:
    """Ids of any random bytes pass for the tenant that they were made for, and for no other."""
    random = Random(17)
    for tenant, other in (("", "a"), ("a", ""), ("shop", "shop2"), ("é", "e")):
        for _ in range(100):
            made = ranking_id(random.randbytes(RANDOM_BYTES), tenant)
            assert is_of(made, tenant)
            assert not is_of(made, other)
            assert pin_key(tenant, made) != pin_key(other, made)


def test_every_changed_character_is_noticed() -> None:
    """An id with one other character, one more or one less is none."""
    made = ranking_id(bytes(range(RANDOM_BYTES)), "")
    for place in range(len(PREFIX), len(made)):
        other = "A" if made[place] != "A" else "B"
        assert not is_of(made[:place] + other + made[place + 1 :], "")
    assert not is_of(made + "A", "")
    assert not is_of(made[:-1], "")


@pytest.mark.parametrize(
    "text", ["", "rk_", "rk_" + "A" * 24, "rk_" + "A" * 16, "rk_" + "é" * 24, "x" * 10_000, "rk_\n"]
)
def test_what_never_was_an_id(text: str) -> None:
    """Made-up ids, those of rankings that nobody pinned among them, are none."""
    assert not is_of(text, "")

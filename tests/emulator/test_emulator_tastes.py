"""How events move a user's vector: towards the item, as strong as before, after a while, and for a bounded number."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gateway.emulator import tastes
from gateway.emulator.events import Move
from gateway.emulator.lru import Lru
from gateway.emulator.model import Model, softmax
from gateway.emulator.settling import Settling
from gateway.emulator.store import Store
from gateway.emulator.tastes import Floats, Tastes

ITEMS, FACTORS = 40, 4
VECTORS: Floats = np.random.default_rng(3).standard_normal((ITEMS, FACTORS))
GIVEN = {"anna": np.array([1.0, 0.5, -1.0, 0.0]), "bert": np.array([0.0, -2.0, 0.0, 1.0])}
STRANGER = np.zeros(FACTORS)

COMPONENTS = st.floats(min_value=-3, max_value=3).filter(lambda value: value == 0 or abs(value) > 1e-3)
TASTES = arrays(np.float64, FACTORS, elements=COMPONENTS)


def model() -> Model:
    """A new model of 40 items, in which two users have a taste and nobody was moved."""
    popularity = np.linspace(1.0, 0.0, ITEMS)
    return Model(
        item_ids=[f"i{row}" for row in range(ITEMS)],
        popularity=softmax(popularity),
        log_popularity=popularity,
        item_vectors=VECTORS,
        user_ids=list(GIVEN),
        taste_of=lambda user_id: GIVEN.get(user_id, STRANGER),
    )


def moving(vectors: Floats = VECTORS) -> Tastes:
    """The tastes of this model's users."""
    return Tastes(vectors, lambda user_id: GIVEN.get(user_id, STRANGER), list(GIVEN))


def spread(taste: Floats) -> float:
    """The standard deviation of the logits that a taste gives."""
    return float((VECTORS @ taste).std())


def likeness(taste: Floats, row: int) -> float:
    """The correlation of two vectors' logits over the catalogue."""
    return float(np.corrcoef(VECTORS @ taste, VECTORS @ VECTORS[row])[0, 1])


@given(TASTES, st.integers(0, ITEMS - 1))
def test_a_taste_keeps_its_strength(taste: Floats, row: int) -> None:
    """After an event the logits spread as before; those of a stranger, as is usual."""
    usual = np.median([spread(vector) for vector in GIVEN.values()])
    moved = moving().moved(taste, VECTORS[row])
    assert spread(moved) == pytest.approx(spread(taste) if taste.any() else usual, rel=1e-6)


@given(TASTES, st.integers(0, ITEMS - 1))
def test_a_taste_moves_towards_the_item(taste: Floats, row: int) -> None:
    """Every event makes a taste more like the item's vector, and events of the same item make it the same."""
    moves, before = moving(), -2.0 if not taste.any() else likeness(taste, row)
    for _ in range(60):
        taste = moves.moved(taste, VECTORS[row])
        assert likeness(taste, row) >= before - 1e-9
        before = likeness(taste, row)
    assert before > 0.999


def test_an_item_like_all_others_moves_nothing() -> None:
    """Where all items have the same vector, there is nothing to move towards."""
    taste = GIVEN["anna"]
    alike = np.ones((ITEMS, FACTORS))
    assert moving(alike).moved(taste, alike[0]) is taste


def test_a_stranger_where_nobody_has_a_taste() -> None:
    """Without any taste to take the usual strength from, a stranger's stays zero and finite."""
    nobody = Tastes(VECTORS, lambda _: STRANGER, ["anna"])
    assert nobody.moved(STRANGER, VECTORS[0]).tolist() == STRANGER.tolist()


def test_one_move_shows_in_the_next_logits_and_in_nobody_elses() -> None:
    """Kept logits do not outlive a move of their user, and those of others stay as they are."""
    served = model()
    before = {user_id: served.logits(user_id) for user_id in GIVEN}
    served.move("anna", ["i7"])
    assert served.logits("anna")[7] > before["anna"][7]
    assert served.logits("bert") is before["bert"]


def test_moves_of_one_call_are_made_in_turn() -> None:
    """Several items at once move as one after the other does, and unknown items among them move nothing."""
    at_once, in_turn = model(), model()
    at_once.move("anna", ["i3", "strange", "i9"])
    in_turn.move("anna", ["i3"])
    in_turn.move("anna", ["i9"])
    assert at_once.logits("anna").tolist() == in_turn.logits("anna").tolist()


def test_unknown_items_alone_move_nobody() -> None:
    """A move towards unknown items keeps even the kept logits."""
    served = model()
    before = served.logits("anna")
    served.move("anna", ["strange"])
    assert served.logits("anna") is before


def test_the_number_of_moved_users_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was moved longest ago is forgotten: the user has the given taste again, in the very next logits."""
    monkeypatch.setattr(tastes, "MOVED_USERS_KEPT", 2)
    served = model()
    given_logits = served.logits("anna").tolist()
    served.move("anna", ["i7"])
    assert served.logits("anna").tolist() != given_logits
    for other in ("bert", "carl"):
        served.move(other, ["i1"])
    assert served.logits("anna").tolist() == given_logits


def test_moves_wait_until_they_are_due() -> None:
    """A move is made the set time after its arrival and not before, each at its own time."""
    served = model()
    settling = Settling(served, settle_s=2.0)
    seen = [served.logits("anna")]
    settling.arrive(Move("anna", ["i7"]), now=100.0)
    settling.arrive(Move("anna", ["i8"]), now=101.0)
    for now in (101.9, 102.0, 102.9, 103.0):
        settling.settle(now)
        seen.append(served.logits("anna"))
    changed = [later is not earlier for earlier, later in pairwise(seen)]
    assert changed == [False, True, False, True]


def test_nothing_waits_longer_than_it_has_to() -> None:
    """Arrivals make the moves that are due, and a call that moves nothing does not wait at all."""
    settling = Settling(model(), settle_s=2.0)
    for now in range(100):
        settling.arrive(Move("anna", ["i7"]), now=float(now))
        settling.arrive(Move("anna", []), now=float(now))
    assert repr(settling) == "Settling(settle_s=2, waiting=2)"


def test_a_click_in_the_store_lifts_its_category() -> None:
    """One click anywhere lifts the category's items by a fifth of the catalogue and more, and scores stay realistic."""
    store = Store()
    served, category = store.model, np.array(store.catalogue.columns["CATEGORY"])
    lifted = []
    for number, row in enumerate(np.random.default_rng(11).integers(0, len(category), size=30).tolist()):
        user_id = f"user-{number}"
        before = served.logits(user_id)
        served.move(user_id, [served.item_ids[row]])
        after = served.logits(user_id)
        alike = np.flatnonzero((category == category[row]) & (np.arange(len(category)) != row))
        ranks = [np.median(np.argsort(np.argsort(-logits))[alike]) for logits in (before, after)]
        lifted.append(ranks[0] - ranks[1])
        assert after[row] > before[row]
        assert after.std() == pytest.approx(2.0, abs=0.1)
    assert np.median(lifted) > 2000


def test_a_bounded_mapping() -> None:
    """The value that was used longest ago is forgotten and named, and a key can be dropped."""
    kept: Lru[int] = Lru(2)
    assert [kept.put("a", 1), kept.put("b", 2), kept.get("a"), kept.put("c", 3)] == [None, None, 1, "b"]
    kept.drop("a")
    kept.drop("never there")
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (None, None, 3, 1)

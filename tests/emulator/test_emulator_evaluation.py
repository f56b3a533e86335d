"""Held-out items: a model that knows tastes finds them, where popularity does not; nothing is held out from nobody."""

from pathlib import Path

import numpy as np
import pytest

from gateway.emulator.csv_files import Interactions, read_interactions
from gateway.emulator.evaluation import evaluate
from tests.process.parts import here

LASTFM = Path(__file__).parents[3] / "shared" / "data" / "lastfm" / "interactions.csv.gz"


def two_tastes(users: int = 80, items: int = 120, each: int = 20) -> Interactions:
    """Even users take even items, odd ones odd items, all of them alike."""
    rng = np.random.default_rng(11)
    rows = [(user, 2 * int(item) + user % 2) for user in range(users) for item in rng.permutation(items // 2)[:each]]
    return Interactions(
        [f"u{user}" for user in range(users)],
        [f"i{item}" for item in range(items)],
        [user for user, _ in rows],
        [item for _, item in rows],
        [1.0] * len(rows),
    )


def test_tastes_are_found() -> None:
    """Where two tastes share nothing, the model looks in the right half; popularity cannot tell the halves apart."""
    found = evaluate(two_tastes())
    assert found is not None
    assert found.users == 80
    assert found.model.hits > found.popularity.hits + 0.2
    assert found.model.above > found.popularity.above


def test_the_same_seed_holds_out_the_same() -> None:
    """An evaluation can be repeated to the digit, and another seed asks for other items."""
    events = two_tastes()
    assert evaluate(events) == evaluate(events)
    assert evaluate(events) != evaluate(events, seed=1)


@pytest.mark.parametrize(
    "events",
    [
        Interactions(["u", "v"], ["i", "j"], [0, 1], [0, 1], [1.0, 1.0]),
        Interactions(["u"], ["i"], [0, 0], [0, 0], [1.0, 1.0]),
        Interactions(["u"], ["i", "j"], [0, 0], [0, 1], [0.0, 0.0]),
    ],
    ids=["one item each", "one item twice", "values of 0"],
)
def test_nothing_to_hold_out(events: Interactions) -> None:
    """Without a user of two items, or anything to learn from, there is no evaluation."""
    assert evaluate(events) is None


def test_the_command(tmp_path: Path) -> None:
    """`emulate --evaluate` prints both figures and ends; it says so if there is nothing to learn from."""
    file = tmp_path / "interactions.csv"
    lines = [f"u{user},i{(user + step) % 30},1700000000" for user in range(30) for step in range(5)]
    file.write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *lines]), encoding="utf-8")
    done = here("emulate", "--interactions", str(file), "--evaluate")
    assert done.returncode == 0
    assert "each of 30 users" in done.stdout
    assert "popularity" in done.stdout
    assert here("emulate", "--evaluate").returncode != 0


@pytest.mark.skipif(not LASTFM.exists(), reason="the Last.fm data are not beside the project")
def test_real_listeners() -> None:
    """On Last.fm the model finds twice as many held-out artists among the first 50 as popularity does."""
    found = evaluate(read_interactions(LASTFM))
    assert found is not None
    assert found.users > 1_800
    assert found.model.hits > 2 * found.popularity.hits > 0.2
    assert found.model.above > found.popularity.above

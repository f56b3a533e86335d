"""Learning from interactions: what the vectors say, that they repeat, and that they are kept."""

from pathlib import Path

import numpy as np
import pytest

from gateway.emulator import saved_model
from gateway.emulator.campaigns import CAMPAIGN_PREFIX, World, open_world
from gateway.emulator.config import ConfigError, EmulatorConfig
from gateway.emulator.csv_files import Interactions, read_interactions
from gateway.emulator.learning import learn
from gateway.emulator.model import rank

LASTFM = Path(__file__).parents[3] / "shared" / "data" / "lastfm"


@pytest.fixture
def interactions(tmp_path: Path) -> Path:
    """60 users of two tastes: the even ones take items of the 20 even numbers, the odd ones of the odd."""
    rng = np.random.default_rng(7)
    lines = ["USER_ID,ITEM_ID,TIMESTAMP"]
    for user in range(60):
        lines += [f"u{user},i{2 * item + user % 2},1700000000" for item in rng.permutation(20)[:8]]
    path = tmp_path / "interactions.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def config(interactions: Path, tmp_path: Path) -> EmulatorConfig:
    """Serves these interactions, and keeps the model beside them."""
    return EmulatorConfig(interactions=interactions, cache_dir=tmp_path / "kept")


def scores(world: World, user_id: str) -> dict[str, float | None]:
    """The user's scores over the whole catalogue, by item."""
    model = world.campaigns[f"{CAMPAIGN_PREFIX}demo"].model
    return dict(zip(*rank(model, user_id, model.item_ids), strict=True))


def refuse(events: Interactions) -> None:
    """Stands in for `learn` where it must not be called."""
    raise AssertionError("learnt again")


def test_users_like_what_similar_users_took(config: EmulatorConfig) -> None:
    """Users rank items of their own group first, most of which they never took."""
    model = open_world(config).model
    uppers = {user: rank(model, f"u{user}", model.item_ids).item_ids[:20] for user in range(60)}
    own = [int(item_id[1:]) % 2 == user % 2 for user, upper in uppers.items() for item_id in upper]
    assert np.mean(own) > 0.8  # 0.7 without learning: 8 of 20 were taken, half of the other 12 by chance


def test_learning_repeats(interactions: Path) -> None:
    """The same events give the same vectors."""
    first, second = (learn(read_interactions(interactions)) for _ in range(2))
    assert np.allclose(first.user_vectors @ first.item_vectors.T, second.user_vectors @ second.item_vectors.T)


def test_a_stranger_gets_the_popular_items(config: EmulatorConfig) -> None:
    """A user without interactions gets the order of popularity."""
    model = open_world(config).model
    by_popularity = [model.item_ids[row] for row in np.argsort(-model.popularity, kind="stable")]
    assert rank(model, "nobody", model.item_ids, decimals=None).item_ids == by_popularity


@pytest.mark.parametrize(
    "events",
    [
        Interactions(["u"], ["a"], [0], [0], [1.0]),
        Interactions(["u"], ["a", "b"], [0, 0], [0, 1], [1.0, 2.0]),
        Interactions(["u", "v"], ["a"], [0, 1], [0, 0], [1.0, 1.0]),
        Interactions(["u", "v"], ["a", "b"], [0, 0, 1, 1], [0, 1, 0, 1], [1.0, 1.0, 1.0, 1.0]),
        Interactions(["u", "v"], ["a", "b"], [0, 1], [0, 1], [0.0, 3.0]),
    ],
)
def test_the_smallest_data(events: Interactions) -> None:
    """Data too small or too even for a taste still give finite vectors and popularity."""
    learnt = learn(events)
    assert np.isfinite(learnt.user_vectors @ learnt.item_vectors.T + learnt.log_popularity).all()
    assert learnt.popularity.sum() == pytest.approx(1.0)


def test_the_second_start_uses_the_saved_model(config: EmulatorConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With unchanged files nothing is learnt again, and the scores are the same to the last bit."""
    first = scores(open_world(config), "u1")
    monkeypatch.setattr(saved_model, "learn", refuse)
    assert scores(open_world(config), "u1") == first


def test_other_interactions_are_learnt_anew(config: EmulatorConfig, interactions: Path) -> None:
    """A changed file does not meet the model of the old one."""
    open_world(config)
    with interactions.open("a") as file:
        file.write("\nu0,brand-new,1700000001\n")
    assert "brand-new" in open_world(config).model.row_of


@pytest.mark.parametrize("damage", ["garbage", "truncated", "foreign", "pickled", "out of step"])
def test_a_broken_saved_model_is_learnt_anew(
    config: EmulatorConfig, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """A saved file that is broken or not ours is learnt anew and overwritten by a good one."""
    first = scores(open_world(config), "u1")
    (kept,) = config.cache_dir.iterdir()
    with np.load(kept) as arrays:
        saved = dict(arrays)
    match damage:
        case "garbage":
            kept.write_bytes(b"garbage")
        case "truncated":
            kept.write_bytes(kept.read_bytes()[:-500])
        case "foreign":
            np.savez(kept, something=np.zeros(3))
        case "pickled":
            np.savez(kept, **saved | {"item_vectors": np.array([{}], dtype=object)})
        case "out of step":
            np.savez(kept, **saved | {"user_vectors": saved["user_vectors"][1:]})
    assert scores(open_world(config), "u1") == first
    monkeypatch.setattr(saved_model, "learn", refuse)
    assert scores(open_world(config), "u1") == first
    assert list(config.cache_dir.iterdir()) == [kept]


def test_a_directory_that_cannot_be_written(config: EmulatorConfig) -> None:
    """Where the model cannot be saved, it is served all the same."""
    config.cache_dir.write_text("a file, not a directory")
    assert scores(open_world(config), "u1")


def test_items_alone_cannot_be_learnt_from(tmp_path: Path) -> None:
    """Items without interactions are refused, and the message says what is needed."""
    items = tmp_path / "items.csv"
    items.write_text("ITEM_ID,TITLE\ni1,Mug\n")
    with pytest.raises(ConfigError, match=r"give an Interactions CSV too"):
        open_world(EmulatorConfig(items=items))


def test_items_without_interactions_are_unknown(config: EmulatorConfig, tmp_path: Path) -> None:
    """An item of the Items file that nobody took is listed last, and comes back without score."""
    items = tmp_path / "items.csv"
    items.write_text("ITEM_ID,TITLE\nnobody-took-me,Mug\ni3,Cup\n")
    world = open_world(EmulatorConfig(items=items, interactions=config.interactions, cache_dir=config.cache_dir))
    last = world.listing.page(len(world.listing) - 1, 5)
    assert [(item.item_id, item.title, item.popularity) for item in last] == [("nobody-took-me", "Mug", 0.0)]
    assert rank(world.model, "u1", ["nobody-took-me", "i3"]) == (["i3", "nobody-took-me"], [1.0, None])


@pytest.mark.skipif(not LASTFM.is_dir(), reason="the Last.fm data are not beside the project")
def test_real_listeners_have_realistic_logits(tmp_path: Path) -> None:
    """On 92,834 listening counts most users' logits have a standard deviation of 1 to 3, the median about 2."""
    world = open_world(
        EmulatorConfig(
            items=LASTFM / "items.csv.gz", interactions=LASTFM / "interactions.csv.gz", cache_dir=tmp_path / "kept"
        )
    )
    deviations = [world.model.logits(user_id).std() for user_id in world.model.user_ids[::10]]
    assert np.median(deviations) == pytest.approx(2.0, abs=0.15)
    assert np.percentile(deviations, 5) > 1
    assert np.percentile(deviations, 95) < 3
    assert (len(world.listing), world.listing.page(0, 1)[0].title) == (17_632, "Lady Gaga")

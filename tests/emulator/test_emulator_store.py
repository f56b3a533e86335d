"""The built-in store: what it holds, and that it is the same everywhere."""

import subprocess
import sys

import numpy as np
import pytest

from gateway.emulator.catalogue import Listing
from gateway.emulator.model import rank
from gateway.emulator.store import PRODUCTS, Store

PROBE = """
from gateway.emulator.model import rank
from gateway.emulator.store import Store
store = Store()
top = rank(store.model, "zoë", store.model.item_ids).item_ids[:20]
print(ascii([store.catalogue.columns["TITLE"][store.model.row_of[item_id]] for item_id in top]))
"""


@pytest.fixture(scope="module")
def store() -> Store:
    """One store for all tests: it does not change."""
    return Store()


def test_the_products(store: Store) -> None:
    """There are 10,000 products with different titles, 20 to 40 categories and prices that are numbers."""
    columns = store.catalogue.columns
    assert len(store.catalogue.item_ids) == len(set(columns["TITLE"])) == PRODUCTS == 10_000
    assert (store.catalogue.item_ids[0], store.catalogue.item_ids[-1]) == ("p00001", "p10000")
    assert 20 <= len(set(columns["CATEGORY"])) <= 40
    assert min(map(float, columns["PRICE"])) > 0
    assert all(title.startswith(brand) for title, brand in zip(columns["TITLE"], columns["BRAND"], strict=True))


def test_logits_have_a_realistic_scale(store: Store) -> None:
    """Any user's logits have a standard deviation of about 2 and correlate with popularity."""
    log_popularity = np.log(store.model.popularity)
    for user_id in ("user-1", "user-1000", "somebody", "zoë 🦊", ""):
        logits = store.model.logits(user_id)
        assert logits.std() == pytest.approx(2.0, abs=0.1)
        assert 0.4 < np.corrcoef(logits, log_popularity)[0, 1] < 0.6


def test_a_user_likes_a_few_categories(store: Store) -> None:
    """A few categories make up most of what a user likes best: tastes follow the structure of the shop."""
    categories = store.catalogue.columns["CATEGORY"]
    top = rank(store.model, "user-1", store.model.item_ids).item_ids[:100]
    liked = [categories[store.model.row_of[item_id]] for item_id in top]
    assert sum(sorted(map(liked.count, set(liked)))[-4:]) > 60


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_store_is_the_same_in_another_process(store: Store, hash_seed: str) -> None:
    """Products and tastes do not depend on the process or its hash seed."""
    printed = subprocess.run(
        [sys.executable, "-c", PROBE], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    top = rank(store.model, "zoë", store.model.item_ids).item_ids[:20]
    titles = [store.catalogue.columns["TITLE"][store.model.row_of[item_id]] for item_id in top]
    assert printed.stdout.strip() == ascii(titles)


def test_the_store_is_the_one_of_the_last_version(store: Store) -> None:
    """Titles and rankings that people may have written down stay as they are."""
    top = rank(store.model, "user-1", store.model.item_ids)
    assert store.catalogue.columns["TITLE"][store.model.row_of["p01937"]] == "Thornbury Magnetic Doll's House"
    assert top.item_ids[:3] == ["p01937", "p08446", "p03086"]
    assert top.scores[:3] == pytest.approx([0.0437871, 0.0287597, 0.0260566])


def test_the_listing_is_sorted_by_popularity(store: Store) -> None:
    """Pages of the listing, put together, are all items from the most popular to the least."""
    listing = Listing(store.model, store.catalogue)
    pages = [*listing.page(0, 3), *listing.page(3, 100_000)]
    assert [item.popularity for item in pages] == sorted(store.model.popularity.tolist(), reverse=True)
    assert {item.item_id for item in pages} == set(store.catalogue.item_ids)
    assert listing.page(10_000, 5) == []

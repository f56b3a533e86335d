"""What is known about items besides their logits: the columns of an Items dataset, and lists of items for people.

Columns keep the names and the string values of the dataset, as the service keeps them. The names that people use for
a title differ from file to file; LABELS says which column gives which label.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from gateway.emulator.model import Model

# Label of a listed item: the columns that may give it, best first; compared in upper case.
LABELS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("TITLE", "NAME", "PRODUCT_NAME", "ITEM_NAME"),
    "brand": ("BRAND",),
    "category": ("CATEGORY", "CATEGORY_L1"),
    "price": ("PRICE",),
}


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """The items of a dataset: `columns` maps a column name (upper case) to its values, in step with `item_ids`."""

    item_ids: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = {}

    def label(self, label: str) -> Sequence[str] | None:
        """The column that gives a key of LABELS, None if the dataset has none."""
        return next((self.columns[name] for name in LABELS[label] if name in self.columns), None)

    @cached_property
    def place_of(self) -> Mapping[str, int]:
        """Where an item stands in `item_ids` and in every column."""
        return {item_id: place for place, item_id in enumerate(self.item_ids)}

    def cells(self, item_id: str, names: Iterable[str] | None = None) -> dict[str, str]:
        """The cells of an item by column (all, or these), without empty ones; none for an item that is not here."""
        place = self.place_of.get(item_id)
        if place is None:
            return {}
        cells = {name: self.columns[name][place] for name in (self.columns if names is None else names)}
        return {name: cell for name, cell in cells.items() if cell}


class ListedItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """An item for people; `popularity` is its share of all interactions, 0 for an item the model does not know."""

    item_id: str
    popularity: float
    title: str | None = None
    brand: str | None = None
    category: str | None = None
    price: float | None = None


class Listing:
    """All items of a model and a catalogue, most popular first: the order in which an upstream usually sends them."""

    def __init__(self, model: Model, catalogue: Catalogue) -> None:
        order = np.argsort(-model.popularity, kind="stable").tolist()
        known = [model.item_ids[row] for row in order]
        self._item_ids = known + [item_id for item_id in catalogue.item_ids if item_id not in model.row_of]
        self._popularity = model.popularity[order].tolist()
        self._place_of = catalogue.place_of
        self._labels = {label: catalogue.label(label) for label in LABELS}

    def __len__(self) -> int:
        return len(self._item_ids)

    def page(self, offset: int, limit: int) -> list[ListedItem]:
        """At most `limit` items from `offset` on."""
        return [self._item(rank) for rank in range(offset, min(offset + limit, len(self)))]

    def _item(self, rank: int) -> ListedItem:
        item_id = self._item_ids[rank]
        return ListedItem(
            item_id=item_id,
            popularity=self._popularity[rank] if rank < len(self._popularity) else 0.0,
            title=self._text("title", item_id),
            brand=self._text("brand", item_id),
            category=self._text("category", item_id),
            price=_number(self._text("price", item_id)),
        )

    def _text(self, label: str, item_id: str) -> str | None:
        column, place = self._labels[label], self._place_of.get(item_id)
        return None if column is None or place is None else column[place] or None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None

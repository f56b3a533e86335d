"""Item metadata in answers: which columns a call may name, and what an item has in them.

As the service sends it: names in lower case, every value a string; several values of a categorical column stay joined
by `|`. An item that is in no Items dataset has no metadata, and an empty cell no entry.
"""

from collections.abc import Mapping, Sequence

from gateway.emulator.catalogue import Catalogue
from gateway.emulator.errors import ServiceError
from gateway.emulator.rules import refuse_broken

ITEMS = "ITEMS"  # the only key that `metadataColumns` may have


class Metadata:
    """The columns that one call asked for; `of` gives them by item."""

    def __init__(self, catalogue: Catalogue, names: Sequence[str]) -> None:
        self._catalogue = catalogue
        self._names = names

    def of(self, item_id: str) -> dict[str, str] | None:
        """The metadata of an item, None if there is none."""
        cells = self._catalogue.cells(item_id, self._names)
        return {name.lower(): cell for name, cell in cells.items()} or None


def metadata(catalogue: Catalogue, asked: Mapping[str, Sequence[str]], *, enabled: bool) -> Metadata:
    """What a call asks for by `metadataColumns`; names of columns may be in any case.

    Raises:
        ServiceError: InvalidInputException if the campaign gives no metadata, or the dataset has no such column.
    """
    names = [name.upper() for name in asked.get(ITEMS, ())]
    if names and not enabled:
        raise ServiceError("InvalidInputException", "The campaign does not have metadata in recommendations enabled")
    if not set(names) <= catalogue.columns.keys():
        known = ", ".join(sorted(catalogue.columns)) or "none"
        constraint = f"Columns must be of the Items dataset ({known})"
        refuse_broken([f"Value at 'metadataColumns' failed to satisfy constraint: {constraint}"])
    return Metadata(catalogue, names)

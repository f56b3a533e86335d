"""Reads Personalize datasets from CSV files, plain or gzipped (`.gz`): Items and Interactions.

The columns may come in any order and case. A fault is refused with its file, line and column, since the file may have
a million lines. Whatever a file holds, nothing but ConfigError is raised.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from gateway.emulator.catalogue import Catalogue
from gateway.emulator.config import ConfigError

ID_CHARACTERS_MAX: Final = 256  # as long as the service takes them
EVENT_VALUE_MAX: Final = 1e100  # the sum of any number of them stays finite

OF_EVENTS: Final = ("USER_ID", "ITEM_ID", "TIMESTAMP")
"""Columns that an Interactions file must have."""


class Interactions(NamedTuple):
    """Events in parallel lists: rows into `user_ids`, rows into `item_ids`, and values (EVENT_VALUE, else 1)."""

    user_ids: list[str]
    item_ids: list[str]
    users: list[int]
    items: list[int]
    values: list[float]


class _Record(NamedTuple):
    path: Path
    line: int  # its last one, where a quoted cell spans several
    cells: list[str]

    def fault(self, column: str, reason: str) -> ConfigError:
        return ConfigError(f"{self.path}, line {self.line}, column {column}: {reason}")


def read_items(path: Path) -> Catalogue:
    """Read an Items file: `ITEM_ID` and any other columns; a later row of the same id replaces the earlier one.

    Raises:
        ConfigError: the file is empty, broken, or a cell of it is; the message says where.
    """
    names, records = _read(path, required=("ITEM_ID",))
    id_at = names.index("ITEM_ID")
    rows = {_id(record, "ITEM_ID", id_at): record.cells for record in records}
    if not rows:
        raise ConfigError(f"{path}: has a header but no items")
    columns = dict(zip(names, map(list, zip(*rows.values(), strict=True)), strict=True))
    return Catalogue(item_ids=columns.pop("ITEM_ID"), columns=columns)


def read_interactions(path: Path) -> Interactions:
    """Read an Interactions file: `USER_ID`, `ITEM_ID`, `TIMESTAMP`, perhaps `EVENT_VALUE` (0 or more, else 1).

    Raises:
        ConfigError: the file is empty, broken, or a cell of it is; the message says where.
    """
    names, records = _read(path, required=OF_EVENTS)
    user_at, item_at, time_at = map(names.index, OF_EVENTS)
    value_at = names.index("EVENT_VALUE") if "EVENT_VALUE" in names else None
    user_rows: dict[str, int] = {}
    item_rows: dict[str, int] = {}
    events = Interactions([], [], [], [], [])
    for record in records:
        user_id, item_id = _id(record, "USER_ID", user_at), _id(record, "ITEM_ID", item_at)
        _check_time(record, time_at)
        events.users.append(user_rows.setdefault(user_id, len(user_rows)))
        events.items.append(item_rows.setdefault(item_id, len(item_rows)))
        events.values.append(1.0 if value_at is None else _value(record, value_at))
    if not any(events.values):
        raise ConfigError(f"{path}: has no interaction (with an EVENT_VALUE above 0) to learn from")
    return events._replace(user_ids=list(user_rows), item_ids=list(item_rows))


def read_history(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The events of an Interactions file as filters look at them, by user, oldest first.

    Raises:
        ConfigError: the file is empty, broken, or a cell of it is; the message says where.
    """
    names, records = _read(path, required=OF_EVENTS)
    user_at, item_at, time_at = map(names.index, OF_EVENTS)
    type_at = names.index("EVENT_TYPE") if "EVENT_TYPE" in names else None
    rows = []
    for record in records:
        _check_time(record, time_at)
        cells = record.cells
        event_type = "" if type_at is None else cells[type_at]
        event = {"ITEM_ID": cells[item_at], "EVENT_TYPE": event_type, "TIMESTAMP": cells[time_at]}
        rows.append((int(cells[time_at]), _id(record, "USER_ID", user_at), event))
    rows.sort(key=itemgetter(0))
    return ((user_id, event) for _, user_id, event in rows)


def _id(record: _Record, column: str, at: int) -> str:
    text = record.cells[at]
    if not 1 <= len(text) <= ID_CHARACTERS_MAX:
        raise record.fault(column, f"an id must have between 1 and {ID_CHARACTERS_MAX} characters")
    return text


def _check_time(record: _Record, at: int) -> None:
    try:
        int(record.cells[at])
    except ValueError as error:
        raise record.fault("TIMESTAMP", f"{record.cells[at]!r} is not a whole number of Unix seconds") from error


def _value(record: _Record, at: int) -> float:
    text = record.cells[at]
    try:
        value = float(text or 1)  # an empty cell is an event without a value
    except ValueError as error:
        raise record.fault("EVENT_VALUE", f"{text!r} is not a number") from error
    if not 0 <= value <= EVENT_VALUE_MAX:  # and so not NaN
        raise record.fault("EVENT_VALUE", f"{text!r} is not between 0 and {EVENT_VALUE_MAX:g}")
    return value


def _read(path: Path, required: tuple[str, ...]) -> tuple[list[str], Iterator[_Record]]:
    records = _records(path)
    header = next(records, None)
    if header is None:
        raise ConfigError(f"{path}: is empty; the first line must name the columns")
    names = [cell.strip().upper() for cell in header.cells]
    for name in required:
        if name not in names:
            raise header.fault(name, f"is missing (found: {', '.join(names)})")
    for name in names:
        if names.count(name) > 1:
            raise header.fault(name, "comes twice")
    return names, _of_width(len(names), records)


def _of_width(width: int, records: Iterator[_Record]) -> Iterator[_Record]:
    for record in records:
        if len(record.cells) != width:
            reason = f"has {len(record.cells)} columns where the header has {width}"
            raise ConfigError(f"{record.path}, line {record.line}: {reason}")
        yield record


def _records(path: Path) -> Iterator[_Record]:
    line = 0
    try:
        with _open(path) as text:
            reader = csv.reader(text, strict=True)
            for cells in reader:
                line = reader.line_num
                if cells:  # not a blank line
                    yield _Record(path, line, cells)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}, after line {line}: is not UTF-8 text") from error
    except csv.Error as error:
        raise ConfigError(f"{path}, line {line + 1}: {error}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ConfigError(f"{path}, after line {line}: broken gzip: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")

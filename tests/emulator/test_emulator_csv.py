"""Personalize CSVs: what is read from them, and how their faults are reported."""

import gzip
from pathlib import Path

import pytest

from gateway.emulator.config import ConfigError
from gateway.emulator.csv_files import read_history, read_interactions, read_items

HEADER = b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE\n"


def written(path: Path, content: bytes) -> Path:
    """The path, now with this content."""
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["items.csv", "items.csv.gz"])
def test_items_keep_their_columns(tmp_path: Path, name: str) -> None:
    """An Items file, plain or gzipped, gives its columns in upper case with quotes, commas and accents intact."""
    text = '\ufeffName,item_id,Price\n"Mug, ""big""",i1,9.90\n\nTasse für Zoë,i2,\n'.encode()
    path = written(tmp_path / name, gzip.compress(text) if name.endswith("gz") else text)
    catalogue = read_items(path)
    assert catalogue.item_ids == ["i1", "i2"]
    assert catalogue.columns == {"NAME": ['Mug, "big"', "Tasse für Zoë"], "PRICE": ["9.90", ""]}
    assert catalogue.label("title") == ['Mug, "big"', "Tasse für Zoë"]
    assert catalogue.label("brand") is None


def test_a_later_item_replaces_an_earlier_one(tmp_path: Path) -> None:
    """Of two rows with the same id the later one counts."""
    catalogue = read_items(written(tmp_path / "items.csv", b"ITEM_ID,TITLE\ni1,old\ni2,other\ni1,new\n"))
    assert (catalogue.item_ids, catalogue.columns) == (["i1", "i2"], {"TITLE": ["new", "other"]})


def test_interactions_in_any_column_order(tmp_path: Path) -> None:
    """Columns are found by name, and an event without a value counts as 1."""
    text = b"timestamp,Event_Value,ITEM_ID,EVENT_TYPE,user_id\n1,2.5,a,view,u\n2,,b,view,u\n3,0,a,view,v\n"
    events = read_interactions(written(tmp_path / "interactions.csv", text))
    assert events == (["u", "v"], ["a", "b"], [0, 0, 1], [0, 1, 0], [2.5, 1.0, 0.0])


def test_history_is_read_oldest_first(tmp_path: Path) -> None:
    """Filters see the events of a file by user in the order of their times, with their types as written."""
    text = b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,b,9,purchase\nv,a,7,View\nu,a,3,view\n"
    assert list(read_history(written(tmp_path / "interactions.csv", text))) == [
        ("u", {"ITEM_ID": "a", "EVENT_TYPE": "view", "TIMESTAMP": "3"}),
        ("v", {"ITEM_ID": "a", "EVENT_TYPE": "View", "TIMESTAMP": "7"}),
        ("u", {"ITEM_ID": "b", "EVENT_TYPE": "purchase", "TIMESTAMP": "9"}),
    ]


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"", "", "is empty"),
        (HEADER, "", "no interaction"),
        (HEADER + b"u,i,1,0\n", "", "no interaction"),
        (b"USER_ID,TIMESTAMP\n", "line 1, column ITEM_ID", "is missing (found: USER_ID, TIMESTAMP)"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,user_id\n", "line 1, column USER_ID", "comes twice"),
        (HEADER + b"u,i,1,2\nu,i,soon,2\n", "line 3, column TIMESTAMP", "'soon'"),
        (HEADER + b"u,i,1,many\n", "line 2, column EVENT_VALUE", "'many' is not a number"),
        (HEADER + b"u,i,1,nan\n", "line 2, column EVENT_VALUE", "'nan'"),
        (HEADER + b"u,i,1,-1\n", "line 2, column EVENT_VALUE", "'-1'"),
        (HEADER + b"u,i,1,inf\n", "line 2, column EVENT_VALUE", "'inf'"),
        (HEADER + b",i,1,1\n", "line 2, column USER_ID", "between 1 and 256"),
        (HEADER + b"u," + b"i" * 257 + b",1,1\n", "line 2, column ITEM_ID", "between 1 and 256"),
        (HEADER + b"u,i,1\n", "line 2", "3 columns where the header has 4"),
        (HEADER + b"u,i,1,1\n\xff,i,1,1\n", "", "not UTF-8"),
        (HEADER + b'u,i,1,1\n"u"x,i,1,1\n', "line 3", "expected"),
    ],
)
def test_faults_name_their_place(tmp_path: Path, content: bytes, where: str, what: str) -> None:
    """A fault is reported with file, line and column, as far as there are any."""
    path = written(tmp_path / "interactions.csv", content)
    with pytest.raises(ConfigError) as refused:
        read_interactions(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert where in message
    assert what in message


COMPRESSED = gzip.compress(HEADER + b"".join(b"u%d,i%d,1,1\n" % (n, n * n) for n in range(2000)))


@pytest.mark.parametrize(
    "content",
    [b"not gzip at all", COMPRESSED[:-2000], COMPRESSED[:2000] + b"\0" * 50 + COMPRESSED[2050:]],
    ids=["foreign", "truncated", "damaged"],
)
def test_broken_gzip(tmp_path: Path, content: bytes) -> None:
    """A gzip file that is foreign, truncated or damaged is called broken, with its name."""
    path = written(tmp_path / "interactions.csv.gz", content)
    with pytest.raises(ConfigError, match=r"interactions\.csv\.gz.*broken gzip"):
        read_interactions(path)


@pytest.mark.parametrize("content", [b"", b"NAME\n", b"ITEM_ID,NAME\n", b"ITEM_ID\n\xff\n"])
def test_faults_of_items(tmp_path: Path, content: bytes) -> None:
    """An Items file that is empty, without ids or not text is refused by its name."""
    with pytest.raises(ConfigError, match=r"items\.csv"):
        read_items(written(tmp_path / "items.csv", content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is refused by its name."""
    with pytest.raises(ConfigError, match=r"absent\.csv: cannot be read"):
        read_items(tmp_path / "absent.csv")

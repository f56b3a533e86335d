"""`rank`: the client, for people and for programs."""

from pathlib import Path

import orjson
import pytest

from tests.process.parts import Running, environment, here, run
from tests.support.canaries import USER

ITEMS = b"p00003\np00001\nno-such-item\n\np00002\n"


def rank(gateway: Running, *arguments: str, stdin: bytes = ITEMS):
    """The command against the gateway, for one user unless told otherwise."""
    who = () if "--users" in arguments or "--user" in arguments else ("--user", USER)
    return run("rank", "--url", gateway.url, "--campaign", "demo", *who, *arguments, stdin=stdin)


def test_a_table_for_people(gateway: Running) -> None:
    """Without options the top is shown as a table, with what it cost."""
    done = rank(gateway)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in (USER, "p00001", "no-such-item", "upstream calls"))


def test_json_for_programs(gateway: Running) -> None:
    """With --json the whole answer of the gateway is one line."""
    done = rank(gateway, "--json")
    (line,) = done.stdout.splitlines()
    answer = orjson.loads(line)
    assert {one["itemId"] for one in answer["personalizedRanking"]} == {"p00001", "p00002", "p00003", "no-such-item"}
    assert answer["total"] == 4


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_a_csv_with_its_column(gateway: Running, tmp_path: Path, mark: bytes, piped: bool) -> None:
    """The column ITEM_ID of a CSV is taken, quotes and all, from a file or from standard input."""
    table = mark + b'ITEM_ID,TITLE\r\np00001,"a, b"\r\n"p00002",c\r\n'
    file = tmp_path / "items.csv"
    file.write_bytes(table)
    done = rank(gateway, "--json", stdin=table) if piped else rank(gateway, "--json", "--items", str(file))
    answer = orjson.loads(done.stdout)
    assert {one["itemId"] for one in answer["personalizedRanking"]} == {"p00001", "p00002"}


def test_many_users(gateway: Running, tmp_path: Path) -> None:
    """With --users every user gets a line, in the order of the file."""
    file = tmp_path / "users.txt"
    file.write_text("canary-user-1\ncanary-user-2\ncanary-user-3\n", encoding="utf-8")
    done = rank(gateway, "--users", str(file), "--json")
    assert [orjson.loads(line)["total"] for line in done.stdout.splitlines()] == [4, 4, 4]


def test_an_encoding_that_lacks_characters(gateway: Running) -> None:
    """Where standard output cannot show an id the table spells it out; JSON is UTF-8 all the same."""
    asked = ("rank", "--url", gateway.url, "--campaign", "demo", "--user", USER)
    env = environment(PYTHONIOENCODING="ascii")
    table = run(*asked, env=env, stdin="\N{SNOWMAN}\n".encode())
    assert (table.returncode, table.stderr, "\\u2603" in table.stdout) == (0, "", True)
    answer = run(*asked, "--json", env=env, stdin="\N{SNOWMAN}\n".encode())
    assert orjson.loads(answer.stdout)["personalizedRanking"][0]["itemId"] == "\N{SNOWMAN}"


@pytest.mark.parametrize("item", ["[bold]p1", "x[/]y", "[/red]"])
def test_ids_are_shown_as_they_are(gateway: Running, item: str) -> None:
    """An id is text, whatever a terminal library takes it for."""
    done = rank(gateway, "--user", item, stdin=item.encode())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(item) == 2


def test_the_gateways_refusal_is_told(gateway: Running) -> None:
    """What the gateway refuses is told in its words, with exit code 1."""
    done = run("rank", "--url", gateway.url, "--campaign", "nobody", "--user", USER, stdin=ITEMS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_an_empty_user_is_refused(gateway: Running) -> None:
    """An empty user id, perhaps of an unset variable, is an error and not silence."""
    assert rank(gateway, "--user", "").returncode != 0


def test_no_gateway() -> None:
    """Where no gateway listens one line says so, with exit code 1."""
    done = run("rank", "--url", "http://127.0.0.1:1", "--campaign", "c", "--user", USER, stdin=ITEMS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "http://127.0.0.1:1" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("who", [(), ("--user", USER, "--users", "x")])
def test_one_user_or_a_file_of_them(who: tuple[str, ...]) -> None:
    """Neither and both are refused."""
    assert here("rank", "--campaign", "c", *who).returncode == 1


def test_items_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a file that is no text are told by their name."""
    file = tmp_path / "items"
    for content in (None, b"\xff\xfe"):
        if content is not None:
            file.write_bytes(content)
        done = here("rank", "--campaign", "c", "--user", USER, "--items", str(file))
        assert done.returncode == 1
        assert str(file) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rank", "--campaign", "c", "--user", USER, "--top", "-1"), 2, "--top"),
        (("emulate", "--port", "99999"), 2, "--port"),
        (("demo", "--once", "--port", "-1"), 2, "--port"),
    ],
)
def test_numbers_that_cannot_be(arguments: tuple[str, ...], code: int, said: str) -> None:
    """A number out of its range is refused by its option, never taken for another one."""
    done = here(*arguments)
    assert done.returncode == code
    assert said in done.stderr


def test_a_key_as_a_file_gives_it(gateway: Running) -> None:
    """The line end of a key is none of it, and a key that no header can hold is told in words."""
    asked = ("rank", "--url", gateway.url, "--campaign", "demo", "--user", USER)
    assert run(*asked, "--key", "some-key\n", stdin=b"p00001\n").returncode == 0
    done = run(*asked, "--key", "two\nlines", stdin=b"p00001\n")
    assert (done.returncode, "Traceback" in done.stderr, "two" in done.stderr) == (1, False, False)

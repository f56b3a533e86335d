"""`audit` against real endpoints: the emulator passes, one whose scores depend on the list does not."""

import asyncio
import math
import re
import sys
from pathlib import Path

import orjson
import pytest

from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import Script, Sent, ranked
from tests.process.parts import ARN, ROOT, WITHIN_S, Running, here, run, signed
from tests.support.canaries import USER
from tests.support.softmax_ranker import respond

ITEMS = [f"p{number:05}" for number in range(1, 701)]


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A file with 700 items of the built-in store."""
    file = tmp_path / "items.csv"
    file.write_text("\n".join(["ITEM_ID", *ITEMS, ITEMS[0]]), encoding="utf-8")
    return file


def audit(upstream: str, items: Path, *arguments: str):
    """The command, straight to an endpoint."""
    return run("audit", "--campaign", ARN, "--user", USER, "--items", str(items), *arguments, env=signed(upstream))


def test_the_emulator_is_trusted(emulator: Running, items: Path) -> None:
    """The built-in campaign keeps the promise: a table, a verdict in words, exit code 0, and no user id."""
    done = audit(emulator.url, items)
    assert (done.returncode, done.stderr) == (0, "")
    assert "may be trusted on this campaign" in done.stdout
    assert re.search(r"decimals +7", done.stdout)
    assert re.search(r"501 items +refused with 400 InvalidInputException", done.stdout)
    assert re.search(r"spent +\d+ calls, on 700 distinct items", done.stdout)
    assert USER not in done.stdout
    assert ITEMS[0] not in done.stdout


def test_json_for_programs(emulator: Running, items: Path) -> None:
    """With --json all findings are one object on one line; the budget holds."""
    done = audit("http://127.0.0.1:1", items, "--endpoint-url", emulator.url, "--json", "--calls", "14")
    (line,) = done.stdout.splitlines()
    found = orjson.loads(line)
    assert (done.returncode, found["trusted"], found["verdict"], found["calls"]) == (0, True, "trusted", 14)
    assert found["rounds"][0]["others"]["few"]["gap"] == 0.0
    assert found["overLimit"]["refused"]["code"] == "InvalidInputException"
    assert found["empty"]["refused"]["status"] == 400
    assert found["unknown"] == {"treated": "no score", "last": True}
    assert found["atLimit"] == {"came": 500}
    assert USER not in done.stdout


def test_a_filter_that_there_is_not(emulator: Running, items: Path) -> None:
    """A filter that the campaign refuses is told in its words."""
    done = audit(emulator.url, items, "--filter", ARN.replace("campaign", "filter"), "--filter-value", "A=1", "--json")
    assert orjson.loads(done.stdout)["filtered"]["refused"]["code"] == "ResourceNotFoundException"


def crowding(strength: float) -> Script:
    """An endpoint that answers by a softmax in which items lose to others of their kind in the same list."""

    async def script(request: Sent, writer: asyncio.StreamWriter) -> None:
        asked = list(dict.fromkeys(request.members["inputList"]))
        places = {item: math.sin(int(item[1:])) for item in asked if item.startswith("p")}
        mean = sum(places.values()) / max(1, len(places))
        rows = respond(asked, {item: 2 * place - strength * place * mean for item, place in places.items()})
        await ranked([{"itemId": item, "score": score} for item, score in rows])(request, writer)

    return script


@pytest.mark.parametrize(("strength", "code", "verdict"), [(0.5, 1, "list-dependent"), (0.0, 0, "trusted")])
async def test_a_dependence_on_the_list(items: Path, strength: float, code: int, verdict: str) -> None:
    """A campaign whose scores depend on the list is told so, with exit code 1; without the dependence it passes."""
    async with fake_upstream.listening(crowding(strength)) as upstream, asyncio.timeout(WITHIN_S):
        arguments = ("audit", "--campaign", ARN, "--user", USER, "--items", str(items), "--json")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *arguments,
            env=signed(upstream.url),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
    found = orjson.loads(out)
    assert (process.returncode, found["verdict"], found["drifted"]) == (code, verdict, 0)
    assert len(upstream.sent) == found["calls"] <= 40


def test_no_campaign(items: Path) -> None:
    """Where nothing listens one line says so, with exit code 2 and without a user id."""
    done = audit("http://127.0.0.1:1", items)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: Personalize cannot be reached\n"


def test_a_campaign_that_there_is_not(emulator: Running, items: Path) -> None:
    """The service's own words are told, with exit code 2."""
    done = audit(emulator.url, items, "--campaign", ARN + "-gone")
    assert (done.returncode, done.stdout) == (2, "")
    assert "ResourceNotFoundException" in done.stderr
    assert USER not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--campaign", "demo", "--user", USER), "--campaign is not the ARN"),
        (("--campaign", ARN, "--user", ""), "--user is empty"),
        (("--campaign", ARN, "--user", USER, "--filter", "f"), "--filter is not the ARN"),
        (("--campaign", ARN, "--user", USER, "--filter-value", "A=b"), "--filter-value is for a --filter"),
        (("--campaign", ARN, "--user", USER, "--filter", ARN, "--filter-value", "A"), "is not NAME=VALUE"),
        (("--campaign", ARN, "--user", USER, "--filter", ARN, "--filter-value", "=b"), "is not NAME=VALUE"),
        (("--campaign", ARN, "--user", USER, "--calls", "6"), "--calls is below 7"),
        (("--campaign", ARN, "--user", USER, "--items", "/nowhere"), "/nowhere: cannot be read"),
        (("--campaign", ARN), "--user"),
    ],
)
def test_usage(items: Path, arguments: tuple[str, ...], said: str) -> None:
    """What cannot be meant is told before anything is asked, with exit code 2."""
    done = here("audit", "--items", str(items), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_too_few_items(tmp_path: Path) -> None:
    """A file with nearly nothing in it cannot be audited."""
    file = tmp_path / "items"
    file.write_text("a\nb\na\n", encoding="utf-8")
    done = here("audit", "--campaign", ARN, "--user", USER, "--items", str(file))
    assert done.returncode == 2
    assert "has 2 items" in done.stderr

"""A campaign that breaks the merge's assumption: the audit says so, and `ordinal` comes close to its own order.

Real processes: an emulator whose scores depend on the list on purpose, the audit, and a gateway in front of it.
"""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.process.parts import ARN, WITHIN_S, Running, environment, run, running, signed
from tests.support.canaries import USER

PAGE = 48
USERS = 6
STRENGTHS = {"mild": 1, "strong": 3}
"""How far scores depend on the list: a ratio changes by 7 %, by 22 %."""


def arn(name: str) -> str:
    """The campaign of a strength."""
    return ARN.replace("demo", name)


def candidates(user: int, count: int = 5_000) -> list[str]:
    """Half of the store, in any order."""
    return [f"p{number:05}" for number in Random(user).sample(range(1, 10_001), count)]


def post(process: Running, path: str, members: dict[str, Any]) -> dict[str, Any]:
    """A request and its decoded answer."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=WITHIN_S)
    connection.request("POST", path, orjson.dumps(members), {"Content-Type": "application/json"})
    with closing(connection), connection.getresponse() as response:
        answer: dict[str, Any] = orjson.loads(response.read())
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    """The ids of an answer, best first."""
    return [one["itemId"] for one in answer["personalizedRanking"]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Campaigns of the built-in store, each with scores that depend on the list to its own extent."""
    config = tmp_path_factory.mktemp("emulator") / "emulator.toml"
    recipe = "aws-personalized-ranking-v2"
    tables = [
        f'[[campaigns]]\narn = "{arn(name)}"\nrecipe = "{recipe}"\nlist_dependent = {strength}\n'
        for name, strength in {**STRENGTHS, "sound": 0}.items()
    ]
    config.write_text("".join(tables), encoding="utf-8")
    with running("emulate", "--port", "0", "--config", str(config), env=environment()) as process:
        yield process


@pytest.fixture(scope="module")
def gateway(emulator: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway that merges these campaigns by orders alone."""
    config = tmp_path_factory.mktemp("gateway") / "gateway.toml"
    tables = [f'[campaigns.{name}]\narn = "{arn(name)}"\nmerge = "ordinal"\n' for name in [*STRENGTHS, "sound"]]
    config.write_text("[server]\ndeadline_ms = 20000\n" + "".join(tables), encoding="utf-8")
    env = {k: v for k, v in signed(emulator.url).items() if not k.startswith("GATEWAY_")}
    with running("serve", "--port", "0", "--config", str(config), env=env) as process:
        yield process


@pytest.mark.parametrize(("name", "code", "verdict"), [("mild", 1, "list-dependent"), ("sound", 0, "trusted")])
def test_the_audit_tells(emulator: Running, tmp_path: Path, name: str, code: int, verdict: str) -> None:
    """The audit names the dependence, exits 1 and says what to set; on the same store without it, it trusts."""
    items = tmp_path / "items"
    items.write_text("\n".join(candidates(1, 1_000)), encoding="utf-8")
    env = signed(emulator.url)
    done = run("audit", "--campaign", arn(name), "--user", "canary-user-3", "--items", str(items), "--json", env=env)
    found = orjson.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["drifted"]) == (code, verdict, 0)
    assert ('merge = "ordinal"' in found["verdictText"]) is (code == 1)
    assert found["calls"] <= 40


def test_ordinal_comes_close_to_the_campaigns_own_order(emulator: Running, gateway: Running) -> None:
    """Of the page that one unlimited call would give, 9 in 10 are there, whatever the strength; flagged, unscored."""
    for name in STRENGTHS:
        found = []
        for user in range(USERS):
            who = {"userId": f"canary-user-{user}", "inputList": candidates(user)}
            own = ids(post(emulator, "/_emulator/oracle", {"campaignArn": arn(name), **who}))[:PAGE]
            answer = post(gateway, "/v1/rerank", {"campaign": name, "limit": PAGE, **who})
            assert (answer["merge"], answer["degraded"]) == ("ordinal", None)
            usage = answer["usage"]
            assert usage["upstreamCalls"] - usage["retries"] - usage["hedges"] == 11
            assert answer["resolvedThrough"] >= 100
            assert not any("score" in one for one in answer["personalizedRanking"])
            found.append(len(set(ids(answer)) & set(own)) / PAGE)
        assert sum(found) / USERS >= 0.9, (name, found)


def test_a_consistent_campaign_gives_its_exact_page(emulator: Running, gateway: Running) -> None:
    """The control: where scores do not depend on the list, the page is that of one unlimited call, in its order."""
    who = {"userId": USER, "inputList": candidates(1)}
    own = ids(post(emulator, "/_emulator/oracle", {"campaignArn": arn("sound"), **who}))[:PAGE]
    assert ids(post(gateway, "/v1/rerank", {"campaign": "sound", "limit": PAGE, **who})) == own

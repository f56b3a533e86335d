"""The endpoint that tests and load tests stand on: it answers as the model says, breaks as told, and counts right."""

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import numpy as np
import orjson
import pytest

from tests.support.model_upstream import server
from tests.support.model_upstream.faults import Conduct, Faults, Lognormal, Rule, Uniform
from tests.support.model_upstream.logits import ideal, logits, worst_inversion
from tests.support.model_upstream.plays import BENIGN, PLAYS
from tests.support.model_upstream.server import ModelUpstream
from tests.support.model_upstream.stats import Tally

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/one"
OTHER = "arn:aws:personalize:us-east-1:000000000000:campaign/other"
ITEMS = [f"i{number}" for number in range(40)]
WITHIN_S = 20.0


@pytest.fixture
async def upstream() -> AsyncIterator[ModelUpstream]:
    """A healthy endpoint."""
    async with server.listening() as upstream:
        yield upstream


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that follows redirects, as clients do."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN_S)) as session:
        yield session


def body(arn: str = ARN, items: list[str] = ITEMS, user: str = "u") -> bytes:
    """A request as botocore writes it: with spaces."""
    listed = ", ".join(f'"{item}"' for item in items)
    return f'{{"campaignArn": "{arn}", "userId": "{user}", "inputList": [{listed}]}}'.encode()


async def post(session: aiohttp.ClientSession, upstream: ModelUpstream, data: bytes) -> tuple[int, bytes]:
    """Status and body of an answer."""
    async with session.post(f"{upstream.url}/personalize-ranking", data=data) as response:
        return response.status, await response.read()


async def test_a_good_answer_is_the_models(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """Items come in the model's order with the softmax of its logits at 7 decimals, and the nulls of real bodies."""
    status, answer = await post(session, upstream, body())
    entries = orjson.loads(answer)["personalizedRanking"]
    weights = np.exp(np.sort(logits("u", ITEMS))[::-1])
    assert status == 200
    assert [entry["itemId"] for entry in entries] == ideal("u", ITEMS)
    assert [entry["score"] for entry in entries] == np.round(weights / weights.sum(), 7).tolist()
    assert entries[0].keys() == {"itemId", "score", "promotionName", "metadata", "reason", "explanation"}


async def test_unknown_items_come_last_without_a_score(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """Items that the model does not know come last, in the order of the list, and take no share."""
    _, answer = await post(session, upstream, body(items=["unknown-b", "x", "unknown-a", "y"]))
    entries = orjson.loads(answer)["personalizedRanking"]
    assert [entry["itemId"] for entry in entries[2:]] == ["unknown-b", "unknown-a"]
    assert [entry["score"] for entry in entries[2:]] == [None, None]
    assert sum(entry["score"] for entry in entries[:2]) == pytest.approx(1.0)


async def test_equal_answers(session: aiohttp.ClientSession) -> None:
    """The canned answer holds the list as it came, equally scored, however the request spaces its JSON."""
    async with server.listening("equal") as upstream:
        for data in (body(), orjson.dumps(orjson.loads(body())), body(items=["one"])):
            items = orjson.loads(data)["inputList"]
            _, answer = await post(session, upstream, data)
            entries = orjson.loads(answer)["personalizedRanking"]
            assert [(entry["itemId"], entry["score"]) for entry in entries] == [
                (item, 1 / len(items)) for item in items
            ]


def test_logits_are_the_same_everywhere() -> None:
    """Logits do not depend on the run, the list, or what was asked before; users differ."""
    assert logits("u", ["b", "a"]).tolist() == pytest.approx(logits("u", ["a", "b"]).tolist()[::-1])
    assert float(logits("u", ["a"])[0]) == pytest.approx(GOLDEN, abs=1e-12)
    assert ideal("u", ITEMS) != ideal("v", ITEMS)
    assert worst_inversion("u", ideal("u", ITEMS)) == 0.0
    assert worst_inversion("u", ideal("v", ITEMS)) > 0.1


GOLDEN = 0.3715566376809176

GOOD_NOW = [*BENIGN, "missing-scores"]
NO_ANSWER = ["hang", "drip"]
ENDS = ["reset", "close", "close-in-head", "no-http", "truncated", "length-too-long", "chunks-torn"]
NAIVELY_READ = sorted(
    PLAYS.keys() - {*GOOD_NOW, *NO_ANSWER, *ENDS, "huge", "length-too-short", "left-over", "redirect"}
)


@pytest.mark.parametrize("play", [*GOOD_NOW, "left-over"])
async def test_right_answers_in_unusual_forms(
    session: aiohttp.ClientSession, upstream: ModelUpstream, play: str
) -> None:
    """A whole answer that is unusual below JSON is read by a client as the good one it is."""
    upstream.set(Faults(rules=(Rule(play=play),)))
    status, answer = await post(session, upstream, body())
    assert status == 200
    assert [entry["itemId"] for entry in orjson.loads(answer)["personalizedRanking"]] == ideal("u", ITEMS)


@pytest.mark.parametrize("play", ENDS)
async def test_answers_that_end_too_soon(session: aiohttp.ClientSession, upstream: ModelUpstream, play: str) -> None:
    """What breaks the connection is an error of the connection to a client, never an answer."""
    upstream.set(Faults(rules=(Rule(play=play),)))
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await post(session, upstream, body())
    assert upstream.stats.of(ARN).plays[play] >= 1


@pytest.mark.parametrize("play", NO_ANSWER)
async def test_answers_that_never_end(session: aiohttp.ClientSession, upstream: ModelUpstream, play: str) -> None:
    """Without a deadline a client waits on; when it leaves, the attempt counts as abandoned and not as under way."""
    upstream.set(Faults(rules=(Rule(play=play),)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await post(session, upstream, body())
    async with asyncio.timeout(WITHIN_S):
        while upstream.stats.in_flight:
            await asyncio.sleep(0.001)
    assert upstream.stats.of(ARN).abandoned == 1


@pytest.mark.parametrize("play", NAIVELY_READ)
async def test_answers_that_are_wrong(session: aiohttp.ClientSession, upstream: ModelUpstream, play: str) -> None:
    """What is wrong within HTTP arrives as it was sent, and is not the good answer."""
    _, good = await post(session, upstream, body())
    upstream.set(Faults(rules=(Rule(play=play),)))
    assert await post(session, upstream, body()) != (200, good)
    assert upstream.stats.of(ARN).plays[play] == 1


async def test_a_redirect_carries_the_request_elsewhere(
    session: aiohttp.ClientSession, upstream: ModelUpstream
) -> None:
    """A client that follows redirects brings user and items to another origin, which keeps them as a stray."""
    upstream.set(Faults(rules=(Rule(play="redirect"),)))
    await post(session, upstream, body(user="canary"))
    assert b"canary" in upstream.stats.strays[0]


async def test_a_huge_body_is_poured_as_it_is_read(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """An answer of 64 MB is sent no faster than it is read, and is a good one behind the padding."""
    upstream.set(Faults(rules=(Rule(play="huge"),)))
    status, answer = await post(session, upstream, body())
    assert (status, len(answer) > 64 * 1024 * 1024) == (200, True)
    assert len(orjson.loads(answer.lstrip())["personalizedRanking"]) == len(ITEMS)


async def test_a_body_longer_than_declared(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """A body that is longer than it declares cannot be read as one answer."""
    upstream.set(Faults(rules=(Rule(play="length-too-short", first=1),)))
    with pytest.raises((aiohttp.ClientError, orjson.JSONDecodeError)):
        orjson.loads((await post(session, upstream, body()))[1])


async def test_faults_over_http(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """Faults can be set by anybody who can reach the port, for one ARN or all, and nonsense is refused."""
    control = f"{upstream.url}/_faults"
    async with session.post(control, data=orjson.dumps({ARN: {"rules": [{"play": "error", "status": 503}]}})) as told:
        assert told.status == 200
    assert (await post(session, upstream, body()))[0] == 503
    assert (await post(session, upstream, body(OTHER)))[0] == 200
    async with session.post(control, data=orjson.dumps({"*": {"rules": [{"play": "bare-429"}]}})) as told:
        assert told.status == 200
    assert [(await post(session, upstream, body(arn)))[0] for arn in (ARN, OTHER)] == [503, 429]
    for nonsense in ({"*": {"rules": [{"play": "nothing like it"}]}}, {"*": {"such": 1}}, [1]):
        async with session.post(control, data=orjson.dumps(nonsense)) as told:
            assert told.status == 400
    async with session.get(f"{upstream.url}/_stats") as told:
        stats = await told.json()
    assert stats["arns"][ARN]["attempts"] == 2
    assert stats["arns"][ARN]["plays"] == {"error": 2}


async def test_repeats_are_told_from_first_attempts(session: aiohttp.ClientSession, upstream: ModelUpstream) -> None:
    """The same body again is a repeat; other users, items and ARNs are not."""
    for data in (body(), body(), body(user="v"), body(OTHER), body(items=ITEMS[:3]), body()):
        await post(session, upstream, data)
    tally = upstream.stats.of(ARN)
    assert (tally.total, tally.repeats.total(), upstream.stats.attempts) == (5, 2, 6)


def test_the_worst_window_counts() -> None:
    """Amplification is that of the worst ten seconds, not of the whole run."""
    tally = Tally()
    for bucket in range(300):
        tally.begin(bucket, repeat=False)
    for bucket in range(100, 150):
        tally.begin(bucket, repeat=True)
    assert tally.amplification(10.0) == pytest.approx(1.5)
    assert tally.amplification(30.0) == pytest.approx(350 / 300)


def decisions(faults: Faults, count: int) -> list[tuple[float, str | None]]:
    """What becomes of `count` attempts, a tenth of a second apart."""
    conduct = Conduct(faults)
    made = [conduct.decide(b'{"inputList":["a"]}', reused=False, now_s=n / 10) for n in range(count)]
    return [(one.delay_s, one.rule.play if one.rule else None) for one in made]


def test_shares_are_drawn_from_the_seed() -> None:
    """The same seed gives the same faults, another one others, and shares are kept."""
    faults = [
        Faults(seed=seed, slow_share=0.1, slow_s=3.0, rules=(Rule(play="error", share=0.3),), latency=Uniform(0.1, 0.2))
        for seed in (1, 1, 2)
    ]
    first, again, other = (decisions(one, 2_000) for one in faults)
    assert first == again != other
    assert sum(delay_s > 3 for delay_s, _ in first) == pytest.approx(200, abs=60)
    assert sum(play == "error" for _, play in first) == pytest.approx(600, abs=100)
    assert all(0.1 <= delay_s % 3.0 <= 0.2 for delay_s, _ in first)


def test_latencies_have_their_median() -> None:
    """Half of the lognormal latencies are above the median."""
    delays = [delay_s for delay_s, _ in decisions(Faults(latency=Lognormal(0.05, 0.5)), 2_000)]
    assert float(np.median(delays)) == pytest.approx(0.05, rel=0.1)


def test_rules_apply_in_order_and_only_where_they_fit() -> None:
    """The first rule that fits decides: for so many attempts, for calls that hold an item, for reused connections."""
    rules = (Rule(play="error", first=2), Rule(play="hang", holding="b"), Rule(play="close", reused=True))
    conduct = Conduct(Faults(rules=rules))
    asked = [(b'["a"]', False), (b'["b"]', True), (b'["b"]', False), (b'["a"]', True), (b'["a"]', False)]
    made = [conduct.decide(data, reused=reused, now_s=0.0).rule for data, reused in asked]
    assert [rule.play if rule else None for rule in made] == ["error", "error", "hang", "close", None]


def test_attempts_above_the_rate_are_throttled() -> None:
    """After one second's worth at once, as many attempts pass as the rate allows."""
    plays = [play for _, play in decisions(Faults(tps=5.0), 100)]
    assert plays.count(None) == pytest.approx(5 + 5 * 10, abs=1)


def test_as_a_process() -> None:
    """The process prints its address, answers there, and ends on SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.model_upstream", "--answers", "equal", "--seconds", "60"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().split()[-1]
        asked = urllib.request.Request(f"{url}/personalize-ranking", data=body())  # noqa: S310 - our own
        with urllib.request.urlopen(asked, timeout=WITHIN_S) as answer:  # noqa: S310
            assert len(orjson.loads(answer.read())["personalizedRanking"]) == len(ITEMS)
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(WITHIN_S) == 0

"""Several campaigns from one file: replicas, drift, decimals, list-dependent scores; and what is refused about it."""

import math
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.emulator.campaigns import open_world
from gateway.emulator.config import ConfigError, load
from gateway.emulator.model import rank
from gateway.emulator.server import build_app

PREFIX = "arn:aws:personalize:eu-west-1:123456789012:campaign/"

FILE = f"""
trackers = ["shop"]
[models.again]
seed = 7
[[campaigns]]
arn = "{PREFIX}main"
recipe = "aws-personalized-ranking-v2"
[[campaigns]]
arn = "{PREFIX}replica"
recipe = "aws-personalized-ranking"
decimals = 3
metadata = false
[[campaigns]]
arn = "{PREFIX}retrained"
recipe = "aws-personalized-ranking-v2"
model = "again"
[[campaigns]]
arn = "{PREFIX}odd"
recipe = "aws-personalized-ranking-v2"
list_dependent = 1.0
"""

ITEMS = [f"p{number:05}" for number in range(1, 101)]


def written(folder: Path, text: str) -> Path:
    """A file of this text."""
    path = folder / "emulator.toml"
    path.write_text(text)
    return path


@pytest.fixture
async def client(aiohttp_client: Any, tmp_path: Path) -> Any:
    """A client of what FILE serves."""
    return await aiohttp_client(build_app(load(written(tmp_path, FILE))))


async def ranked(client: Any, name: str, **members: Any) -> dict[str, float]:
    """The scores that a campaign gives."""
    call = {"campaignArn": PREFIX + name, "userId": "user-1", "inputList": ITEMS} | members
    async with client.post("/personalize-ranking", json=call) as response:
        assert response.status == 200, await response.text()
        ranking = orjson.loads(await response.read())["personalizedRanking"]
    return {item["itemId"]: item["score"] for item in ranking}


async def test_a_replica_ranks_alike(client: Any) -> None:
    """Two campaigns of one model give one order; each rounds its scores as it is set to."""
    main, replica = await ranked(client, "main"), await ranked(client, "replica")
    assert list(main) == list(replica)
    assert replica == {item: round(score, 3) for item, score in main.items()}


async def test_a_retrained_model_drifts(client: Any) -> None:
    """Another training gives much the same order, and other score ratios."""
    main, again = await ranked(client, "main"), await ranked(client, "retrained")
    assert set(list(main)[:10]) != set(ITEMS[:10])
    assert len(set(list(main)[:20]) & set(list(again)[:20])) > 10
    differences = [abs(math.log(main[item] / again[item])) for item in list(main)[:20]]
    assert max(differences) > 0.1


async def test_an_event_moves_the_user_in_every_model(client: Any, click: dict[str, Any]) -> None:
    """One tracker serves all campaigns, as one dataset group does."""
    before = {name: await ranked(client, name) for name in ("main", "replica", "retrained")}
    async with client.post("/events", json=click | {"trackingId": "shop"}) as response:
        assert response.status == 200
    assert all([await ranked(client, name) != scores for name, scores in before.items()])


async def test_only_what_is_configured_is_served(client: Any, members: dict[str, Any], click: dict[str, Any]) -> None:
    """With campaigns in the file, the ARNs and the tracker of the demo are not there."""
    for path, call in (("/personalize-ranking", members), ("/events", click)):
        async with client.post(path, json=call) as response:
            assert response.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"


async def test_metadata_can_be_off(client: Any, members: dict[str, Any]) -> None:
    """A campaign without metadata refuses columns that another one gives."""
    call = members | {"metadataColumns": {"ITEMS": ["TITLE"]}}
    for name, status in (("main", 200), ("replica", 400)):
        async with client.post("/personalize-ranking", json=call | {"campaignArn": PREFIX + name}) as response:
            assert response.status == status


@pytest.mark.parametrize(("name", "kept"), [("main", True), ("odd", False)])
async def test_score_ratios_over_different_lists(client: Any, name: str, kept: bool) -> None:
    """The score ratio of two items is the same in any list, except where it is told to depend on the list."""
    listing = orjson.loads(await (await client.get("/_emulator/items?limit=10000")).read())["items"]
    category = next(item["category"] for item in listing if item["itemId"] == "p00001")
    alike = [item["itemId"] for item in listing if item["category"] == category][:200]
    pair = ["p00001", "p00002"]
    logs = []
    for others in (alike, ITEMS):
        scores = await ranked(client, name, inputList=list(dict.fromkeys(pair + others)))
        logs.append(math.log(scores[pair[0]] / scores[pair[1]]))
    assert (abs(logs[0] - logs[1]) < 0.01) is kept
    assert kept or abs(logs[0] - logs[1]) > 0.1


async def test_served_campaigns_are_listed(client: Any) -> None:
    """What is served can be looked up, with the operation that each campaign answers."""
    async with client.get("/_emulator/campaigns") as response:
        listed = orjson.loads(await response.read())
    assert [one["arn"] for one in listed["campaigns"]] == [
        PREFIX + name for name in ("main", "replica", "retrained", "odd")
    ]
    assert {one["operation"] for one in listed["campaigns"]} == {"GetPersonalizedRanking"}
    assert listed["trackers"] == ["shop"]


def test_retraining_repeats(tmp_path: Path) -> None:
    """The same seed gives the same retrained model every time."""
    path = written(tmp_path, FILE)
    first, second = (open_world(load(path)).campaigns[f"{PREFIX}retrained"].model for _ in range(2))
    assert rank(first, "user-1", ITEMS) == rank(second, "user-1", ITEMS)


CAMPAIGN = f'[[campaigns]]\narn = "{PREFIX}a"\nrecipe = "aws-personalized-ranking-v2"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (CAMPAIGN + CAMPAIGN, r"campaigns\[1\]\.arn: comes twice"),
        (CAMPAIGN + 'model = "b"', r"campaigns\[0\]\.model: there is no \[models\.b\]"),
        (CAMPAIGN + 'filters = ["b"]', r"campaigns\[0\]\.filters: there is no filter b"),
        (CAMPAIGN.replace("-v2", "-v9"), r"campaigns\[0\]\.recipe: there is no recipe aws-personalized-ranking-v9"),
        (CAMPAIGN.replace("aws-personalized-ranking-v2", "aws-vod-top-picks"), r"campaigns\[0\]\.arn: .*recommender"),
        (CAMPAIGN.replace("campaign/", "recommender/"), r"campaigns\[0\]\.arn: .*campaign"),
        (CAMPAIGN.replace("arn:aws:pers", "arn:aws:s3"), r"campaigns\[0\]\.arn"),
        (CAMPAIGN + "decimals = 0", "decimals"),
        (CAMPAIGN + "speed = 1", "speed"),
        (CAMPAIGN + "list_dependent = -1", "list_dependent"),
        ("[models.default]\nseed = 1", r"models\.default"),
        ("[faults]\nerror_share = 1.5", "error_share"),
        ("[faults]\nerror_share = 0.5\nhang_share = 0.6", "add up"),
        ("[faults]\nerror_status = 404", "error_status"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, what: str) -> None:
    """What is wrong in itself or out of step with something else is refused with its place."""
    with pytest.raises(ConfigError, match=rf"emulator\.toml: .*{what}"):
        load(written(tmp_path, text))

"""The filter language behind the seam: the built-in filters, and filters of a file, over a real socket."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient

from gateway.emulator.campaigns import open_world
from gateway.emulator.config import ConfigError, EmulatorConfig
from gateway.emulator.filtering import BUILT_IN, FILTER_PREFIX
from gateway.emulator.server import build_app

Client = TestClient[Any, Any]

FOR_USER = {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/demo-recommendations", "userId": "u"}
COLUMNS = {"metadataColumns": {"ITEMS": ["CATEGORY", "BRAND", "PRICE"]}, "numResults": 50}


async def asked(client: Client, **members: Any) -> tuple[int, Any]:
    """Status and body of a call for recommendations with metadata."""
    async with client.post("/recommendations", json=FOR_USER | COLUMNS | members) as response:
        return response.status, orjson.loads(await response.read())


async def kept(client: Client, name: str, **values: str) -> list[dict[str, Any]]:
    """The items that a filter leaves."""
    status, body = await asked(client, filterArn=FILTER_PREFIX + name, filterValues=values)
    assert status == 200, body
    items: list[dict[str, Any]] = body["itemList"]
    return items


async def test_filters_by_column(client: Client) -> None:
    """The built-in filters keep or drop a category, keep a brand, keep what is cheaper; all fill 50 places."""
    first = (await kept(client, "exclude-seen"))[0]["metadata"]
    category, brand = first["category"], first["brand"]
    found = {
        "category": await kept(client, "category", CATEGORY=f'"{category}"'),
        "exclude-category": await kept(client, "exclude-category", CATEGORY=f'"{category}"'),
        "brand": await kept(client, "brand", BRAND=f'"{brand}"'),
        "price-below": await kept(client, "price-below", PRICE="20"),
    }
    assert {name: len(items) for name, items in found.items()} == dict.fromkeys(found, 50)
    columns = {name: [item["metadata"] for item in items] for name, items in found.items()}
    assert {one["category"] for one in columns["category"]} == {category}
    assert category not in {one["category"] for one in columns["exclude-category"]}
    assert {one["brand"] for one in columns["brand"]} == {brand}
    assert max(float(one["price"]) for one in columns["price-below"]) < 20


async def test_what_was_bought_is_excluded(client: Client, click: dict[str, Any]) -> None:
    """A purchase takes the item away where purchased ones are excluded; a click does only where seen ones are."""
    best = (await kept(client, "exclude-seen"))[0]["itemId"]
    for kind, without in (("click", ["exclude-seen"]), ("purchase", ["exclude-seen", "exclude-purchased"])):
        event = click["eventList"][0] | {"eventType": kind, "itemId": best}
        async with client.post("/events", json=click | {"userId": "u", "eventList": [event]}) as response:
            assert response.status == 200
        for name in ("exclude-seen", "exclude-purchased"):
            found = [item["itemId"] for item in await kept(client, name)]
            assert (best not in found) is (name in without)


async def test_parameters(client: Client) -> None:
    """An INCLUDE without a value is refused by the parameter's name; an EXCLUDE without one excludes nothing."""
    status, body = await asked(client, filterArn=f"{FILTER_PREFIX}category")
    assert status == 400
    assert "CATEGORY" in body["message"]
    everything = (await asked(client))[1]["itemList"]
    assert await kept(client, "exclude-category") == everything


async def test_filters_of_a_file(aiohttp_client: Any, tmp_path: Path) -> None:
    """Expressions of the file filter your own data, and see the interactions of your file."""
    interactions = tmp_path / "interactions.csv"
    taken = [f"u{user},i{2 * item + user % 2},1,view" for user in range(60) for item in range(20) if (user + item) % 3]
    interactions.write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *taken]))
    config = EmulatorConfig(
        interactions=interactions,
        cache_dir=tmp_path / "kept",
        filters={"fresh": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'},
    )
    client = await aiohttp_client(build_app(config))
    call = {"campaignArn": FOR_USER["campaignArn"], "userId": "u0", "filterArn": f"{FILTER_PREFIX}fresh"}
    async with client.post("/recommendations", json=call) as response:
        assert response.status == 200, await response.text()
        found = {item["itemId"] for item in orjson.loads(await response.read())["itemList"]}
    assert found
    assert not found & {line.split(",")[1] for line in taken if line.startswith("u0,")}


def test_the_built_in_filters_are_in_the_language() -> None:
    """Every built-in expression parses."""
    world = open_world(EmulatorConfig())
    assert world.filters.expressions == BUILT_IN
    world.filters.check()


def test_a_broken_filter_is_named() -> None:
    """An expression that is wrong ends the start with the filter's name and the place."""
    with pytest.raises(ConfigError, match=r"filters\.bad: line 1, column \d+"):
        open_world(EmulatorConfig(filters={"bad": "INCLUDE ItemID WHERE Items.BRAND ~ 3"}))

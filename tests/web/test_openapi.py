"""The API description is valid and whole: it has every route, problem, limit and rule, and the members of answers."""

from copy import deepcopy
from typing import Any

import msgspec
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.settings import ServerSettings
from gateway.web import answers
from gateway.web.app import build_app
from gateway.web.openapi import document
from gateway.web.openapi_operations import OPERATIONS
from gateway.web.problems import BUG, TABLE
from gateway.web.render import DescribedEntry, ToldEntry
from tests.support.canaries import USER
from tests.support.gateway_parts import make_service
from tests.support.listing_ranker import ListingRanker
from tests.web.parts import Client, ask, items, native, wire

LISTING = {"campaignArn": "demo", "userId": USER}
SHELVES = {"campaign": "demo", "userId": USER, "shelves": {"a": items(3)}, "explain": True}


def test_it_is_valid() -> None:
    """The document keeps the rules of OpenAPI 3.1, and every reference in it leads somewhere."""
    OpenAPIV31SpecValidator(document()).validate()


def test_control_the_validator_finds_faults() -> None:
    """A document with a reference that leads nowhere is refused: the test above can fail."""
    broken = deepcopy(document())
    del broken["info"]["title"]
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


async def test_every_route_is_described() -> None:
    """What the app answers is in the description, and nothing else is."""
    app = build_app(make_service(ListingRanker()), ServerSettings())
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert set(OPERATIONS) == routes


def test_every_problem_is_described() -> None:
    """Each kind of error that a caller can be told is in the description, in the words of both APIs."""
    text = orjson.dumps(document()["paths"]).decode()
    for row in (*TABLE.values(), BUG):
        assert f'"urn:rerank-gateway:problem:{row.slug}"' in text
    for row in TABLE.values():
        if row.slug != "cache-unavailable":  # which only the native API tells
            assert f'"{row.code}"' in text


def test_limits_are_those_that_are_checked() -> None:
    """The description takes its limits from the types that decode: a few of them, as documented."""
    schemas = document()["components"]["schemas"]
    assert schemas["RerankRequest"]["properties"]["inputList"]["maxItems"] == 100_000
    assert schemas["RerankRequest"]["additionalProperties"] is False
    numbers = schemas["RecommendationsRequest"]["properties"]["numResults"]["anyOf"][0]
    assert (numbers["minimum"], numbers["maximum"]) == (0, 500)
    assert "\\\\A" not in orjson.dumps(schemas).decode()


RULED = ("RecommendationsRequest", "RerankRequest", "ShelvesRequest")


def test_rules_between_members_are_described() -> None:
    """Types of members with rules between them say these; and every text in a request keeps out U+0000."""
    schemas = document()["components"]["schemas"]
    assert [len(schemas[name]["allOf"]) for name in RULED] == [2, 1, 1]
    assert schemas["RerankRequest"]["properties"]["inputList"]["items"]["pattern"] == r"^[^\u0000]*$"
    assert "pattern" not in schemas["RerankAnswer"]["properties"]["rankingId"]


ANSWERS = [
    ("/v1/rerank", native(items(700), explain=True, pin=True), answers.RerankAnswer),
    ("/personalize-ranking", wire(), answers.PersonalizedRankingAnswer),
    ("/v1/rerank/shelves", SHELVES, answers.ShelvesAnswer),
    ("/recommendations", LISTING, answers.RecommendationsAnswer),
    ("/action-recommendations", LISTING, answers.ActionRecommendationsAnswer),
]


@pytest.mark.parametrize(("path", "members", "kind"), ANSWERS)
async def test_answers_have_the_described_members(connect: Any, path: str, members: Any, kind: Any) -> None:
    """An answer has all the members that the description names, and no others."""
    client = await connect(ranker=ListingRanker())
    assert set(await ask(client, path, members)) == {field.encode_name for field in msgspec.structs.fields(kind)}


def names(kind: type[msgspec.Struct]) -> set[str]:
    """The members of a type, as JSON has them."""
    return {field.encode_name for field in msgspec.structs.fields(kind)}


async def test_pages_and_shelves_have_the_described_members(connect: Any) -> None:
    """A page of a pinned ranking is an answer of `rerank` without what only the first page says; a shelf has all the
    members of its type; and entries have those that are made."""
    client = await connect()
    first = await ask(client, "/v1/rerank", native(items(30), pin=True))
    page = await (await client.get(f"/v1/rankings/{first['rankingId']}")).json()
    assert set(page) == names(answers.RerankAnswer) - {"plan", "pinned"}
    told = (await ask(client, "/v1/rerank/shelves", SHELVES))["shelves"]["a"]
    assert set(told) == names(answers.Shelf)
    assert names(answers.ToldItem) == names(ToldEntry)
    assert names(answers.RankedItem) == names(DescribedEntry)


async def test_it_is_served(client: Client) -> None:
    """`GET /openapi.json` gives the document as JSON."""
    response = await client.get("/openapi.json")
    assert (response.status, response.content_type) == (200, "application/json")
    assert orjson.loads(await response.read()) == document()

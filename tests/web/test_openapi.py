"""The API description is valid, whole, and true: a generator of requests that has read it finds no lie in it."""

import asyncio
import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import orjson
import pytest
import schemathesis
import structlog
import uvloop
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from gateway.settings import ServerSettings
from gateway.web import answers
from gateway.web.app import build_app
from gateway.web.openapi import OPERATIONS, document
from gateway.web.problems import BUG, TABLE
from gateway.web.render import DescribedEntry, ToldEntry
from tests.support.gateway_parts import make_service
from tests.support.listing_ranker import ListingRanker
from tests.web.parts import Client, ask, items, native, wire

LISTING = {"campaignArn": "demo", "userId": "u-1"}
SHELVES = {"campaign": "demo", "userId": "u-1", "shelves": {"a": items(3)}, "explain": True}


def test_it_is_valid() -> None:
    """The document keeps the rules of OpenAPI 3.1, and every reference in it leads somewhere."""
    OpenAPIV31SpecValidator(document()).validate()


def test_control_the_validator_finds_faults() -> None:
    """A document with a reference that leads nowhere is refused: the test above can fail."""
    broken = deepcopy(document())
    del broken["info"]["title"]
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_route_is_described() -> None:
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


# --- requests made of the description, as many as fit into a few seconds, always the same ones


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway on a socket and a loop of its own, since the generator of requests is no coroutine."""
    began, address, ends = threading.Event(), [], []

    async def serve() -> None:
        app = build_app(make_service(ListingRanker()), ServerSettings(deadline_ms=30_000))
        end = asyncio.Event()
        async with TestServer(app) as server:
            address.append(str(server.make_url("")).rstrip("/"))
            ends.append((asyncio.get_running_loop(), end))
            began.set()
            await end.wait()

    structlog.configure(processors=[dropped])
    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    assert began.wait(20.0)
    yield address[0]
    loop, end = ends[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(20.0)
    structlog.reset_defaults()


def dropped(*_: Any) -> Any:
    """No log line of thousands of requests."""
    raise structlog.DropEvent


BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CONFIG = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
schema = schemathesis.openapi.from_dict(document(), config=CONFIG)


@schema.parametrize()
@BOUNDED
def test_requests_made_of_the_description(case: Any, url: str) -> None:
    """Whatever is made of the description, good or bad, is answered as it says: no 5xx, no other status or shape."""
    address_the_campaign(case.body)
    case.call_and_validate(base_url=url, checks=CHECKS, timeout=20)


def address_the_campaign(body: Any) -> None:
    """Name the campaign that there is, in most requests that name a well-formed one: else all would be 404s."""
    for name in ("campaign", "campaignArn", "recommenderArn") if isinstance(body, dict) else ():
        given = body.get(name)
        if isinstance(given, str) and 1 <= len(given) <= 256 and len(body) != 3:
            body[name] = "demo"


def test_control_a_lie_is_found(url: str) -> None:
    """A description that leaves out a status, or a member's type, is found out by the same checks."""
    lying = deepcopy(document())
    ok = lying["paths"]["/v1/campaigns"]["get"]["responses"]["200"]["content"]["application/json"]
    ok["schema"] = {"type": "object", "required": ["nothing"]}
    operation = schemathesis.openapi.from_dict(lying, config=CONFIG)["/v1/campaigns"]["GET"]
    with pytest.raises(FailureGroup):
        operation.Case().call_and_validate(base_url=url, checks=CHECKS, timeout=20)

"""Errors on both routes, from the caller's and from the campaign's side, in the shape that the route promises."""

import orjson
import pytest

from gateway.core import errors
from tests.support.canaries import USER
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, SHELVES, WIRE, Client, ask, native, refused, send, wire

OTHER_ARN = ARN.replace("demo", "another")
MALFORMED = ["arn:", "arn:aws:s3:::bucket", "arn:aws:personalize:us-east-1:1", ARN.upper(), " " + ARN, ARN + "x" * 256]


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nowhere", 404), ("POST", "/v1/rerank/", 404), ("POST", "/v2/rerank", 404), ("POST", "/", 404),
    ("GET", NATIVE, 405), ("PUT", WIRE, 405), ("DELETE", "/livez", 405), ("POST", "/readyz", 405),
])  # fmt: skip
async def test_no_such_route(client: Client, method: str, path: str, status: int) -> None:
    """A path or method that does not exist is a problem document; a 405 says what would do."""
    response = await client.request(method, path)
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (await response.json(content_type=None))["status"] == status
    assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("reference", ["nobody", "DEMO", "demo ", OTHER_ARN, "🛒"])
async def test_unknown_campaigns(client: Client, ranker: SoftmaxRanker, reference: str) -> None:
    """Where campaigns are configured nothing else can be called: 404 on both routes, each in its own shape."""
    status, body = await refused(client, NATIVE, native(campaign=reference))
    assert (status, body["type"]) == (404, "urn:rerank-gateway:problem:no-such-resource")
    response = await send(client, WIRE, wire(campaignArn=reference))
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    assert ranker.calls == []


@pytest.mark.parametrize("reference", MALFORMED)
@pytest.mark.parametrize("campaigns", [None, {}])
async def test_malformed_arns(connect: Connect, ranker: SoftmaxRanker, reference: str, campaigns) -> None:
    """What is no ARN of Personalize never reaches upstream: 4xx natively, the service's own exceptions on the wire."""
    client = await connect(campaigns=campaigns)
    status, _ = await refused(client, NATIVE, native(campaign=reference))
    assert status in (404, 422)
    response = await send(client, WIRE, wire(campaignArn=reference))
    expected = "ResourceNotFoundException" if response.status == 404 else "InvalidInputException"
    assert response.status in (400, 404)
    assert response.headers["x-amzn-ErrorType"] == expected
    assert ranker.calls == []


async def test_a_malformed_arn_is_the_input_not_the_resource(client: Client) -> None:
    """An ARN of another shape is InvalidInput, as the service has it, not a resource that was not found; each route
    names it as its own callers do."""
    response = await send(client, WIRE, wire(campaignArn="arn:aws:s3:::bucket"))
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (400, "InvalidInputException")
    assert orjson.loads(await response.read())["message"].startswith("/campaignArn: ")
    shelved = {"campaign": "arn:aws:s3:::bucket", "userId": USER, "shelves": {"a": []}}
    for path, members in ((NATIVE, native(campaign="arn:aws:s3:::bucket")), (SHELVES, shelved)):
        status, body = await refused(client, path, members)
        assert (status, body["type"]) == (422, "urn:rerank-gateway:problem:bad-members")
        assert [fault["pointer"] for fault in body["errors"]] == ["#/campaign"]


async def test_without_configured_campaigns_any_arn_is_called(connect: Connect, ranker: SoftmaxRanker) -> None:
    """Where none is configured every well-formed ARN may be called, and a name may not."""
    client = await connect(campaigns={})
    assert await ask(client, WIRE, wire(campaignArn=OTHER_ARN))
    assert [call.arn for call in ranker.calls] == [OTHER_ARN]
    assert (await refused(client, WIRE, wire(campaignArn="demo")))[0] == 400


async def test_an_unknown_campaign_counts_even_for_nothing(client: Client) -> None:
    """An empty list does not excuse a campaign that does not exist."""
    assert (await refused(client, NATIVE, native([], campaign="nobody")))[0] == 404


UPSTREAM = [
    (errors.Throttled, 429, "throttled", "ThrottlingException", "1"),
    (errors.Unavailable, 503, "upstream-unavailable", "ServiceUnavailable", "1"),
    (errors.Malformed, 503, "upstream-malformed", "ServiceUnavailable", "1"),
    (errors.AccessDenied, 503, "upstream-access-denied", "ServiceUnavailable", "1"),
    (errors.DeadlineExceeded, 504, "deadline", "GatewayTimeout", None),
]


@pytest.mark.parametrize(("kind", "status", "slug", "code", "retry_after"), UPSTREAM)
async def test_a_dead_campaign(connect: Connect, kind, status, slug, code, retry_after) -> None:
    """If no call gave anything, both routes say what it was, and when to come back where that may help."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: kind("words for the caller")))
    response = await send(client, NATIVE, native())
    body = await response.json(content_type=None)
    assert (response.status, body["type"]) == (status, f"urn:rerank-gateway:problem:{slug}")
    assert response.headers.get("Retry-After") == retry_after
    response = await send(client, WIRE, wire())
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (status, code)
    assert response.headers.get("Retry-After") == retry_after


@pytest.mark.parametrize(("kind", "native_status", "wire_status", "code"), [
    (errors.InvalidInput, 422, 400, "InvalidInputException"),
    (errors.UnknownResource, 404, 404, "ResourceNotFoundException"),
])  # fmt: skip
async def test_the_service_refuses(connect: Connect, kind, native_status, wire_status, code) -> None:
    """What the service says of the caller's own fault is passed on, after one call and no retry."""
    ranker = SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: kind("the filter has no such parameter"))
    client = await connect(ranker=ranker)
    status, body = await refused(client, NATIVE, native())
    assert (status, body["detail"]) == (native_status, "the filter has no such parameter")
    response = await send(client, WIRE, wire())
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (wire_status, code)
    assert await response.json() == {"message": "the filter has no such parameter"}
    assert len(ranker.calls) == 2

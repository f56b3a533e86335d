"""What goes out to a campaign: one signed request per call, to the right region, and nowhere else."""

import asyncio
from urllib.parse import urlsplit

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core import errors
from gateway.core.model import Subject
from gateway.ports import Call
from tests.adapters import fake_upstream
from tests.adapters.conftest import KEY_ID, SECRET, TOKEN
from tests.adapters.fake_upstream import Sent, Upstream, answer
from tests.adapters.test_upstream_answers import ARN, CALL, FILTER


def call_in(region: str) -> Call:
    """A call to a campaign of the region."""
    return Call(ARN.replace("eu-west-1", region), Subject("storefront", "u"), ["a"])


async def test_the_request_is_the_operation(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A call is one POST with the operation's members, and those that are not set are not sent."""
    await ranker.rank(CALL)
    (sent,) = upstream.sent
    assert (sent.method, sent.path) == ("POST", "/personalize-ranking")
    assert sent.members == {"campaignArn": ARN, "userId": CALL.subject.user_id, "inputList": ["a", "b", "c"]}


async def test_context_and_filter_are_sent(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """Context, filter and its values go out as they are, whatever characters they hold."""
    subject = Subject("c", 'u"🛒\\', {"DEVICE": "📱"}, FILTER, {"BRAND": '"a","b"'})
    await ranker.rank(Call(ARN, subject, ["é", "\u2028"]))
    assert upstream.sent[0].members == {
        "campaignArn": ARN,
        "userId": 'u"🛒\\',
        "inputList": ["é", "\u2028"],
        "context": {"DEVICE": "📱"},
        "filterArn": FILTER,
        "filterValues": {"BRAND": '"a","b"'},
    }


async def test_metadata_columns_are_sent(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """Columns go out as those of the Items dataset, the only one there is."""
    upstream.script = fake_upstream.ranked([{"itemId": "a", "score": 1.0}])
    await ranker.rank(Call(ARN, Subject("c", "u"), ["a"], ("PRICE", "TITLE")))
    assert upstream.sent[0].members["metadataColumns"] == {"ITEMS": ["PRICE", "TITLE"]}


def resigned(sent: Sent, url: str, region: str) -> str:
    """The Authorization header that botocore's own signer gives to the request, at the time that it names."""
    signed = sent.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {
        name: sent.headers[name] for name in signed if name not in ("host", "x-amz-date", "x-amz-security-token")
    }
    request = AWSRequest("POST", url + sent.path, data=sent.body, headers=headers)
    request.context["timestamp"] = sent.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, TOKEN), "personalize", region)
    request.headers["X-Amz-Date"] = sent.headers["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = TOKEN
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
        f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}, Signature={signature}"
    )


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "ap-southeast-2"])
async def test_the_signature_is_sigv4_of_the_arns_region(
    ranker: PersonalizeRanker, upstream: Upstream, region: str
) -> None:
    """Every request is signed for the service `personalize` in the region of its ARN, as botocore signs it."""
    await ranker.rank(call_in(region))
    (sent,) = upstream.sent
    assert sent.headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/")
    assert f"/{region}/personalize/aws4_request" in sent.headers["authorization"]
    assert sent.headers["x-amz-security-token"] == TOKEN
    assert sent.headers["host"] == urlsplit(upstream.url).netloc
    assert sent.headers["authorization"] == resigned(sent, upstream.url, region)


async def test_one_client_for_each_region(ranker: PersonalizeRanker) -> None:
    """Campaigns of a region share a client, made once even when the first calls come together."""
    async with asyncio.TaskGroup() as group:
        for region in ("eu-west-1", "us-east-1") * 20:
            group.create_task(ranker.rank(call_in(region)))
    services = "('personalize-runtime', 'eu-west-1'), ('personalize-runtime', 'us-east-1')"
    assert repr(ranker._clients) == f"<AwsClients [{services}] connections_max=1000>"


async def test_an_arn_without_a_region_takes_the_default(upstream: Upstream, credentials: None) -> None:
    """Where the ARN names no region the configured default one signs; without any, the caller is told."""
    async with AwsClients(connections_max=1, default_region="sa-east-1") as clients:
        ranker = PersonalizeRanker(clients)
        await ranker.rank(call_in(""))
        assert "/sa-east-1/personalize/" in upstream.sent[0].headers["authorization"]
    async with AwsClients(connections_max=1) as clients:
        ranker = PersonalizeRanker(clients)
        with pytest.raises(errors.InvalidInput, match="region"):
            await ranker.rank(call_in(""))


@pytest.mark.parametrize("region", ["-x", "x-", "-", "x" * 64])
async def test_a_region_that_cannot_be_is_the_callers_fault(
    ranker: PersonalizeRanker, upstream: Upstream, region: str
) -> None:
    """An ARN whose region is no host name is refused as bad input; it is nothing to try again."""
    with pytest.raises(errors.InvalidInput):
        await ranker.rank(call_in(region))
    assert upstream.sent == []


async def test_100_calls_are_in_flight_at_once(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A fan-out does not queue for connections: all of a hundred calls have arrived before the first is answered."""
    let_go = asyncio.Event()

    async def held(sent: Sent, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        await fake_upstream.ranking()(sent, writer)

    upstream.script = held
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        calls = [group.create_task(ranker.rank(CALL)) for _ in range(100)]
        for _ in calls:
            await upstream.arrived.acquire()
        let_go.set()
    assert all(len(call.result().positions) == 3 for call in calls)
    assert upstream.connections == 100


async def test_connections_are_used_again(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """Calls one after the other share a connection, after errors too."""
    await ranker.rank(CALL)
    upstream.script = answer(b'{"message":"no"}', "400 Bad Request", x_amzn_ErrorType="InvalidInputException")
    with pytest.raises(errors.InvalidInput):
        await ranker.rank(CALL)
    upstream.script = None
    await ranker.rank(CALL)
    assert (len(upstream.sent), upstream.connections) == (3, 1)


async def test_closing_the_ranker_closes_its_connections(upstream: Upstream, credentials: None) -> None:
    """Nothing is left open behind a ranker that is closed."""
    async with AwsClients(connections_max=10) as clients:
        ranker = PersonalizeRanker(clients)
        await ranker.rank(CALL)
        assert upstream.open == 1
    async with asyncio.timeout(10):
        await upstream.closed.acquire()
    assert upstream.open == 0


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
async def test_redirects_are_refused(ranker: PersonalizeRanker, upstream: Upstream, status: str) -> None:
    """A redirect carries neither the session token nor the user's id anywhere: nothing arrives where it points."""
    async with fake_upstream.listening() as elsewhere:
        upstream.script = answer(b"", status, Location=f"{elsewhere.url}/personalize-ranking")
        with pytest.raises(errors.Unavailable):
            await ranker.rank(CALL)
        assert (len(upstream.sent), elsewhere.connections) == (1, 0)


async def test_plain_aiobotocore_follows_redirects(upstream: Upstream, credentials: None) -> None:
    """The control: the library as it comes hands token and user over to whatever host a 307 names."""
    async with fake_upstream.listening() as elsewhere:
        upstream.script = answer(b"", "307 Temporary Redirect", Location=f"{elsewhere.url}/personalize-ranking")
        async with AioSession().create_client("personalize-runtime", region_name="eu-west-1") as client:
            await client.get_personalized_ranking(campaignArn=ARN, userId="u", inputList=["a"])
        (sent,) = elsewhere.sent
        assert sent.headers["x-amz-security-token"] == TOKEN
        assert sent.members["userId"] == "u"


async def test_plain_aiobotocore_retries(upstream: Upstream, credentials: None) -> None:
    """The control: with two attempts allowed, the library sends a failed request twice; ours is sent once."""
    upstream.script = answer(b"", "503 Service Unavailable")
    twice = AioConfig(retries={"mode": "standard", "total_max_attempts": 2})
    async with AioSession().create_client("personalize-runtime", region_name="eu-west-1", config=twice) as client:
        with pytest.raises(client.exceptions.ClientError):
            await client.get_personalized_ranking(campaignArn=ARN, userId="u", inputList=["a"])
    assert len(upstream.sent) == 2


async def test_a_refused_connection(aws: pytest.MonkeyPatch, credentials: None) -> None:
    """Where nobody listens the campaign is unavailable, and the call may be tried again."""
    async with fake_upstream.listening() as gone:
        aws.setenv("AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME", gone.url)
    async with AwsClients(connections_max=1) as clients:
        ranker = PersonalizeRanker(clients)
        with pytest.raises(errors.Unavailable) as raised:
            await ranker.rank(CALL)
    assert raised.value.retryable


async def test_a_connection_that_died_idle(ranker: PersonalizeRanker, upstream: Upstream) -> None:
    """A kept connection that the campaign closed meanwhile is noticed: the next call goes over a new one."""

    async def once(sent: Sent, writer: asyncio.StreamWriter) -> None:
        await fake_upstream.ranking()(sent, writer)
        writer.close()

    upstream.script = once
    await ranker.rank(CALL)
    async with asyncio.timeout(10):
        await upstream.closed.acquire()
    for _ in range(50):
        await asyncio.sleep(0)
    await ranker.rank(CALL)
    assert upstream.connections == 2
    assert upstream.sent[1].members == upstream.sent[0].members

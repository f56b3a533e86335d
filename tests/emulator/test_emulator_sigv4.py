"""Signatures: made by botocore, verified by the emulator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.emulator.config import EmulatorConfig, KeyPair
from gateway.emulator.errors import ServiceError
from gateway.emulator.server import build_app
from gateway.emulator.sigv4 import SignedRequest, verify

Client = TestClient[Any, Any]

KEY = KeyPair(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG")
PATH = "/personalize-ranking"
SECRETS = {KEY.access_key_id: KEY.secret_access_key}


def signed_headers(
    url: str,
    body: bytes,
    *,
    key_id: str = KEY.access_key_id,
    secret: str = KEY.secret_access_key,
    service: str = "personalize",
    headers: dict[str, str] | None = None,
    token: str | None = None,
) -> dict[str, str]:
    """The headers that botocore would send."""
    request = AWSRequest("POST", url, data=body, headers={"content-type": "application/json"} | (headers or {}))
    SigV4Auth(Credentials(key_id, secret, token), service, "eu-west-1").add_auth(request)
    return dict(request.headers.items())


def signed_request(path: str = PATH, query: str = "", body: bytes = b"{}", **how: Any) -> SignedRequest:
    """A request as the server would see it, signed by botocore now."""
    headers = signed_headers(f"http://localhost{path}{'?' * bool(query)}{query}", body, **how)
    lowered = {name.lower(): value for name, value in headers.items()}
    return SignedRequest("POST", path, query, {"host": "localhost"} | lowered, body)


@pytest.fixture
async def locked(aiohttp_client: Any) -> Client:
    """An emulator that accepts one key pair."""
    return await aiohttp_client(build_app(EmulatorConfig(key_pairs=(KEY,))))


@pytest.mark.parametrize("how", [{}, {"token": "session-token"}])
async def test_a_correct_signature_is_accepted(locked: Client, members: dict[str, Any], how: dict[str, str]) -> None:
    """A call that botocore signed with a configured key pair is answered, with a session token or without."""
    body = orjson.dumps(members)
    headers = signed_headers(str(locked.make_url(PATH)), body, **how)
    async with locked.post(PATH, data=body, headers=headers) as response:
        assert response.status == 200, await response.text()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key_id": "AKIDUNKNOWN"}, "UnrecognizedClientException"),
        ({"service": "s3"}, "InvalidSignatureException"),
    ],
)
async def test_a_wrong_key_is_refused(locked: Client, members: dict[str, Any], how: dict[str, str], code: str) -> None:
    """A wrong secret, an unknown key id and a scope of another service are refused with 403."""
    body = orjson.dumps(members)
    headers = signed_headers(str(locked.make_url(PATH)), body, **how)
    async with locked.post(PATH, data=body, headers=headers) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, code)


@pytest.mark.parametrize("extra", [{}, {"X-Amz-Content-SHA256": "given"}])
async def test_a_tampered_body_is_refused(locked: Client, members: dict[str, Any], extra: dict[str, str]) -> None:
    """A body other than the signed one is refused, whether or not its hash is among the headers."""
    body = orjson.dumps(members)
    headers = signed_headers(str(locked.make_url(PATH)), body, headers=extra)
    async with locked.post(PATH, data=body + b" ", headers=headers) as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")


async def test_a_call_without_signature_is_refused(locked: Client, members: dict[str, Any]) -> None:
    """An unsigned call is refused as such, before anything in it is looked at."""
    async with locked.post(PATH, json=members | {"inputList": []}) as response:
        assert response.status == 403
        assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


async def test_control_routes_need_no_signature(locked: Client, members: dict[str, Any]) -> None:
    """The routes under /_emulator answer unsigned requests."""
    async with locked.get("/_emulator/stats") as stats, locked.post("/_emulator/oracle", json=members) as oracle:
        assert (stats.status, oracle.status) == (200, 200)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_an_old_or_early_signature_is_refused(minutes: int) -> None:
    """A signature more than 15 minutes from now is invalid, on either side."""
    with pytest.raises(ServiceError) as refused:
        verify(signed_request(), SECRETS, datetime.now(UTC) + timedelta(minutes=minutes))
    assert refused.value.code == "InvalidSignatureException"


@pytest.mark.parametrize("minutes", [-14, 0, 14])
def test_a_signature_within_the_skew_is_accepted(minutes: int) -> None:
    """Clocks may differ by a quarter of an hour."""
    verify(signed_request(), SECRETS, datetime.now(UTC) + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "how",
    [
        {"query": "b=2&a=1&a=0&flag="},
        {"path": "/a%20b/personalize-ranking"},
        {"headers": {"X-Amz-Meta": "  two   words "}},
        {"body": b""},
    ],
)
def test_the_canonical_request_is_that_of_botocore(how: dict[str, Any]) -> None:
    """Queries are sorted, paths encoded once more and header values folded, as botocore does."""
    verify(signed_request(**how), SECRETS, datetime.now(UTC))


@pytest.mark.parametrize(
    ("header", "replaced", "by"),
    [
        ("authorization", "Signature=", "Signature=0"),
        ("authorization", "aws4_request", "aws5_request"),
        ("authorization", "SignedHeaders=content-type;host;", "SignedHeaders=content-type;"),
        ("authorization", "eu-west-1", "eu-west-2"),
        ("content-type", "json", "xml"),
        ("x-amz-date", "20", "19"),
        ("x-amz-date", "T", " "),
    ],
)
def test_any_change_of_what_was_signed_is_refused(header: str, replaced: str, by: str) -> None:
    """A signature does not survive a change of its scope, its headers or its form."""
    request = signed_request()
    assert replaced in request.headers[header]
    changed = {**request.headers, header: request.headers[header].replace(replaced, by, 1)}
    with pytest.raises(ServiceError) as refused:
        verify(SignedRequest(request.method, request.path, "", changed, request.body), SECRETS, datetime.now(UTC))
    assert refused.value.code == "InvalidSignatureException"


def test_another_scheme_counts_as_missing() -> None:
    """A bearer token is no signature."""
    request = SignedRequest("POST", PATH, "", {"authorization": "Bearer abc"}, b"")
    with pytest.raises(ServiceError) as refused:
        verify(request, SECRETS, datetime.now(UTC))
    assert refused.value.code == "MissingAuthenticationTokenException"

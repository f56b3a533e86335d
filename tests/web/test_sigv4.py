"""Signatures: botocore signs, the gateway verifies, over real sockets; and what breaks one."""

import hashlib
from typing import Any

import orjson
import pytest
from yarl import URL

from gateway.web.sigv4 import BadSignature, Head, claim_of, signature, verify
from tests.web.conftest import Connect
from tests.web.keys import auth, signed, tenant
from tests.web.parts import NATIVE, WIRE, Client, exchange, head, native, send, wire

BODY = orjson.dumps(wire())

JAVASCRIPT = {
    "amz-sdk-invocation-id": "2a9f0c58-8b3c-4f0e-9c3a-2d4b0c1f7e11",
    "amz-sdk-request": "attempt=1; max=2",
    "content-length": str(len(BODY)),
    "x-amz-content-sha256": hashlib.sha256(BODY).hexdigest(),
    "x-amz-user-agent": "aws-sdk-js/3.1137.0 ua/2.1  os/linux",
}
"""What the JavaScript SDK sends and signs beside the rest; its own case is lower."""


@pytest.fixture
async def locked(connect: Connect) -> Client:
    """A gateway that takes signatures alone."""
    return await connect(auth=auth("sigv4"))


async def post(client: Client, headers: dict[str, str], body: bytes = BODY, path: str = WIRE) -> tuple[int, str]:
    """Status and error code of the answer to a signed request."""
    at = URL(url(client, path), encoded=True)
    async with client.session.post(at, data=body, headers=headers) as response:
        return response.status, response.headers.get("x-amzn-ErrorType", "")


def url(client: Client, path: str = WIRE) -> str:
    """Where the path stands."""
    return f"{str(client.make_url('')).rstrip('/')}{path}"


@pytest.mark.parametrize("how", [
    {}, {"token": "some-session-token"}, {"region": "us-east-1"}, {"headers": JAVASCRIPT},
    {"headers": {"Accept": "*/*", "X-Folded": "  a   b  "}},
], ids=["boto3", "with a token", "another region", "JavaScript", "spaces"])  # fmt: skip
async def test_a_signed_request_is_let_in(locked: Client, lines: list[Any], how: dict[str, Any]) -> None:
    """What the SDKs send is let in, in the name of the pair's owner."""
    assert await post(locked, signed("shop", url(locked), BODY, **how)) == (200, "")
    assert lines[-1]["tenant"] == "shop"


async def test_header_names_in_any_case(locked: Client) -> None:
    """JavaScript writes header names in lower case, Python does not: both are the same headers."""
    headers = signed("shop", url(locked), BODY, headers=JAVASCRIPT)
    for change in (str.lower, str.upper, str.title):
        assert (await post(locked, {change(name): value for name, value in headers.items()}))[0] == 200


@pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/campaigns?b=2&a=1&a=%20x&c", "/v1/users/a%20b%2Fc/frames"])
async def test_other_routes_are_signed_too(locked: Client, path: str) -> None:
    """A request without a body, with a query, or with an encoded path is verified like any other."""
    method = "DELETE" if "users" in path else "GET"
    headers = signed("shop", url(locked, path), method=method)
    for more, status in (("", 200), ("&x=1" if "?" in path else "?x=1", 401)):
        at = URL(url(locked, path + more), encoded=True)
        async with locked.session.request(method, at, headers=headers) as response:
            assert response.status == status


async def test_the_native_api_is_signed_too(locked: Client) -> None:
    """A signature opens the native API, which refuses a bad one with 401."""
    body = orjson.dumps(native())
    headers = signed("shop", url(locked, NATIVE), body)
    assert (await send(locked, NATIVE, body, **headers)).status == 200
    response = await send(locked, NATIVE, body + b" ", **headers)
    assert (response.status, (await response.json(content_type=None))["type"]) == (
        401, "urn:rerank-gateway:problem:bad-signature",
    )  # fmt: skip


async def test_a_compressed_body_is_signed_as_it_was_sent(locked: Client) -> None:
    """The signature is over the bytes on the wire, before they are decompressed."""
    import gzip

    packed = gzip.compress(BODY)
    headers = signed("shop", url(locked), packed, headers={"Content-Encoding": "gzip"})
    assert await post(locked, headers, packed) == (200, "")


INVALID = (403, "InvalidSignatureException")


async def test_time(locked: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature is good for five minutes either way: a replay within them is answered, a later one is not."""
    from gateway.web.door import SERVICE

    clock = locked.app[SERVICE].clock
    headers, now_s = signed("shop", url(locked), BODY), clock.wall_s()
    for offset_s, status in ((0, 200), (-290, 200), (290, 200), (310, 403), (-310, 403), (86_400, 403)):
        monkeypatch.setattr(type(clock), "wall_s", lambda _, offset_s=offset_s: now_s + offset_s)
        assert (await post(locked, headers))[0] == status, offset_s


async def test_a_slow_body_of_a_claim_has_its_time(connect: Connect) -> None:
    """The body that a signature waits for has the time of every body, and its limit."""
    client = await connect(auth=auth("sigv4"), server={"body_timeout_s": 0.05})
    lines = [f"{name}: {value}" for name, value in signed("shop", url(client), BODY).items()]
    assert (await exchange(client, head(WIRE, *lines, length=100) + b"{")).status == 408
    assert (await exchange(client, head(WIRE, *lines, length=2**30))).status == 413


async def test_only_good_signatures_count_against_the_rate(connect: Connect) -> None:
    """Somebody who knows a key id cannot use up its owner's rate."""
    client = await connect(auth=auth("sigv4", shop=tenant("shop", rate_per_s=1)))
    for _ in range(3):
        assert await post(client, signed("shop", url(client), BODY, secret="wrong-wrong-wrong-wrong")) == INVALID
    headers = signed("shop", url(client), BODY)
    assert [(await post(client, headers))[0] for _ in range(2)] == [200, 429]


# --- the published example of the specification: any mistake in the steps would show ----------------------------------

EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SCOPE = "20150830/us-east-1/service/aws4_request"


def test_the_published_example() -> None:
    """The test suite that AWS published for Signature Version 4 (`get-vanilla`) comes out as it says."""
    empty = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(
        ("GET", "/", "", "host:example.amazonaws.com", "x-amz-date:20150830T123600Z", "", "host;x-amz-date", empty)
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n20150830T123600Z\n{SCOPE}\n{digest}"
    assert signature(text, SCOPE, EXAMPLE_SECRET) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def claim(signed_headers: str, **headers: str) -> None:
    """Verify a claim over headers, as if it were otherwise well."""
    given = f"Credential=GWAK1/20150830/us-east-1/personalize/aws4_request, SignedHeaders={signed_headers}"
    authorization = f"AWS4-HMAC-SHA256 {given}, Signature={'0' * 64}"
    all_headers = {"host": "x", "x-amz-date": "20150830T123600Z", "authorization": authorization} | headers
    asked = Head("POST", WIRE, all_headers)
    verify(asked, claim_of(asked, 1440938160.0), "0" * 64, "secret")


@pytest.mark.parametrize(("signed_headers", "headers", "why"), [
    ("host;x-amz-date", {}, "not that of this request"),
    ("x-amz-date", {}, "must be signed"),
    ("host", {}, "must be signed"),
    ("host;date", {"date": "now"}, "must be signed"),
    ("x-amz-date;host", {}, "in order"),
    ("host;host;x-amz-date", {}, "named once"),
    ("host;x-amz-date;x-missing", {}, "not there"),
    ("host;x-amz-date", {"x-amz-date": "20150830T999999Z"}, "no date"),
    ("host;x-amz-date", {"x-amz-date": "20150830"}, "not of the form"),
    ("host;x-amz-date", {"x-amz-date": "20150831T123600Z"}, "not in the credential's scope"),
])  # fmt: skip
def test_what_a_claim_must_say(signed_headers: str, headers: dict[str, str], why: str) -> None:
    """Host and time are signed, headers are named once, in order, and are there; the time is one, and of the scope."""
    with pytest.raises(BadSignature, match=why):
        claim(signed_headers, **headers)

"""Every source of credentials that Kubernetes and people use signs calls of both transports; stale keys are renewed."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import orjson
import pytest
from aiobotocore.credentials import AioSSOProvider

from gateway.adapters.aws_clients import AwsClients
from gateway.core import errors
from tests.adapters import fake_upstream
from tests.adapters.conftest import Transport
from tests.adapters.fake_upstream import Script, Sent, Upstream, answer, ranking
from tests.adapters.test_upstream_answers import ARN, CALL, error

END = datetime.now(UTC) + timedelta(hours=6)
STS = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIDOFIRSA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>token-of-irsa</SessionToken><Expiration>{END:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>""".encode()
POD = {"AccessKeyId": "AKIDOFPOD", "SecretAccessKey": "s", "Token": "token-of-pod", "Expiration": END.isoformat()}
SSO = {
    "accessKeyId": "AKIDOFSSO",
    "secretAccessKey": "s",
    "sessionToken": "token-of-sso",
    "expiration": int(END.timestamp() * 1000),
}
START_URL = "https://start.example/start"

Setup = Callable[[pytest.MonkeyPatch, Path, str], Script]


def irsa(aws: pytest.MonkeyPatch, directory: Path, url: str) -> Script:
    """A role of a Kubernetes service account."""
    (directory / "web-token").write_text("jwt-canary", encoding="utf-8")
    aws.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway")
    aws.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(directory / "web-token"))
    aws.setenv("AWS_REGION", "eu-west-1")
    aws.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    aws.setenv("AWS_ENDPOINT_URL_STS", url)

    async def script(sent: Sent, writer: asyncio.StreamWriter) -> None:
        asked = parse_qs(sent.body.decode())
        good = asked["WebIdentityToken"] == ["jwt-canary"] and asked["Action"] == ["AssumeRoleWithWebIdentity"]
        await (answer(STS) if good else answer(b"", "403 Forbidden"))(sent, writer)

    return script


def pod_identity(aws: pytest.MonkeyPatch, directory: Path, url: str) -> Script:
    """An agent on the node, asked with a token that Kubernetes rotates."""
    (directory / "pod-token").write_text("pod-jwt-canary", encoding="utf-8")
    aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1/credentials")
    aws.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(directory / "pod-token"))

    async def script(sent: Sent, writer: asyncio.StreamWriter) -> None:
        good = sent.headers["authorization"] == "pod-jwt-canary" and sent.path == "/v1/credentials"
        await (answer(orjson.dumps(POD)) if good else answer(b"", "403 Forbidden"))(sent, writer)

    return script


def sso(aws: pytest.MonkeyPatch, directory: Path, url: str) -> Script:
    """A person who has signed in."""
    (directory / "config").write_text(
        f"[default]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\nsso_account_id = 123456789012\n"
        "sso_role_name = reader\n",
        encoding="utf-8",
    )
    cached = {"startUrl": START_URL, "region": "eu-west-1", "accessToken": "sso-canary", "expiresAt": END.isoformat()}
    (directory / f"{hashlib.sha1(START_URL.encode(), usedforsecurity=False).hexdigest()}.json").write_bytes(
        orjson.dumps(cached)
    )
    aws.setattr(AioSSOProvider, "_SSO_TOKEN_CACHE_DIR", str(directory))
    aws.setenv("AWS_ENDPOINT_URL_SSO", url)

    async def script(sent: Sent, writer: asyncio.StreamWriter) -> None:
        good = sent.headers["x-amz-sso_bearer_token"] == "sso-canary"
        await (answer(orjson.dumps({"roleCredentials": SSO})) if good else answer(b"", "403 Forbidden"))(sent, writer)

    return script


def profile(aws: pytest.MonkeyPatch, directory: Path, _: str) -> Script:
    """A named profile of the shared file."""
    aws.setenv("AWS_PROFILE", "mine")
    (directory / "config").write_text("[profile mine]\nregion = eu-west-1\n", encoding="utf-8")
    write_profile(directory, "mine", "AKIDOFPROFILE")
    return ranking()


def write_profile(directory: Path, name: str, key_id: str) -> None:
    """The shared credentials file, with this key."""
    words = f"[{name}]\naws_access_key_id = {key_id}\naws_secret_access_key = s\n"
    (directory / "credentials").write_text(words, encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "key_id", "token"),
    [
        (irsa, "AKIDOFIRSA", "token-of-irsa"),
        (pod_identity, "AKIDOFPOD", "token-of-pod"),
        (sso, "AKIDOFSSO", "token-of-sso"),
        (profile, "AKIDOFPROFILE", None),
    ],
)
async def test_a_source_signs(
    aws: pytest.MonkeyPatch,
    upstream: Upstream,
    transport: Transport,
    tmp_path: Path,
    source: Setup,
    key_id: str,
    token: str | None,
) -> None:
    """Calls carry the key and the token of the source, in either transport."""
    async with fake_upstream.listening() as vault:
        vault.script = source(aws, tmp_path, vault.url)
        async with AwsClients(connections_max=1, default_region="eu-west-1") as clients, transport(clients) as ranker:
            await ranker.open([ARN])
            for _ in range(2):
                await ranker.rank(CALL)
    for sent in upstream.sent:
        assert f"Credential={key_id}/" in sent.headers["authorization"]
        assert sent.headers.get("x-amz-security-token") == token


def refusing(key_id: str, code: str, status: str) -> Script:
    """Refuse one key, and answer all others."""

    async def script(sent: Sent, writer: asyncio.StreamWriter) -> None:
        refused = f"Credential={key_id}/" in sent.headers["authorization"]
        await (error(code, status) if refused else ranking())(sent, writer)

    return script


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ExpiredTokenException", "403 Forbidden"),
        ("ExpiredToken", "400 Bad Request"),
        ("InvalidClientTokenId", "403 Forbidden"),
        ("UnrecognizedClientException", "400 Bad Request"),
    ],
)
async def test_a_refused_key_that_was_replaced(
    aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport, tmp_path: Path, code: str, status: str
) -> None:
    """A call whose key is refused as stale is signed anew with the one that the source has now, once, and succeeds."""
    write_profile(tmp_path, "default", "AKIDOLD")
    upstream.script = refusing("AKIDOLD", code, status)
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        write_profile(tmp_path, "default", "AKIDNEW")
        assert len((await ranker.rank(CALL)).positions) == 3
        keys = [sent.headers["authorization"].split("Credential=")[1].split("/")[0] for sent in upstream.sent]
        assert keys == ["AKIDOLD", "AKIDNEW"]


@pytest.mark.parametrize("status", ["403 Forbidden", "400 Bad Request"])
async def test_a_refused_key_without_another(
    aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport, tmp_path: Path, status: str
) -> None:
    """Where the source has nothing else the refusal stands, after one request."""
    write_profile(tmp_path, "default", "AKIDOLD")
    upstream.script = refusing("AKIDOLD", "ExpiredTokenException", status)
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)
    assert len(upstream.sent) == 1


async def test_both_keys_refused(
    aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport, tmp_path: Path
) -> None:
    """A call is signed anew once: if the new key is refused too, that is the answer."""
    write_profile(tmp_path, "default", "AKIDOLD")
    upstream.script = error("ExpiredTokenException", "403 Forbidden")
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        write_profile(tmp_path, "default", "AKIDNEW")
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)
    assert len(upstream.sent) == 2


async def test_a_key_that_may_not(
    aws: pytest.MonkeyPatch, upstream: Upstream, transport: Transport, tmp_path: Path
) -> None:
    """A refusal that is not about the key's life asks no source and sends nothing again."""
    write_profile(tmp_path, "default", "AKIDOLD")
    upstream.script = error("AccessDeniedException", "403 Forbidden")
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        write_profile(tmp_path, "default", "AKIDNEW")
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)
    assert len(upstream.sent) == 1

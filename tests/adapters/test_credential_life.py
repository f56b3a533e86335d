"""Real sources of credentials on loopback: files, Pod Identity, IRSA; and what calls are signed with as they change."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiobotocore.utils import AioContainerMetadataFetcher

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.personalize import PersonalizeRanker
from gateway.core import errors
from gateway.core.renewal import FORCED_EVERY_S
from tests.adapters import fake_upstream
from tests.adapters.fake_upstream import Script, Sent, Upstream, answer, ranking
from tests.adapters.issuer import SECRET, Issuer, xml
from tests.adapters.test_upstream_answers import CALL


@pytest.fixture
def issuer() -> Issuer:
    """What the endpoints below say."""
    return Issuer()


@pytest.fixture
async def agent(aws: pytest.MonkeyPatch, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Upstream]:
    """Pod Identity's agent, named by the variables that EKS sets."""
    aws.setattr(AioContainerMetadataFetcher, "SLEEP_TIME", 0)  # between the three tries that one question makes
    token = tmp_path / "agent-token"
    token.write_text("agent-token-1", encoding="utf-8")
    async with fake_upstream.listening(issuer.as_agent) as agent:
        aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
        aws.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
        yield agent


@pytest.fixture
async def sts(aws: pytest.MonkeyPatch, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Upstream]:
    """STS, and the variables of IRSA."""
    (tmp_path / "web-token").write_text("web-token-1", encoding="utf-8")
    async with fake_upstream.listening(issuer.as_sts) as sts:
        aws.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        aws.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway")
        aws.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "web-token"))
        yield sts


def open_clients() -> AwsClients:
    """Clients out of the environment, as `wiring` makes them."""
    return AwsClients(connections_max=10, default_region="eu-west-1")


def signers(upstream: Upstream) -> list[str]:
    """The key ids that the calls were signed with."""
    return [one.headers["authorization"].partition("Credential=")[2].partition("/")[0] for one in upstream.sent]


def refusing(*key_ids: str, code: str = "ExpiredTokenException") -> Script:
    """A campaign that refuses these keys."""

    async def script(request: Sent, writer: asyncio.StreamWriter) -> None:
        refused = any(f"Credential={key_id}/" in request.headers["authorization"] for key_id in key_ids)
        refusal = answer(b'{"message": "no"}', "403 Forbidden", x_amzn_errortype=code)
        await (refusal if refused else ranking())(request, writer)

    return script


BROKEN: list[Script] = [answer(b"x", "503 Service Unavailable"), answer(b"no json"), answer(b'{"Code": "Failed"}')]


@pytest.mark.parametrize("broken", BROKEN, ids=["503", "no json", "no keys"])
async def test_pod_identity_that_is_ill_and_then_well(
    agent: Upstream, issuer: Issuer, upstream: Upstream, broken: Script
) -> None:
    """An agent that answers badly leaves calls refused at once, unsent; once it is well they are signed."""
    issuer.instead = broken
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)
        assert upstream.sent == []
        issuer.instead = None
        assert await clients.credentials.renewed(None)
        await ranker.rank(CALL)
        assert clients.credentials.method == "container-role"
        assert agent.sent[-1].headers["authorization"] == "agent-token-1"
    assert signers(upstream) == ["AKID1"]


async def test_pod_identity_that_falls_ill(agent: Upstream, issuer: Issuer, upstream: Upstream) -> None:
    """An agent that fails later is asked in vain, and the calls go on with what is held."""
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        issuer.instead = BROKEN[0]
        assert not await clients.credentials.renewed(clients.credentials.current())
        await ranker.rank(CALL)
        health = clients.credentials.health()
    assert (health["state"], health["failures"], health["lastError"]) == ("valid", 1, "CredentialRetrievalError")
    assert signers(upstream) == ["AKID1"]


async def test_pod_identity_token_rotated(agent: Upstream, upstream: Upstream, tmp_path: Path) -> None:
    """The token that the agent is asked with is the one in its file at that time."""
    async with open_clients() as clients:
        (tmp_path / "agent-token").write_text("agent-token-2", encoding="utf-8")
        assert await clients.credentials.renewed(clients.credentials.current())
    assert [one.headers["authorization"] for one in agent.sent] == ["agent-token-1", "agent-token-2"]


async def test_irsa_token_rotated(sts: Upstream, upstream: Upstream, tmp_path: Path) -> None:
    """Keys that upstream calls expired are replaced by one question, with the token of now; calls are made anew."""
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        await ranker.rank(CALL)
        (tmp_path / "web-token").write_text("web-token-2", encoding="utf-8")
        upstream.script = refusing("AKID1")
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(ranker.rank(CALL)) for _ in range(10)]
        assert all(len(call.result().positions) == 3 for call in calls)
        assert clients.credentials.method == "assume-role-with-web-identity"
    assert signers(upstream) == ["AKID1"] * 11 + ["AKID2"] * 10
    assert [parse_qs(one.body.decode())["WebIdentityToken"] for one in sts.sent] == [["web-token-1"], ["web-token-2"]]


async def test_irsa_answers_are_not_told(
    sts: Upstream, issuer: Issuer, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer of STS that is torn, with a key in it, is told by its error's class and nothing else."""
    issuer.instead = answer(xml("AKID9", "tomorrow")[:-40], Content_Type="text/xml")
    async with open_clients() as clients:
        assert not clients.has_credentials()
        told = f"{clients!r} {clients.credentials!r} {clients.credentials.health()}"
    assert "ResponseParserError" in told
    assert SECRET not in told + caplog.text
    assert "AKID9" not in told + caplog.text


def profile(key_id: str) -> str:
    """A shared credentials file."""
    return f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {SECRET}\n"


async def test_a_key_in_a_file_is_rotated(aws: pytest.MonkeyPatch, upstream: Upstream, tmp_path: Path) -> None:
    """A key that upstream does not know any more is looked up again in its file."""
    (tmp_path / "credentials").write_text(profile("AKIDOLD"), encoding="utf-8")
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        await ranker.rank(CALL)
        (tmp_path / "credentials").write_text(profile("AKIDNEW"), encoding="utf-8")
        upstream.script = refusing("AKIDOLD", code="UnrecognizedClientException")
        await ranker.rank(CALL)
    assert signers(upstream) == ["AKIDOLD", "AKIDOLD", "AKIDNEW"]


async def test_a_key_that_is_wrong(agent: Upstream, issuer: Issuer, upstream: Upstream) -> None:
    """Refused with all that the source has: each call goes out once, or twice if there was a new key to try."""
    upstream.script = refusing("AKID1", "AKID2", "AKID3", code="InvalidClientTokenId")
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        for _ in range(5):
            with pytest.raises(errors.AccessDenied):
                await ranker.rank(CALL)
    assert issuer.given <= 3, f"at most one question in {FORCED_EVERY_S} s"
    assert len(upstream.sent) == 5 + issuer.given - 1


async def test_a_refusal_of_another_kind(agent: Upstream, issuer: Issuer, upstream: Upstream) -> None:
    """What other keys of the same identity would not change is no reason to ask for them."""
    upstream.script = refusing("AKID1", code="AccessDeniedException")
    async with open_clients() as clients:
        with pytest.raises(errors.AccessDenied):
            await PersonalizeRanker(clients).rank(CALL)
    assert (issuer.given, len(upstream.sent)) == (1, 1)


async def test_a_profile_that_comes_late(aws: pytest.MonkeyPatch, upstream: Upstream, tmp_path: Path) -> None:
    """A profile that is written after the start is found, by the credentials and by the clients."""
    aws.setenv("AWS_PROFILE", "late")
    async with open_clients() as clients:
        ranker = PersonalizeRanker(clients)
        with pytest.raises(errors.AccessDenied):
            await ranker.rank(CALL)
        late = profile("AKIDLATE").replace("default", "late")
        (tmp_path / "credentials").write_text(late, encoding="utf-8")
        assert await clients.credentials.renewed(None)
        await ranker.rank(CALL)
    assert signers(upstream) == ["AKIDLATE"]

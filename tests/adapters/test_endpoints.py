"""Where calls go: the lean transport goes where aiobotocore goes, for every setting that says so."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials

from gateway.adapters.aws_clients import AwsClients
from gateway.adapters.aws_session import Rehearsal
from gateway.adapters.lean import LeanRanker
from gateway.adapters.lean_route import Route, rehearsed, route_of
from gateway.core import errors
from tests.adapters import fake_upstream
from tests.adapters.conftest import KEY_ID, SECRET, TOKEN, Transport
from tests.adapters.fake_upstream import Upstream
from tests.adapters.test_upstream_answers import ARN, CALL

KEYS = ReadOnlyCredentials(KEY_ID, SECRET, TOKEN)
SERVICES = "[default]\nservices = mine\n[services mine]\npersonalize_runtime =\n  endpoint_url = http://127.0.0.1:9/of-a-file\n"


@dataclass(frozen=True)
class Setting:
    """Variables and a configuration file, and the URL that aiobotocore makes of them."""

    url: str
    variables: dict[str, str]
    config: str = ""
    region: str = "eu-west-1"


HOST = "https://personalize-runtime.eu-west-1.amazonaws.com"
SETTINGS = {
    "none": Setting(HOST, {}),
    "China": Setting("https://personalize-runtime.cn-north-1.amazonaws.com.cn", {}, region="cn-north-1"),
    "of the service": Setting("http://127.0.0.1:9", {"AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": "http://127.0.0.1:9"}),
    "of all services": Setting("http://127.0.0.1:9", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
    "a path": Setting("http://127.0.0.1:9/a%20b/c", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9/a%20b/c/"}),
    "a default port": Setting("https://proxy.example:443", {"AWS_ENDPOINT_URL": "https://proxy.example:443"}),
    "upper case": Setting("https://Proxy.Example", {"AWS_ENDPOINT_URL": "https://Proxy.Example"}),
    "IPv6": Setting("http://[::1]:9", {"AWS_ENDPOINT_URL": "http://[::1]:9"}),
    "ignored": Setting(HOST, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
    "of a profile": Setting("http://127.0.0.1:9/of-a-file", {}, SERVICES),
    "FIPS": Setting(HOST.replace("runtime", "runtime-fips"), {"AWS_USE_FIPS_ENDPOINT": "true"}),
    "dual stack": Setting(HOST.replace("amazonaws.com", "api.aws"), {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    "FIPS of a profile": Setting(HOST.replace("runtime", "runtime-fips"), {}, "[default]\nuse_fips_endpoint = true\n"),
}


async def sent_by_aiobotocore(region: str) -> Any:
    """The request that a client of aiobotocore as it comes would send."""
    seen: list[Any] = []

    def capture(request: Any, **_: Any) -> Any:
        seen.append(request)
        raise InterruptedError

    async with AioSession().create_client("personalize-runtime", region_name=region) as client:
        client.meta.events.register("before-send", capture)
        with pytest.raises(InterruptedError):
            await client.get_personalized_ranking(campaignArn=ARN, userId="u", inputList=["a"])
    return seen[0]


async def lean_route(region: str = "eu-west-1") -> Route | None:
    """The lean transport's route to the region."""
    async with AwsClients(connections_max=1) as clients:
        return route_of(await rehearsed(await clients.of("personalize-runtime", region)), KEYS)


@pytest.mark.parametrize("name", SETTINGS)
async def test_the_endpoint_is_aiobotocores(
    aws: pytest.MonkeyPatch, credentials: None, tmp_path: Path, name: str
) -> None:
    """Host, port, path and TLS are those that aiobotocore resolves, and so is every header that stays the same."""
    setting = SETTINGS[name]
    (tmp_path / "config").write_text(setting.config, encoding="utf-8")
    for variable, value in setting.variables.items():
        aws.setenv(variable, value)
    theirs = await sent_by_aiobotocore(setting.region)
    route = await lean_route(setting.region)
    assert route is not None
    assert theirs.url == f"{setting.url}/personalize-ranking"
    lines = route.request(KEYS, 0, b"{}").decode().split("\r\n")
    ours = dict(line.split(": ", 1) for line in lines[1 : lines.index("")])
    scheme, _, rest = theirs.url.partition("://")
    host, _, path = rest.partition("/")
    assert lines[0] == f"POST /{path} HTTP/1.1"
    assert ours["Host"] == host.lower().removesuffix(":443")
    assert (route.origin.tls is not None) == (scheme == "https")
    assert route.origin.port == int(host.rpartition("]")[2].partition(":")[2] or {"http": 80, "https": 443}[scheme])
    assert ours["Accept-Encoding"] == "identity"
    assert ours["Content-Type"] == "application/json"
    assert f"/{setting.region}/personalize/aws4_request" in ours["Authorization"]
    assert set(theirs.headers) - set(ours) == set()


async def test_nothing_is_sent_by_a_rehearsal(upstream: Upstream, credentials: None) -> None:
    """Finding out where calls go sends nothing, not even a connection."""
    async with AwsClients(connections_max=1) as clients, LeanRanker(clients) as ranker:
        await ranker.open([ARN])
        assert "['eu-west-1']" in repr(ranker)
    assert (upstream.connections, upstream.sent) == (0, [])


async def test_lean_is_what_calls(upstream: Upstream, credentials: None) -> None:
    """Where the lean transport applies it is the one that calls: its own connections, not those of aiohttp."""
    async with AwsClients(connections_max=1) as clients, LeanRanker(clients) as ranker:
        await ranker.rank(CALL)
        assert (clients.stats.opened, clients.stats.idle) == (1, 1)


async def test_a_proxy(aws: pytest.MonkeyPatch, upstream: Upstream, credentials: None, transport: Transport) -> None:
    """Where a proxy stands between, calls go through it, in either transport."""
    async with fake_upstream.listening() as proxy:
        aws.setenv("HTTP_PROXY", proxy.url)
        aws.setenv("http_proxy", proxy.url)
        aws.delenv("NO_PROXY", raising=False)
        aws.delenv("no_proxy", raising=False)
        async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
            await ranker.rank(CALL)
            assert clients.stats.opened == 0
    assert [sent.path for sent in proxy.sent] == [f"{upstream.url}/personalize-ranking"]
    assert upstream.connections == 0


async def test_a_proxy_for_others(
    aws: pytest.MonkeyPatch, upstream: Upstream, credentials: None, transport: Transport
) -> None:
    """A host that NO_PROXY names is called directly."""
    async with fake_upstream.listening() as proxy:
        for name, value in (("HTTP_PROXY", proxy.url), ("NO_PROXY", "127.0.0.1")):
            aws.setenv(name, value)
            aws.setenv(name.lower(), value)
        async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
            await ranker.rank(CALL)
    assert (proxy.connections, len(upstream.sent)) == (0, 1)


def shown(**changes: Any) -> Rehearsal:
    """What a rehearsal could show: a request of ours, signed otherwise than we do."""
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Date": "20261122T110000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20261122/eu-west-1/personalize/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}",
        **changes,
    }
    return Rehearsal(SimpleNamespace(method="POST", url="http://h/personalize-ranking", body=b"{}", headers=headers))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer of-something"},
        {"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=A/20261122/s/aws4_request, SignedHeaders=h, Signature=0"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request, SignedHeaders=x-new, Signature=0"},
    ],
)
def test_what_is_signed_otherwise_has_no_route(changes: dict[str, str]) -> None:
    """A request whose signature is not the one that our signer gives is left to aiobotocore."""
    assert route_of(shown(**changes), KEYS) is None


async def test_no_region(upstream: Upstream, credentials: None, transport: Transport) -> None:
    """A region that nobody names is the caller's fault in either transport."""
    async with AwsClients(connections_max=1) as clients, transport(clients) as ranker:
        with pytest.raises(errors.InvalidInput):
            await ranker.rank(type(CALL)(ARN.replace("eu-west-1", ""), CALL.subject, CALL.items))

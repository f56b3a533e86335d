"""How the gateway stands: `/readyz?verbose` for people, `/metrics` for Prometheus."""

from typing import Any

import orjson
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gateway.web.door import SERVICE
from tests.support.gateway_parts import CREDENTIALS_HEALTH
from tests.web.conftest import Connect
from tests.web.parts import Client

FAILING: dict[str, object] = {
    "source": "assume-role-with-web-identity",
    "state": "expiring",
    "expiresS": 612.5,
    "failures": 7,
    "failingForS": 240.0,
    "lastError": "ClientError",
}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


async def verbose(client: Client) -> tuple[int, dict[str, Any]]:
    """Status and members of the long answer."""
    response = await client.get("/readyz?verbose")
    assert response.content_type == "application/json"
    return response.status, orjson.loads(await response.read())


async def samples(client: Client, parse=parse_text, **headers: str) -> dict[str, float]:
    """All samples of a scrape, by name."""
    response = await client.get("/metrics", headers=headers)
    assert response.status == 200
    families = parse(await response.text())
    return {sample.name: sample.value for family in families for sample in family.samples}


async def test_verbose_says_how_things_stand(client: Client) -> None:
    """A gateway that is well says so, with the health of credentials and cache."""
    assert await verbose(client) == (
        200,
        {
            "ready": True,
            "reason": None,
            "draining": False,
            "credentials": CREDENTIALS_HEALTH,
            "cache": {"kind": "test"},
        },
    )


async def test_a_failing_source_is_visible_and_harmless(connect: Connect) -> None:
    """A source that fails while its last credentials are good leaves the gateway ready, and is told in full."""
    client = await connect(credentials=FAILING)
    plain = await client.get("/readyz")
    assert (plain.status, await plain.text()) == (200, "ok\n")
    status, told = await verbose(client)
    assert (status, told["ready"]) == (200, True)
    assert told["credentials"] == CREDENTIALS_HEALTH | FAILING


async def test_verbose_has_the_status_of_the_short_answer(connect: Connect) -> None:
    """Not ready is a 503 in both forms, with the same reason."""
    client = await connect(not_ready="no AWS credentials", credentials={"state": "none", "usable": False})
    assert (await client.get("/readyz")).status == 503
    status, told = await verbose(client)
    assert (status, told["ready"], told["reason"]) == (503, False, "no AWS credentials")
    client.app[SERVICE].draining = True
    status, told = await verbose(client)
    assert (status, told["reason"], told["draining"]) == (503, "draining", True)


@pytest.mark.parametrize(("parse", "accept"), [(parse_text, "text/plain"), (parse_openmetrics, OPENMETRICS)])
async def test_metrics_are_the_numbers_of_health(connect: Connect, parse, accept: str) -> None:
    """Each number stands under its name, in the format that was asked for; counters count, gauges measure."""
    client = await connect(credentials=FAILING)
    seen = await samples(client, parse, Accept=accept)
    assert {name: value for name, value in seen.items() if name.startswith("rerank_credentials")} == {
        "rerank_credentials_usable": 1.0,
        "rerank_credentials_expiry_seconds": 612.5,
        "rerank_credentials_age_seconds": 17.0,
        "rerank_credentials_refreshes_total": 1.0,
        "rerank_credentials_refresh_failures_total": 7.0,
    }


async def test_what_is_not_there_has_no_sample(connect: Connect) -> None:
    """Credentials without an end have no time until then, and none at all have no age; usable is 0 then."""
    client = await connect(credentials={"usable": False, "ageS": None})
    seen = await samples(client)
    assert seen["rerank_credentials_usable"] == 0.0
    assert not {"rerank_credentials_expiry_seconds", "rerank_credentials_age_seconds"} & set(seen)


async def test_metrics_are_read_at_the_scrape(connect: Connect) -> None:
    """A scrape sees the numbers of its moment; one family can be asked for alone."""
    client = await connect()
    assert (await samples(client))["rerank_credentials_refreshes_total"] == 1.0
    client.app[SERVICE].credentials_health = lambda: CREDENTIALS_HEALTH | {"refreshes": 2}
    assert (await samples(client))["rerank_credentials_refreshes_total"] == 2.0
    one = await client.get("/metrics?name[]=rerank_credentials_usable")
    assert [family.name for family in parse_text(await one.text())] == ["rerank_credentials_usable"]


async def test_metrics_are_always_answered(connect: Connect) -> None:
    """A gateway that is draining, without credentials, with no room for requests still tells its numbers."""
    client = await connect(not_ready="no AWS credentials", server={"max_inflight": 1})
    client.app[SERVICE].draining = True
    response = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert (response.status, response.headers["Content-Encoding"]) == (200, "gzip")
    assert response.content_type == "text/plain"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "rerank_credentials_usable" in await response.text()

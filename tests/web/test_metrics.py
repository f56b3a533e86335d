"""`/metrics`: every number that is promised is there, is right, and tells nobody apart who may not be told apart."""

import asyncio
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.errors import Throttled, Unavailable
from gateway.core.routing import Campaign
from gateway.service.gate_numbers import OUTCOMES
from gateway.web.metrics_families import FAMILIES
from tests.support.gateway_parts import ARN
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.keys import auth, bearer
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, items, native, send, wire

ENDS = ("_seconds", "_bytes", "_total", "_info", "_requests", "_limit", "_candidates", "_calls", "_left", "_state",
    "_up", "_frames", "_tasks", "_draining", "_usable")  # fmt: skip
"""A unit, or what is counted."""

LABELS = {"route", "status", "degraded", "error", "campaign", "variant", "arn", "stage", "tenant", "outcome", "reason",
    "state", "side", "worth", "event", "source", "direction", "version", "python"}  # fmt: skip
"""Each of few values."""

Found = dict[str, dict[tuple[tuple[str, str], ...], float]]


async def scrape(client: Client) -> Found:
    """All samples by name and labels."""
    response = await client.get("/metrics")
    assert response.status == 200
    found: Found = {}
    for family in text_string_to_metric_families(await response.text()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(found: Found, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(number for of, number in found.get(name, {}).items() if labels.items() <= dict(of).items())


def test_names_and_labels_keep_the_rules() -> None:
    """One prefix, a unit at the end, a name once; labels have few values; everything is explained."""
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert re.fullmatch(r"rerank(_[a-z]+)+", family.name)
        assert family.name.endswith(ENDS), family.name
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert set(family.labels) <= LABELS, family.name
        assert family.help
        assert family.where


async def test_every_family_is_there_from_the_start(client: Client) -> None:
    """A gateway that nobody has asked anything names all of its metrics, and the numbers of its process."""
    text = await (await client.get("/metrics")).text()
    for family in FAMILIES:
        name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
        assert f"# HELP {name}" in text
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= (
        await scrape(client)
    ).keys()


async def test_a_ranking_is_counted_where_it_belongs(client: Client) -> None:
    """A cold ranking of 1,000 in 3 calls, then the same again: requests, stages, candidates, calls made and saved."""
    for _ in range(2):
        assert (await send(client, NATIVE, native(items(1_000)))).status == 200
    found = await scrape(client)
    assert value(found, "rerank_requests_total", route=NATIVE, status="200", degraded="") == 2
    assert value(found, "rerank_rankings_total", campaign="demo", degraded="") == 2
    assert value(found, "rerank_candidates_total", campaign="demo") == 2_000
    assert value(found, "rerank_candidates_cached_total", campaign="demo") == 1_000
    assert value(found, "rerank_upstream_attempts_total", arn=ARN, outcome="answered") == 3
    assert value(found, "rerank_upstream_attempt_seconds_count", arn=ARN) == 3
    assert value(found, "rerank_billed_calls_total", tenant="(anybody)") == 3
    assert value(found, "rerank_saved_calls_total", tenant="(anybody)") == 3
    assert value(found, "rerank_frame_lookups_total", worth="hits") == 1
    assert value(found, "rerank_ranking_candidates_bucket", le="1000.0") == 2
    assert value(found, "rerank_ranking_candidates_bucket", le="500.0") == 0
    stages = {
        stage: value(found, "rerank_stage_seconds_count", stage=stage) for stage in ("cache", "upstream", "queue")
    }
    assert stages == {"cache": 2, "upstream": 1, "queue": 1}
    assert value(found, "rerank_stage_seconds_count", stage="encode") == 2
    total_s = value(found, "rerank_request_duration_seconds_sum", route=NATIVE)
    assert 0 < value(found, "rerank_stage_seconds_sum", stage="merge") < total_s
    assert value(found, "rerank_inflight_limit") >= 1


async def test_trouble_is_counted_by_its_kind(connect: Connect) -> None:
    """Failures, throttles, retries, a degraded answer and refused members each stand under their own name."""
    ends = [Unavailable("x"), Throttled("x"), None]

    def fails(number: int, _: Any) -> Exception | None:
        return ends[min(number, 2)]

    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=fails))
    assert (await send(client, NATIVE, native(items(3)))).status == 429  # failed, tried again, throttled
    assert (await send(client, NATIVE, {})).status == 422
    assert (await send(client, WIRE, wire(items(3)))).status == 200
    found = await scrape(client)
    for outcome, count in {"failed": 1, "throttled": 1, "answered": 1, "timed_out": 0, "cancelled": 0}.items():
        assert value(found, "rerank_upstream_attempts_total", outcome=outcome) == count
    assert value(found, "rerank_retries_total", campaign="demo") == 1
    assert value(found, "rerank_errors_total", error="throttled") == 1
    assert value(found, "rerank_errors_total", error="bad-members") == 1
    assert value(found, "rerank_requests_total", route=NATIVE, status="422") == 1
    assert value(found, "rerank_saved_calls_total") == 0


async def test_what_could_not_be_ranked_saves_nothing(connect: Connect) -> None:
    """Calls that failed or were kept back by a breaker are no gain of the cache, and the answer counts as degraded."""
    campaign = Campaign("demo", ARN, fallback="input-order")
    client = await connect(
        ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda *_: Unavailable("x")), campaigns={"demo": campaign}
    )
    for _ in range(12):
        assert (await send(client, NATIVE, native(items(1_000)))).status == 200
    found = await scrape(client)
    assert value(found, "rerank_rankings_total", degraded="fallback") == 12
    assert value(found, "rerank_requests_total", degraded="fallback") == 12
    assert value(found, "rerank_candidates_unranked_total") == 12_000
    assert value(found, "rerank_breaker_state", state="open") == 1
    assert value(found, "rerank_breaker_state", state="closed") == 0
    assert value(found, "rerank_calls_refused_total", reason="resting") > 0
    assert value(found, "rerank_saved_calls_total") == 0


async def test_callers_make_no_series(connect: Connect) -> None:
    """Where any ARN may be named, all are one; so are all paths that there are not, and no user or item is anywhere."""
    client = await connect(campaigns={})
    one, other = (f"arn:aws:personalize:us-east-1:000000000000:campaign/{name}" for name in "ab")
    await send(client, NATIVE, native(campaign=one, userId="canary-user"))
    before = await scrape(client)
    for path in ("/canary-path", "/v1/canary-path"):
        await client.get(path)
    await client.delete("/v1/users/canary-user/frames")
    await send(client, NATIVE, native(["canary-item"], campaign=other, userId="canary-user"))
    after = await scrape(client)
    assert value(after, "rerank_upstream_attempts_total", arn="(other)") == 2
    assert value(after, "rerank_requests_total", route="none", status="404") == 2
    assert value(after, "rerank_candidates_total", campaign="(other)") == 4
    assert after["rerank_breaker_state"].keys() == before["rerank_breaker_state"].keys()
    assert "canary" not in str(after)
    assert "campaign/" not in str(after)


async def test_each_tenant_has_its_bill(connect: Connect) -> None:
    """Calls made and saved stand under the name of who caused them."""
    client = await connect(auth=auth())
    for name in ("shop", "shop", "app"):
        assert (await send(client, NATIVE, native(), **bearer(name))).status == 200
    found = await scrape_as(client, "shop")
    assert [value(found, "rerank_billed_calls_total", tenant=name) for name in ("shop", "app")] == [1, 1]
    assert [value(found, "rerank_saved_calls_total", tenant=name) for name in ("shop", "app")] == [1, 0]


async def scrape_as(client: Client, name: str) -> Found:
    """A scrape in the name of a tenant."""
    client.session.headers.update(bearer(name))
    return await scrape(client)


async def test_variants_and_replicas_are_told_apart(connect: Connect) -> None:
    """Every configured ARN has its series from the start, by campaign and variant."""
    arms = tuple(Campaign("demo", f"{ARN}-{name}", variant=name) for name in "ab")
    both = Campaign("demo", "", variants=arms)
    two = Campaign("other", f"{ARN}-1", replicas=(f"{ARN}-2",))
    client = await connect(campaigns={"demo": both, "other": two})
    found = await scrape(client)
    assert {
        (dict(of)["campaign"], dict(of)["variant"], dict(of)["arn"]) for of in found["rerank_concurrency_limit"]
    } == {
        ("demo", "a", f"{ARN}-a"),
        ("demo", "b", f"{ARN}-b"),
        ("other", "", f"{ARN}-1"),
        ("other", "", f"{ARN}-2"),
    }


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
async def test_probes_and_scrapes_are_requests_too(client: Client, path: str) -> None:
    """Whoever asks is counted; it changes no number of a ranking."""
    await client.get(path)
    found = await scrape(client)
    assert value(found, "rerank_requests_total", route=path) == 1
    assert value(found, "rerank_ranking_candidates_count") == 0


async def test_many_campaigns_are_written_beside_the_loop(connect: Connect) -> None:
    """What is long to write does not stop the loop: others have turns while it is read and written, and it is whole."""
    client = await connect(campaigns={f"c{n}": Campaign(f"c{n}", f"{ARN}-{n}") for n in range(40)})
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        found = await scrape(client)
        counting.cancel()
    assert len(found["rerank_upstream_attempts_total"]) == 40 * len(OUTCOMES)
    assert turns > 10

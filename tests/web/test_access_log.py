"""The access line: one for every request, with what it cost, and nothing of what was in it."""

import pytest

from gateway.core.errors import Unavailable
from tests.support.softmax_ranker import SoftmaxRanker
from tests.web.conftest import Connect
from tests.web.parts import LOGITS, NATIVE, WIRE, Client, items, native, send, wire

ALWAYS = {"request_id", "method", "route", "status", "duration_ms", "event", "log_level"}
SPENT = {"cache_ms", "queue_ms", "upstream_ms"}
RANKED = {"campaign", "candidates", "cached", "upstream_calls", "retries", "hedges", "bridges"} | SPENT


@pytest.mark.parametrize(("path", "members"), [(NATIVE, native(items(600))), (WIRE, wire(items(600)))])
async def test_the_line_of_a_ranking(client: Client, lines, path: str, members) -> None:
    """A ranking leaves one line: who is not in it; what, how long and at which cost is."""
    response = await send(client, path, members)
    (line,) = lines
    assert line.keys() == ALWAYS | RANKED
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "POST", path, 200)
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert (line["campaign"], line["candidates"], line["cached"], line["upstream_calls"]) == ("demo", 600, 0, 2)
    assert line["duration_ms"] > line["upstream_ms"] > 0


async def test_the_line_of_a_refusal(client: Client, lines) -> None:
    """A refused request leaves a line with the slug of its error."""
    await send(client, NATIVE, {})
    (line,) = lines
    assert line.keys() == ALWAYS | {"error"}
    assert (line["status"], line["error"]) == (422, "bad-members")


async def test_the_line_of_a_degraded_answer(connect: Connect, lines) -> None:
    """A degraded answer can be counted from the log."""
    client = await connect(ranker=SoftmaxRanker(lambda _: LOGITS, fails=lambda n, _: Unavailable("x") if n else None))
    await send(client, NATIVE, native(items(700)))
    assert (lines[0]["degraded"], lines[0]["retries"], lines[0]["unranked"]) == ("upstream", 1, 334)


async def test_an_arn_that_is_not_configured_is_not_written(connect: Connect, lines) -> None:
    """Where callers may name any ARN, the line does not repeat what they make of it."""
    client = await connect(campaigns={})
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/nobodys"
    assert (await send(client, NATIVE, native(campaign=arn))).status == 200
    assert lines[0]["campaign"] == "(other)"
    assert "nobodys" not in str(lines)


@pytest.mark.parametrize("path", ["/nowhere", "/a%0d%0alevel=error", "/" + "x" * 2_000])
async def test_a_path_is_not_written_as_it_came(client: Client, lines, path: str) -> None:
    """The line names a registered route, never the path that was sent, which may hold anything."""
    await client.get(path)
    assert (lines[0]["route"], lines[0]["status"]) == ("none", 404)
    assert path not in str(lines)

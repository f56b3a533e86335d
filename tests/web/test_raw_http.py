"""What aiohttp's parser refuses before any handler runs: told in our words, without our versions and their bytes."""

import pytest

from tests.web.parts import NATIVE, Client, exchange, head
from tests.web.unparsable import CANARY, UNPARSABLE


@pytest.mark.parametrize("request_bytes", UNPARSABLE)
async def test_what_cannot_be_parsed_is_refused(client: Client, request_bytes: bytes) -> None:
    """Framing that two readers could understand differently is a 400, whatever else it says."""
    reply = await exchange(client, request_bytes)
    assert reply.status == 400
    assert b"problem:unparsable" in reply.body or b"problem:broken-body" in reply.body  # and not: it is no JSON


@pytest.mark.parametrize("request_bytes", UNPARSABLE)
async def test_the_parsers_refusal_tells_no_versions(client: Client, request_bytes: bytes) -> None:
    """A request that cannot be parsed is not answered with the server's software and versions."""
    whole = (await exchange(client, request_bytes)).whole
    assert b"aiohttp" not in whole
    assert b"Python" not in whole


@pytest.mark.parametrize("request_bytes", UNPARSABLE)
async def test_the_parsers_refusal_repeats_nothing(client: Client, caplog, request_bytes: bytes) -> None:
    """Neither the answer nor the log repeats bytes that could not be parsed: they may be a secret or an id."""
    assert CANARY.encode() not in (await exchange(client, request_bytes)).whole
    assert CANARY not in caplog.text


async def test_an_unknown_expectation_is_a_problem(client: Client) -> None:
    """`Expect` of anything else than 100-continue is refused like every other error, and not repeated."""
    reply = await exchange(client, head(NATIVE, f"Expect: {CANARY}", length=2) + b"{}")
    assert (reply.status, reply.headers["content-type"]) == (417, "application/problem+json")
    assert CANARY.encode() not in reply.whole

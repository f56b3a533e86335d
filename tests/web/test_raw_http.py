"""What is refused before any handler runs, in our words, without our versions and the bytes that came; and `Expect`."""

import asyncio

import orjson
import pytest

from tests.web.conftest import Connect
from tests.web.parts import NATIVE, READ_WITHIN_S, WIRE, Client, exchange, head, native
from tests.web.tenants import TENANTS
from tests.web.unparsable import CANARY, UNPARSABLE

GOOD = orjson.dumps(native())
EXPECTANT = ("Content-Type: application/json", "Expect: 100-continue")


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


async def test_a_body_is_invited(client: Client) -> None:
    """Who waits for `100 Continue` gets it, and then the answer to what it sends."""
    async with asyncio.timeout(READ_WITHIN_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        writer.write(head(NATIVE, *EXPECTANT, length=len(GOOD)))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(GOOD)
        assert (await reader.readuntil(b"\r\n")) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("headers", "length", "status"),
    [((), 10**10, 413), (("Content-Encoding: br",), 9, 415), (("Content-Type: text/plain",), 9, 415)],
)
async def test_who_is_refused_is_not_invited(
    client: Client, headers: tuple[str, ...], length: int, status: int
) -> None:
    """A body that will not be read is not asked for: the refusal comes at once, and the connection ends."""
    reply = await exchange(client, head(NATIVE, "Expect: 100-continue", *headers, length=length))
    assert (reply.status, reply.headers["connection"]) == (status, "close")


@pytest.mark.parametrize("path", [NATIVE, WIRE])
async def test_nobody_is_invited_whose_name_is_not_known(connect: Connect, path: str) -> None:
    """A caller without a key is refused before it sends its body, and so is one over its share."""
    client = await connect(auth=TENANTS)
    reply = await exchange(client, head(path, *EXPECTANT, length=9))
    assert (reply.status, reply.headers["connection"]) == (401 if path == NATIVE else 403, "close")


async def test_an_older_http_is_not_invited(client: Client) -> None:
    """HTTP/1.0 has no `100 Continue`: its `Expect` is ignored, and the body is awaited."""
    request = head(NATIVE, *EXPECTANT, length=len(GOOD)).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await exchange(client, request + GOOD)).status == 200


async def test_an_unknown_expectation_is_a_problem(client: Client) -> None:
    """`Expect` of anything else than 100-continue is refused like every other error, and not repeated."""
    reply = await exchange(client, head(NATIVE, f"Expect: {CANARY}", length=2) + b"{}")
    assert (reply.status, reply.headers["content-type"]) == (417, "application/problem+json")
    assert CANARY.encode() not in reply.whole

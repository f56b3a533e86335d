"""Headers of every answer: its id, its privacy, and nothing of what serves it."""

import re

import pytest

from tests.web.parts import NATIVE, WIRE, Client, exchange, head, native, send, wire

ROUTES = [("GET", "/livez"), ("GET", "/readyz"), ("GET", "/nowhere"), ("GET", NATIVE), ("POST", NATIVE), ("POST", WIRE)]
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_answer_is_private_and_anonymous(client: Client, method: str, path: str) -> None:
    """Good or bad, an answer may not be stored, has an id, and does not name the server's software or versions."""
    response = await client.request(method, path)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Server"] == "rerank-gateway"
    assert response.headers["X-Request-Id"]
    assert "aiohttp" not in str(response.headers)
    assert "Python" not in str(response.headers)


@pytest.mark.parametrize("given", ["a", "A-Z.a_z:0/9+=", "x" * 128, "1-67891233-abcdef012345678912345678"])
@pytest.mark.parametrize(("path", "members"), [(NATIVE, native()), (WIRE, wire()), (NATIVE, {}), (WIRE, {})])
async def test_a_decent_request_id_is_taken_over(client: Client, path: str, members, given: str) -> None:
    """The caller's own request id comes back, on good and bad answers alike."""
    response = await send(client, path, members, **{"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given
    assert response.headers.get("x-amzn-RequestId") == (given if path == WIRE else None)


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, 'a","level":"error', "a\tb", "naïve", "%0a", "${jndi}"])
async def test_a_hostile_request_id_is_replaced(client: Client, given: str) -> None:
    """An id that could forge a log line or break a header is replaced by one of ours."""
    line = f"X-Request-Id: {given}"
    reply = await exchange(client, b"GET /livez HTTP/1.1\r\nHost: x\r\n" + line.encode("latin-1") + b"\r\n\r\n")
    assert reply.status == 200
    assert re.fullmatch(UUID, reply.headers["x-request-id"])


async def test_ids_are_not_reused(client: Client) -> None:
    """Requests without an id get different ones."""
    first, second = [(await client.get("/livez")).headers["X-Request-Id"] for _ in range(2)]
    assert first != second


async def test_the_problem_names_its_request(client: Client) -> None:
    """The `instance` of a problem is the request's id, as the access line has it."""
    response = await send(client, NATIVE, {}, **{"X-Request-Id": "abc-1"})
    assert (await response.json(content_type=None))["instance"] == "urn:rerank-gateway:request:abc-1"


async def test_a_good_answer_keeps_its_connection(client: Client) -> None:
    """Callers that behave may use their connection again."""
    body = b'{"campaign":"demo","userId":"u","inputList":["p1"]}'
    assert "connection" not in (await exchange(client, head(NATIVE, length=len(body)) + body)).headers

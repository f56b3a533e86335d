"""What the tests of the doors share: known logits, a request that is answered, and bytes on a bare socket."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from tests.support.canaries import USER

Client = TestClient[Any, Any]

WIRE = "/personalize-ranking"
NATIVE = "/v1/rerank"
SHELVES = "/v1/rerank/shelves"

ITEMS = 1_000
STRIDE = 389  # coprime with ITEMS: a shuffle without a seed
LOGITS: Mapping[str, float] = {f"p{n}": 4.0 * (n * STRIDE % ITEMS) / ITEMS for n in range(ITEMS)}
"""Well apart from each other, so that rounding to 7 decimals cannot change the order."""

READ_WITHIN_S = 20.0
"""Only ends a test that would hang."""


def items(count: int) -> list[str]:
    """The first `count` known items."""
    return [f"p{n}" for n in range(count)]


def ideal(candidates: list[str]) -> list[str]:
    """The order that one unlimited call would give to known candidates."""
    return sorted(candidates, key=lambda item: -LOGITS[item])


def native(candidates: list[str] | None = None, **members: Any) -> dict[str, Any]:
    """The members of a request to `/v1/rerank` that is answered."""
    return {"campaign": "demo", "userId": USER, "inputList": items(3) if candidates is None else candidates} | members


def wire(candidates: list[str] | None = None, **members: Any) -> dict[str, Any]:
    """The members of a request to `/personalize-ranking` that is answered."""
    return {
        "campaignArn": "demo",
        "userId": USER,
        "inputList": items(3) if candidates is None else candidates,
    } | members


async def send(client: Client, path: str, members: Any, **headers: str) -> ClientResponse:
    """POST the members as JSON, or bytes as they are."""
    body = members if isinstance(members, bytes) else orjson.dumps(members)
    return await client.post(path, data=body, headers={"Content-Type": "application/json", **headers})


async def ask(client: Client, path: str, members: Any) -> dict[str, Any]:
    """POST the members; the decoded answer, which must be a 200."""
    response = await send(client, path, members)
    body: dict[str, Any] = orjson.loads(await response.read())
    assert response.status == 200, body
    return body


async def refused(client: Client, path: str, members: Any) -> tuple[int, dict[str, Any]]:
    """POST the members; status and decoded body of the answer."""
    response = await send(client, path, members)
    return response.status, orjson.loads(await response.read())


def order(answer: dict[str, Any]) -> list[str]:
    """The ids of an answer, best first."""
    return [one["itemId"] for one in answer["personalizedRanking"]]


@dataclass(frozen=True)
class Reply:
    """An answer as it stood on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bytes


async def exchange(client: Client, request: bytes) -> Reply:
    """Send bytes over a connection of their own, and read until the gateway closes or has answered in full."""
    async with asyncio.timeout(READ_WITHIN_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
        finally:
            writer.close()
            await writer.wait_closed()
    return Reply(int(lines[0].split()[1]), headers, body, head + body)


def head(path: str, *headers: str, length: int | None = None) -> bytes:
    """The head of a POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")

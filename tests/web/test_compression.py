"""Large answers are compressed for who accepts it and is far away; nobody else gets anything but the bytes."""

import asyncio
import zlib
from typing import Any

import orjson
import pytest
import zstandard
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.web.compression import BYTES_MIN, PIECE_BYTES, chosen, compress_answers, is_near
from tests.web.conftest import Connect
from tests.web.parts import ITEMS, NATIVE, WIRE, items, native, order, wire

CHOICES: dict[str, str | None] = {
    "": None,
    "identity": None,
    "gzip": "gzip",
    "zstd": "zstd",
    "gzip, deflate, br, zstd": "zstd",
    "gzip;q=1.0, zstd;q=0.5": "gzip",
    "GZIP ; Q=0.5": "gzip",
    "gzip;q=0": None,
    "gzip;q=0, zstd;q=0": None,
    "*": "zstd",
    "*;q=0": None,
    "zstd;q=0, *": "gzip",
    "identity, gzip;q=0.5": None,
    "identity;q=0, gzip;q=0.5": "gzip",
    "br": None,
    "gzip;q=high": None,
    ";;;,,": None,
}


@pytest.mark.parametrize("accepted", CHOICES)
def test_what_the_caller_likes_best(accepted: str) -> None:
    """The coding is the one of the highest weight; the bytes themselves where the caller says nothing, or likes them
    better."""
    assert chosen([accepted]) == CHOICES[accepted]


def test_several_headers_are_one() -> None:
    """A header that comes twice is the two lists joined."""
    assert chosen(["deflate", "gzip"]) == "gzip"


@pytest.mark.parametrize(
    ("address", "near"),
    [("127.0.0.1", True), ("::1", True), (None, True), ("", True), ("10.0.0.7", False), ("2001:db8::1", False)],
)
def test_who_is_near(address: str | None, near: bool) -> None:
    """Loopback and Unix sockets are near, everybody else is not."""
    assert is_near(address) == near


async def raw(client: Any, path: str, members: Any, accept: str | None) -> Any:
    """The answer with its bytes as they came."""
    headers = {"Content-Type": "application/json"} | ({"Accept-Encoding": accept} if accept is not None else {})
    skip = ["Accept-Encoding"] if accept is None else []
    response = await client.session.post(
        client.make_url(path), data=orjson.dumps(members), headers=headers, skip_auto_headers=skip
    )
    return response, await response.read()


DECODED = {
    "gzip": lambda body: zlib.decompress(body, 31),
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


@pytest.mark.parametrize("coding", DECODED)
@pytest.mark.parametrize(("path", "members"), [(NATIVE, native(items(ITEMS))), (WIRE, wire(items(ITEMS)))])
async def test_the_bytes_come_back(connect: Connect, path: str, members: Any, coding: str) -> None:
    """What is unpacked is what is sent unpacked to others, for a fraction of the bytes."""
    client = await connect(server={"compress": "always"})
    client.session._auto_decompress = False
    plain, whole = await raw(client, path, members, "identity")
    packed, body = await raw(client, path, members, coding)
    assert packed.headers["Content-Encoding"] == coding
    assert int(packed.headers["Content-Length"]) == len(body) < len(whole) / 3
    assert order(orjson.loads(DECODED[coding](body))) == order(orjson.loads(whole))
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accept", [None, "identity", "br", "gzip;q=0"])
async def test_who_does_not_accept_gets_the_bytes(connect: Connect, accept: str | None) -> None:
    """A caller that asks for `identity`, as AWS SDKs of Python do, or says nothing, is never sent anything else."""
    client = await connect(server={"compress": "always"})
    response, body = await raw(client, WIRE, wire(items(ITEMS)), accept)
    assert "Content-Encoding" not in response.headers
    assert len(order(orjson.loads(body))) == ITEMS


@pytest.mark.parametrize(("mode", "count"), [("always", 100), ("auto", ITEMS), ("never", ITEMS)])
async def test_where_it_does_not_pay_it_is_left(connect: Connect, mode: str, count: int) -> None:
    """Small answers, callers on this machine, and gateways that are told not to: the bytes as they are."""
    client = await connect(server={"compress": mode})
    response, _ = await raw(client, WIRE, wire(items(count)), "gzip, zstd")
    assert "Content-Encoding" not in response.headers


async def answered(mode: Any, remote: str, body: bytes, **headers: str) -> web.Response:
    """An answer of this body to a caller of that address, through the middleware."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers)

    request = make_mocked_request("GET", "/", headers={"Accept-Encoding": "gzip"}).clone(remote=remote)
    response = await compress_answers(mode)(request, handler)
    assert isinstance(response, web.Response)
    return response


async def test_far_callers_by_default() -> None:
    """A caller from another machine is compressed for without being set so; sizes count from the threshold on."""
    far = await answered("auto", "10.0.0.7", b"x" * BYTES_MIN)
    assert far.headers["Content-Encoding"] == "gzip"
    small = await answered("auto", "10.0.0.7", b"x" * (BYTES_MIN - 1))
    assert "Content-Encoding" not in small.headers
    assert "Vary" not in small.headers


async def test_what_is_compressed_already_is_left() -> None:
    """An answer that has a coding keeps it."""
    response = await answered("always", "10.0.0.7", b"x" * BYTES_MIN, **{"Content-Encoding": "br"})
    assert response.headers["Content-Encoding"] == "br"
    assert response.body == b"x" * BYTES_MIN


async def test_long_answers_leave_turns_to_others() -> None:
    """An answer of megabytes is compressed piece by piece, and comes out whole."""
    body = bytes(range(256)) * 20_000
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(other())
        response = await answered("always", "10.0.0.7", body)
        counting.cancel()
    assert turns >= len(body) // PIECE_BYTES
    assert isinstance(response.body, bytes)
    assert zlib.decompress(response.body, 31) == body

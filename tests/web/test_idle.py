"""What is held while nothing is done: neither the answer that a connection had, nor a request that has been read."""

import asyncio
import gc
import gzip
from collections.abc import Iterator
from pathlib import Path
from types import CoroutineType
from typing import Any

import orjson
import pytest
from aiohttp import web

import gateway
from gateway.web.pieces import JOINED_BYTES_MAX
from gateway.web.visit import Visit
from tests.support.canaries import USER
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.keys import auth, signed
from tests.web.parts import ITEMS, NATIVE, SHELVES, WIRE, items, native, send, wire

PIECES = "in pieces"

ASKED: dict[str, tuple[str, Any]] = {
    "in one piece": (NATIVE, native()),
    PIECES: (NATIVE, native(items(2 * ITEMS))),
    "on the wire": (WIRE, wire()),
    "shelves": (SHELVES, {"campaign": "demo", "userId": USER, "shelves": {"top": items(3)}}),
}

PACKAGE = str(Path(gateway.__file__).parent)


def responses() -> list[web.Response]:
    """Those anywhere in this process that have a body."""
    return [one for one in gc.get_objects() if issubclass(type(one), web.Response) and one.body]


def texts() -> Iterator[bytes]:
    """What visits, and the coroutines of the gateway, have by a name at the moment."""
    for one in gc.get_objects():
        if type(one) is Visit:
            yield one.body or b""
        elif type(one) is CoroutineType and one.cr_frame is not None and one.cr_code.co_filename.startswith(PACKAGE):
            named = one.cr_frame.f_locals.values()
            yield from (bytes(value) for value in named if isinstance(value, bytes | bytearray))


@pytest.mark.parametrize("name", ASKED)
async def test_an_idle_connection_holds_no_ranking(connect: Connect, name: str) -> None:
    """A ranking is gone once it is sent, however long its connection stays open; of other answers the library keeps the
    last one."""
    client = await connect()
    before = responses()  # held as well, or another test's may go only now
    response = await send(client, *ASKED[name])
    assert (response.status, len(await response.read()) > JOINED_BYTES_MAX) == (200, name == PIECES)
    assert len(responses()) == len(before)
    await (await client.get("/livez")).read()
    assert [one.body for one in responses() if one not in before] == [b"ok\n"]


@pytest.mark.parametrize("how", ["plain", "signed", "gzip"])
@pytest.mark.parametrize("name", ASKED)
async def test_a_request_is_not_held_while_calls_are_under_way(connect: Connect, name: str, how: str) -> None:
    """Once a request was read, verified and unpacked, no visit and no coroutine has its bytes by a name."""
    path, members = ASKED[name]
    held = Held()
    client = await connect(ranker=held, auth=auth("sigv4") if how == "signed" else None)
    body = orjson.dumps(members)
    sent, headers = body, dict[str, str]()
    if how == "signed":
        headers = signed("shop", str(client.make_url(path)), body)
    elif how == "gzip":
        sent, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(send(client, path, sent, **headers))
        await held.begun.acquire()
        assert not {body, sent} & set(texts())
        held.let_go.set()
    assert asking.result().status == 200


async def test_a_request_that_is_refused_is_not_held(connect: Connect) -> None:
    """A body that was read to verify its signature is gone with the refusal, as is the secret."""
    client = await connect(auth=auth("sigv4"))
    body = orjson.dumps(native(items(ITEMS)))
    headers = signed("shop", str(client.make_url(NATIVE)), body)
    async with client.post(NATIVE, data=body + b" ", headers=headers) as response:
        assert (response.status, response.headers.get("Connection")) == (401, None)
    visits = [one for one in gc.get_objects() if type(one) is Visit]
    assert visits
    assert not [one for one in visits if one.body or one.signed]

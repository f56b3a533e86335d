"""What is held while nothing is done: neither the answer that a connection had, nor a request that has been read."""

import asyncio
import gc
from collections.abc import Iterator
from types import CoroutineType
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway.web.visit import Visit
from tests.support.canaries import USER
from tests.web.conftest import Connect
from tests.web.held import Held
from tests.web.keys import auth, signed
from tests.web.parts import ITEMS, NATIVE, SHELVES, WIRE, items, native, send, wire

ANSWERS: dict[str, tuple[str, Any]] = {
    "in one piece": (NATIVE, native()),
    "in pieces": (NATIVE, native(items(ITEMS))),
    "on the wire": (WIRE, wire()),
    "shelves": (SHELVES, {"campaign": "demo", "userId": USER, "shelves": {"top": items(3)}}),
}


def held() -> list[web.Response]:
    """Responses anywhere in this process that have a body."""
    return [one for one in gc.get_objects() if isinstance(one, web.Response) and one.body]


@pytest.mark.parametrize(("path", "members"), ANSWERS.values(), ids=ANSWERS)
async def test_an_idle_connection_holds_no_ranking(connect: Connect, path: str, members: Any) -> None:
    """A ranking is gone once it is sent, however long its connection stays open; the library keeps what others send."""
    client = await connect()
    before = held()  # held as well, or another test's may go only now
    response = await send(client, path, members)
    assert response.status == 200
    assert await response.json()
    assert len(held()) == len(before)
    await (await client.get("/livez")).read()
    assert [one.body for one in held() if one not in before] == [b"ok\n"]


def texts() -> Iterator[bytes]:
    """What visits, and coroutines of the gateway, hold at the moment."""
    for one in gc.get_objects():
        if isinstance(one, Visit):
            yield one.body or b""
        elif isinstance(one, CoroutineType) and one.cr_frame is not None and "/gateway/" in one.cr_code.co_filename:
            yield from (value for value in one.cr_frame.f_locals.values() if isinstance(value, bytes))


@pytest.mark.parametrize("scheme", [None, "sigv4"])
@pytest.mark.parametrize(("path", "members"), ANSWERS.values(), ids=ANSWERS)
async def test_a_request_is_not_held_while_calls_are_under_way(
    connect: Connect, path: str, members: Any, scheme: str | None
) -> None:
    """Once it was read, and its signature verified, nothing has the bytes of a request any more."""
    held_back = Held()
    client = await connect(ranker=held_back, auth=None if scheme is None else auth(scheme))
    body = orjson.dumps(members)
    headers = {} if scheme is None else signed("shop", str(client.make_url(path)), body)
    async with asyncio.TaskGroup() as group:
        sent = group.create_task(send(client, path, body, **headers))
        await held_back.begun.acquire()
        assert body not in list(texts())
        held_back.let_go.set()
    assert sent.result().status == 200
